/*
 * What a checkpoint is made of, each with the checksums that it needs to be looked at: the
 * manifest of the directory, alone and among files, the stream's manifest, a segment of clicks, the
 * stream's state, with a key of --hash-pii and without. What is accepted is written as it was read,
 * and what it holds can be used: matched, expired, let go.
 *
 * The first byte chooses which of these it is, and what CHOICE_ names.
 */
#include <unistd.h>

#include "cmd/stream_manifest.h"
#include "engine/engine.h"
#include "file/folder.h"
#include "file/part_table.h"
#include "file/parts.h"
#include "fuzz/fuzz.h"
#include "index/segment_encode.h"
#include "index/segment_format.h"
#include "index/segment_load.h"
#include "model/pii.h"
#include "stream/stream_image.h"
#include "util/hash.h"

enum {
    CHOICE_MASK = 3,
    CHOICE_FOLDER = 4,   /* of a manifest: in a directory */
    CHOICE_MENDED = 8,   /* whose checksums of the parts are right */
    CHOICE_LONGER = 16,  /* the first part's file has a byte too many */
    CHOICE_GONE = 32,    /* or is not there */
    CHOICE_KEY = 4,      /* of a segment and a state: with a key */
    CHOICE_AS_IT_IS = 8, /* of a state: its lines came sealed */
};

static const char usual[] = "{}";
static const char wide[] = "{\"ipv6_prefix\": 72}";
static const char traits[] =
    "{\"ipv6_prefix\": 72,"
    " \"fingerprint\": {\"traits\": {\"os\": [0.9, 0.4], \"timezone\": [0.7, 0.3]}},"
    " \"probabilistic\": {\"traits\": {\"browser\": [0.8, 0.2], \"screen\": [0.97, 0.1]}}}";
static const char *const models[] = {usual, wide, traits};

/* One for all runs: it is large, and what it keeps changes nothing. tests/fuzz/seeds.py has the
 * same. */
static cm_pii *the_key(void)
{
    static const char secret[] = "the secret of all fuzzed streams";
    static cm_pii *pii;
    if (pii == NULL)
        FUZZ_CHECK(cm_pii_create(secret, sizeof secret - 1, &pii, NULL) == CM_OK);
    return pii;
}

static cm_engine *make_engine(const char *json, bool has_key)
{
    cm_engine *engine;
    cm_model *model;
    FUZZ_CHECK(cm_model_create(json, strlen(json), &model, NULL) == CM_OK);
    if (has_key)
        FUZZ_CHECK(cm_pii_take_model(the_key(), model, NULL) == CM_OK);
    FUZZ_CHECK(cm_engine_create(NULL, model, &engine, NULL) == CM_OK);
    cm_model_destroy(model);
    return engine;
}

static bool is_same(const cm_buffer *buffer, cm_slice bytes)
{
    return !buffer->failed && cm_slice_equal(cm_slice_of(buffer->data, buffer->size), bytes);
}

/* ---- manifests ---- */

static void try_manifest_alone(cm_slice bytes)
{
    cm_part_table table = {0};
    cm_manifest manifest;
    cm_buffer file = {0}, again = {0};
    const char *what = NULL;
    uint64_t checksum = cm_hash_bytes(bytes.data, bytes.size, 0);
    cm_buffer_append_slice(&file, bytes);
    cm_buffer_append(&file, (const char *)&checksum, sizeof checksum);
    cm_status status =
        cm_manifest_read(cm_slice_of(file.data, file.size), &table, &manifest, &what);
    FUZZ_CHECK(status == CM_OK || (status == CM_ERROR_FORMAT && what != NULL));
    if (status == CM_OK) {
        size_t count = 0;
        cm_part *parts[512];
        for (cm_part *part = table.parts; part != NULL && count < 512; part = part->hh.next)
            parts[count++] = part;
        FUZZ_CHECK(cm_manifest_write(&manifest, parts, count, &again));
        FUZZ_CHECK(count == 512 || is_same(&again, cm_slice_of(file.data, file.size)));
    }
    cm_part_table_destroy(&table);
    cm_buffer_destroy(&file);
    cm_buffer_destroy(&again);
}

/* ---- a directory ---- */

#define PARTS_MAX 4
#define PART_BYTES_MAX 8192
#define ENTRIES_AT 40 /* of a manifest */
#define ENTRY_BYTES 72
#define STRAY "0-stray" /* a part of no commit; another file that is none */
#define OTHER "other"

typedef struct place {
    char path[64];
    cm_buffer manifest;
    cm_part_table table;
    cm_manifest read;
} place;

static void put_file(const place *at, const char *name, const char *ending, const char *bytes,
                     size_t size)
{
    char path[200];
    (void)snprintf(path, sizeof path, "%s/%s%s", at->path, name, ending);
    FILE *file = fopen(path, "wb");
    FUZZ_CHECK(file != NULL && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
}

static bool has_file(const place *at, const char *name)
{
    char path[200];
    (void)snprintf(path, sizeof path, "%s/%s", at->path, name);
    return access(path, F_OK) == 0;
}

static void remove_file(void *context, const char *name)
{
    cm_folder_remove(context, name);
}

/* Files for some of the parts that the manifest names. */
static void put_parts(place *at, unsigned choice)
{
    static char bytes[PART_BYTES_MAX + 1];
    size_t number = 0;
    for (const cm_part *part = at->table.parts; part != NULL && number < PARTS_MAX;
         part = part->hh.next, number++) {
        char *checksum = at->manifest.data + ENTRIES_AT + (number + 1) * ENTRY_BYTES - 8;
        if (part->size > PART_BYTES_MAX || (number == 0 && (choice & CHOICE_GONE) != 0))
            continue;
        uint64_t right = cm_hash_bytes(bytes, (size_t)part->size, 0);
        if ((choice & CHOICE_MENDED) != 0)
            memcpy(checksum, &right, sizeof right);
        bool is_longer = number == 0 && (choice & CHOICE_LONGER) != 0;
        put_file(at, part->name, CM_PART_ENDING, bytes, (size_t)part->size + is_longer);
    }
    uint64_t checksum = cm_hash_bytes(at->manifest.data, at->manifest.size, 0);
    cm_buffer_append(&at->manifest, (const char *)&checksum, sizeof checksum);
    put_file(at, CM_MANIFEST, "", at->manifest.data, at->manifest.size);
}

/* What was found is what was put there; nothing goes but what no commit names. */
static void look_around(const place *at, cm_parts *parts, unsigned choice)
{
    cm_slice bytes;
    cm_buffer part_bytes = {0};
    cm_error error = {0};
    FUZZ_CHECK(cm_parts_found(parts, &bytes) == at->read.number);
    FUZZ_CHECK(cm_slice_equal(bytes, at->read.bytes));
    for (const cm_part *part = at->table.parts; part != NULL; part = part->hh.next) {
        cm_status status = cm_parts_read(parts, part->name, &part_bytes, &error);
        FUZZ_CHECK(status == CM_OK || (status == CM_ERROR_FORMAT && error.message[0] != '\0'));
        FUZZ_CHECK(status == CM_OK || (choice & CHOICE_MENDED) == 0);
        FUZZ_CHECK(status != CM_OK || part_bytes.size == part->size);
    }
    FUZZ_CHECK(cm_parts_read(parts, OTHER, &part_bytes, &error) == CM_ERROR_FORMAT ||
               cm_part_find(&at->table, OTHER) != NULL);
    FUZZ_CHECK(!has_file(at, STRAY CM_PART_ENDING) || cm_part_find(&at->table, STRAY) != NULL);
    FUZZ_CHECK(!has_file(at, STRAY CM_FOLDER_TEMPORARY));
    cm_buffer_destroy(&part_bytes);
}

static void try_folder(cm_slice bytes, unsigned choice)
{
    place at = {.path = "/tmp/fuzz-parts.XXXXXX"};
    cm_parts *parts = NULL;
    cm_folder folder;
    cm_error error = {0};
    const char *what;
    FUZZ_CHECK(mkdtemp(at.path) != NULL);
    cm_buffer_append_slice(&at.manifest, bytes);
    put_file(&at, CM_FOLDER_LOCK, "", "", 0);
    for (size_t i = 0; i < 3; i++)
        put_file(&at, i < 2 ? STRAY : OTHER,
                 i == 0   ? CM_PART_ENDING
                 : i == 1 ? CM_FOLDER_TEMPORARY
                          : "",
                 "x", 1);
    /* Which parts it names is known when the checksum is there. */
    uint64_t checksum = cm_hash_bytes(bytes.data, bytes.size, 0);
    cm_buffer_append(&at.manifest, (const char *)&checksum, sizeof checksum);
    cm_status read = cm_manifest_read(cm_slice_of(at.manifest.data, at.manifest.size), &at.table,
                                      &at.read, &what);
    at.manifest.size = bytes.size;
    put_parts(&at, choice);
    FUZZ_CHECK(cm_parts_exist(at.path));
    cm_status status = cm_parts_open(at.path, "--checkpoint", &parts, &error);
    FUZZ_CHECK(status == CM_OK || (status == CM_ERROR_FORMAT && error.message[0] != '\0'));
    FUZZ_CHECK(read == CM_OK || status == read);
    if (status == CM_OK)
        look_around(&at, parts, choice);
    FUZZ_CHECK(has_file(&at, OTHER));
    FUZZ_CHECK(status == CM_OK || has_file(&at, STRAY CM_FOLDER_TEMPORARY));
    if (status == CM_OK)
        cm_parts_close(parts);
    FUZZ_CHECK(cm_folder_open(&folder, at.path, "--checkpoint", NULL) == CM_OK);
    FUZZ_CHECK(cm_folder_walk(&folder, remove_file, &folder, NULL) == CM_OK);
    cm_folder_close(&folder);
    FUZZ_CHECK(rmdir(at.path) == 0);
    cm_part_table_destroy(&at.table);
    cm_buffer_destroy(&at.manifest);
}

static void try_parts(cm_slice bytes, unsigned choice)
{
    if ((choice & CHOICE_FOLDER) != 0)
        try_folder(bytes, choice);
    else
        try_manifest_alone(bytes);
}

/* What it needs has names, each a good one. */
static void try_names(const cm_stream_manifest *manifest)
{
    cm_manifest_names names;
    if (manifest->end_ids - manifest->first_ids > 100)
        return;
    FUZZ_CHECK(cm_stream_manifest_names(manifest, &names, NULL) == CM_OK);
    FUZZ_CHECK(names.count > manifest->segment_count);
    for (size_t i = 0; i < names.count; i++)
        FUZZ_CHECK(cm_part_name_is_good(names.names[i]));
    cm_manifest_names_destroy(&names);
}

static void try_manifest(cm_slice bytes, unsigned choice)
{
    (void)choice;
    cm_stream_manifest manifest;
    cm_buffer text = {0};
    cm_error error = {0};
    cm_status status = cm_stream_manifest_read(bytes, &manifest, &error);
    FUZZ_CHECK(status == CM_OK || (status == CM_ERROR_FORMAT && error.message[0] != '\0'));
    if (status == CM_OK) {
        cm_stream_manifest_write(&manifest, &text);
        FUZZ_CHECK(is_same(&text, bytes));
        cm_stream_manifest_position(&manifest, &text);
        FUZZ_CHECK(!text.failed);
        try_names(&manifest);
    }
    free(manifest.segments);
    cm_buffer_destroy(&text);
}

/* ---- a segment of clicks ---- */

typedef struct one_image {
    cm_slice bytes;
    uint32_t unlisted;
} one_image;

static cm_status read_image(void *context, size_t number, cm_buffer *bytes, cm_segment_image *image,
                            cm_error *error)
{
    const one_image *from = context;
    (void)number, (void)error;
    bytes->size = 0;
    cm_buffer_append_slice(bytes, from->bytes);
    *image = (cm_segment_image){.name = "image", .unlisted = from->unlisted};
    return CM_OK;
}

static cm_status load(cm_engine *engine, cm_slice bytes, uint32_t unlisted, cm_error *error)
{
    one_image from = {bytes, unlisted};
    const cm_segment_source source = {&from, 1, read_image};
    return cm_segments_load(&engine->index, &source, 1, error);
}

/* As a checkpoint would write it again. */
static cm_buffer encode(cm_engine *engine)
{
    cm_segment_encoder encoder = {0};
    cm_buffer none = {0};
    bool is_done = false;
    uint32_t count = engine->index.catalog.store.segments[0]->count;
    FUZZ_CHECK(cm_segment_encode_begin(&encoder, &engine->index, 0, count, &none, NULL) == CM_OK);
    while (!is_done)
        FUZZ_CHECK(cm_segment_encode_step(&encoder, 16, &is_done, NULL) == CM_OK);
    cm_buffer image = cm_segment_encode_take(&encoder);
    cm_segment_encoder_destroy(&encoder);
    return image;
}

/* Each of its clicks is found by its id, where its time and its flags let it. */
static void match_all(cm_engine *engine, size_t first)
{
    const cm_catalog *catalog = &engine->index.catalog;
    const cm_click_store *store = &catalog->store;
    for (uint32_t i = (uint32_t)first; i < store->segments[0]->count; i++) {
        cm_result result;
        const cm_click_row *row = cm_click_store_row(store, i);
        const cm_conversion conversion = {
            .tenant_id = cm_catalog_name(catalog, CM_NAME_TENANT, cm_catalog_tenant(catalog, i)),
            .conversion_id = CM_SLICE("v"),
            .conversion_timestamp = cm_click_row_time(row),
            .click_id = cm_click_store_id(store, i),
            .device = {.ip_address = {4, {81, 2, 3, 4}}}};
        FUZZ_CHECK(cm_engine_match(engine, &conversion, 1, &result, NULL) == CM_OK);
        bool is_active = (row->time & (CM_ROW_INVALID | CM_ROW_DUPLICATE)) == 0 &&
                         cm_click_store_expires_at(store, i) > cm_click_row_time(row);
        FUZZ_CHECK(!is_active || (result.method == CM_METHOD_URL_PARAM &&
                                  cm_slice_equal(result.click.click_id, conversion.click_id)));
    }
}

static void try_segment(cm_slice bytes, unsigned choice)
{
    bool has_key = (choice & CHOICE_KEY) != 0;
    cm_image_header header = {0};
    cm_error error = {0};
    if (bytes.size >= sizeof header)
        memcpy(&header, bytes.data, sizeof header);
    /* All models of a key have the same prefixes. */
    const char *model = models[has_key ? 0 : header.has_traits == 1 ? 2 : header.wide_kinds != 0];
    cm_engine *engine = make_engine(model, has_key);
    cm_status status = load(engine, bytes, header.unlisted, &error);
    FUZZ_CHECK(status == CM_OK || (status == CM_ERROR_FORMAT && error.message[0] != '\0'));
    if (status == CM_OK) {
        size_t count = cm_engine_click_count(engine);
        FUZZ_CHECK(count <= header.rows);
        match_all(engine, header.unlisted);
        cm_buffer image = encode(engine);
        cm_engine *other = make_engine(model, has_key);
        uint32_t unlisted = engine->index.catalog.store.segments[0]->unlisted;
        cm_slice encoded = cm_slice_of(image.data, image.size);
        FUZZ_CHECK(load(other, encoded, unlisted, &error) == CM_OK);
        FUZZ_CHECK(cm_engine_click_count(other) == count);
        cm_buffer twice = encode(other);
        FUZZ_CHECK(is_same(&twice, encoded));
        cm_buffer_destroy(&twice);
        cm_engine_destroy(other);
        cm_buffer_destroy(&image);
        FUZZ_CHECK(cm_engine_expire(engine, INT64_MAX) == count);
        FUZZ_CHECK(cm_engine_click_count(engine) == 0);
    }
    cm_engine_destroy(engine);
}

/* ---- the state of a stream ---- */

typedef struct stream_run {
    cm_engine *engine;
    cm_stream *stream;
} stream_run;

static void begin(stream_run *run, const cm_stream_listener *listener, bool has_key)
{
    const cm_stream_options options = {
        .clock = {.lateness_us = 300000000, .max_future_us = 3600000000},
        .build = {.pii = has_key ? the_key() : NULL},
        .source = "events"};
    run->engine = make_engine(usual, has_key);
    FUZZ_CHECK(cm_stream_create(run->engine, &options, listener, &run->stream, NULL) == CM_OK);
}

static void end(stream_run *run)
{
    cm_stream_destroy(run->stream);
    cm_engine_destroy(run->engine);
}

/* Full segments of ids: one conversion in each. */
static cm_status read_ids(void *context, uint64_t serial, cm_buffer *texts, cm_error *error)
{
    char text[32];
    (void)context, (void)error;
    int size = snprintf(text, sizeof text, "t%ca%llu", 0, (unsigned long long)serial);
    uint16_t prefix = (uint16_t)size;
    cm_buffer_append(texts, (const char *)&prefix, sizeof prefix);
    cm_buffer_append(texts, text, (size_t)size);
    return CM_OK;
}

static void use(cm_stream *stream)
{
    static const char events[] =
        "{\"event\":\"click\",\"seq\":900,\"tenant_id\":\"t\",\"click_id\":\"k\","
        "\"click_timestamp\":\"2026-03-01T12:00:00Z\"}\n"
        "{\"event\":\"conversion\",\"seq\":901,\"tenant_id\":\"t\",\"conversion_id\":\"v\","
        "\"click_id\":\"k\",\"conversion_timestamp\":\"2026-03-01T12:00:01Z\"}\n";
    uint64_t line = 1;
    FUZZ_CHECK(cm_stream_take(stream, events, sizeof events - 1, &line, 0, NULL) == CM_OK);
    FUZZ_CHECK(cm_stream_let_go(stream, NULL) == CM_OK);
}

/* A state whose lines are sealed: who changes bytes cannot do that. The last two bytes say how many
 * before them are lines. */
static cm_buffer seal_lines(cm_slice bytes)
{
    cm_buffer image = {0}, sealed = {0};
    uint16_t lines = 0;
    if (bytes.size >= sizeof lines) {
        bytes.size -= sizeof lines;
        memcpy(&lines, bytes.data + bytes.size, sizeof lines);
    }
    size_t size = lines < bytes.size ? lines : bytes.size;
    cm_buffer_append(&image, bytes.data, bytes.size - size);
    FUZZ_CHECK(cm_pii_seal(the_key(), cm_slice_of(bytes.data + bytes.size - size, size), &sealed));
    uint64_t sealed_size = sealed.size;
    cm_buffer_append(&image, (const char *)&sealed_size, sizeof sealed_size);
    cm_buffer_append(&image, sealed.data, sealed.size);
    cm_buffer_destroy(&sealed);
    FUZZ_CHECK(!image.failed);
    return image;
}

static void try_state(cm_slice bytes, unsigned choice)
{
    const cm_stream_listener listener = {0};
    const cm_ids_source ids = {read_ids, NULL};
    bool has_key = (choice & CHOICE_KEY) != 0;
    stream_run run;
    cm_buffer with_sealed = {0};
    cm_error error = {0};
    begin(&run, &listener, has_key);
    if (has_key && (choice & CHOICE_AS_IT_IS) == 0) {
        with_sealed = seal_lines(bytes);
        bytes = cm_slice_of(with_sealed.data, with_sealed.size);
    }
    cm_status status = cm_stream_image_read(run.stream, bytes, &ids, &error);
    FUZZ_CHECK(status == CM_OK || status == CM_ERROR_FORMAT || status == CM_ERROR_MODEL);
    FUZZ_CHECK(status == CM_OK || error.message[0] != '\0');
    if (status == CM_OK) {
        cm_buffer image = {0};
        cm_stream_image_write(run.stream, &image);
        FUZZ_CHECK(is_same(&image, bytes));
        cm_buffer_destroy(&image);
        use(run.stream);
    }
    end(&run);
    cm_buffer_destroy(&with_sealed);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static void (*const tries[])(cm_slice, unsigned) = {try_parts, try_manifest, try_segment,
                                                        try_state};
    unsigned choice = fuzz_choice(&bytes, &size);
    tries[choice & CHOICE_MASK](cm_slice_of((const char *)bytes, size), choice);
    return 0;
}

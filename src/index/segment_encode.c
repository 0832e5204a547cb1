#include "index/segment_encode.h"

#include "index/segment_format.h"
#include "util/check.h"

/* Twice as many slots as a segment can have names of a kind. A slot: the number in the catalog, the
 * epoch, the number in the image. */
#define MAP_BITS (CM_SEGMENT_BITS + 1)
#define MAP_SLOTS ((size_t)1 << MAP_BITS)
#define LOCAL_BITS 17
#define EPOCH_MAX ((1u << 15) - 1)

/* Rows ahead that the memory is asked for: where their names are known, then the names. */
#define AHEAD_SLOT 24
#define AHEAD_NAME 12
#define ROW_BYTES ((size_t)128) /* of names, copied for as much as a row takes */

/* ---- which names the image has ---- */

static bool create_map(cm_image_map *map)
{
    if (map->slots == NULL)
        map->slots = calloc(MAP_SLOTS, sizeof *map->slots);
    map->count = 0;
    return map->slots != NULL;
}

static uint64_t *home_of(const cm_image_map *map, uint32_t number)
{
    return &map->slots[number * 0x9E3779B1u >> (32 - MAP_BITS)];
}

/* The number that stands for one of the catalog; the next one where it is new. */
static inline uint32_t local_of(const cm_segment_encoder *encoder, cm_image_map *map,
                                uint32_t number, bool *is_new)
{
    uint64_t tag = ((uint64_t)number << 15 | encoder->epoch) << LOCAL_BITS;
    uint64_t *slot = home_of(map, number);
    const uint64_t *end = map->slots + MAP_SLOTS;
    *is_new = false;
    for (;;) {
        if (*slot >> LOCAL_BITS == tag >> LOCAL_BITS)
            return (uint32_t)(*slot & (((uint64_t)1 << LOCAL_BITS) - 1));
        if ((*slot >> LOCAL_BITS & EPOCH_MAX) != encoder->epoch)
            break;
        if (++slot == end)
            slot = map->slots;
    }
    *slot = tag | ++map->count;
    *is_new = true;
    return map->count;
}

static void append_name(cm_buffer *names, cm_slice text)
{
    uint32_t size = (uint32_t)text.size;
    cm_buffer_append(names, (const char *)&size, sizeof size);
    cm_buffer_append_slice(names, text);
}

static inline uint32_t name_of(cm_segment_encoder *encoder, cm_name_kind kind, uint32_t number)
{
    bool is_new;
    if (number == CM_NUMBER_MISSING)
        return 0;
    uint32_t local = local_of(encoder, &encoder->maps[kind], number, &is_new);
    if (is_new)
        append_name(&encoder->names[kind], cm_catalog_name(&encoder->index->catalog, kind, number));
    return local;
}

static inline uint32_t who_of(cm_segment_encoder *encoder, uint32_t number)
{
    bool is_new;
    uint32_t local = local_of(encoder, &encoder->maps[CM_NAME_WHO], number, &is_new);
    if (!is_new)
        return local;
    cm_who who = cm_catalog_who(&encoder->index->catalog, number);
    who.tenant = name_of(encoder, CM_NAME_TENANT, who.tenant);
    who.device_type = name_of(encoder, CM_NAME_DEVICE_TYPE, who.device_type);
    append_name(&encoder->names[CM_NAME_WHO], cm_who_text(&who));
    return local;
}

static inline uint32_t look_of(cm_segment_encoder *encoder, uint32_t number)
{
    bool is_new;
    if (number == CM_NUMBER_MISSING)
        return 0;
    uint32_t local = local_of(encoder, &encoder->maps[CM_NAME_LOOK], number, &is_new);
    if (!is_new)
        return local;
    cm_look look = cm_catalog_look(&encoder->index->catalog, number);
    look.user_agent = name_of(encoder, CM_NAME_USER_AGENT, look.user_agent);
    for (cm_trait i = 0; i < CM_TRAIT_COUNT; i++)
        look.traits[i] = name_of(encoder, cm_name_of_trait(i), look.traits[i]);
    append_name(&encoder->names[CM_NAME_LOOK], cm_look_text(&look));
    return local;
}

static const uint8_t *fingerprint_at(const cm_click_index *index, uint32_t number)
{
    const cm_fingerprint_shard *shard = &index->fingerprints[number & (CM_SHARDS - 1)];
    return cm_fingerprint_group_at(shard, number >> CM_SHARD_BITS)->fingerprint;
}

/* There is room for one fingerprint a row. */
static inline uint32_t fingerprint_of(cm_segment_encoder *encoder, uint32_t number)
{
    bool is_new;
    if (number == CM_NUMBER_MISSING)
        return 0;
    uint32_t local = local_of(encoder, &encoder->maps[CM_IMAGE_FINGERPRINTS], number, &is_new);
    if (is_new)
        memcpy(encoder->image.data + encoder->fingerprints_at +
                   (local - 1) * CM_IMAGE_FINGERPRINT_BYTES,
               fingerprint_at(encoder->index, number), CM_IMAGE_FINGERPRINT_BYTES);
    return local;
}

/* ---- begin ---- */

/* Kinds that no row refers to take no memory. */
static bool is_needed(const cm_model *model, unsigned kind)
{
    return model->has_traits || !cm_name_is_of_traits((cm_name_kind)kind);
}

/* A new epoch empties the maps; when all are used up, the slots are cleared. */
static bool create_maps(cm_segment_encoder *encoder, const cm_model *model)
{
    bool is_over = encoder->epoch == EPOCH_MAX;
    encoder->epoch = is_over ? 1 : encoder->epoch + 1;
    for (unsigned kind = 0; kind < CM_IMAGE_KIND_COUNT; kind++) {
        if (is_needed(model, kind) && !create_map(&encoder->maps[kind]))
            return false;
        if (is_over && encoder->maps[kind].slots != NULL)
            memset(encoder->maps[kind].slots, 0, MAP_SLOTS * sizeof(uint64_t));
    }
    for (size_t kind = 0; kind < CM_NAME_KIND_COUNT; kind++) {
        encoder->names[kind].size = 0;
        encoder->names[kind].failed = false;
    }
    return true;
}

#define PAGE_SLOTS (4096 / sizeof(uint64_t))
#define NAMES_BYTES ((size_t)2 << 20) /* of most segments' names of a kind; touched as they come */

cm_status cm_segment_encoder_warm_up(cm_segment_encoder *encoder, const cm_model *model,
                                     cm_error *error)
{
    for (unsigned kind = 0; kind < CM_IMAGE_KIND_COUNT; kind++) {
        if (!is_needed(model, kind))
            continue;
        bool has_names = kind < CM_NAME_KIND_COUNT;
        if (!create_map(&encoder->maps[kind]) ||
            (has_names && !cm_buffer_reserve(&encoder->names[kind], NAMES_BYTES)))
            return cm_error_memory(error, "the image of a segment", NAMES_BYTES);
        volatile uint64_t *slots = encoder->maps[kind].slots;
        for (size_t i = 0; i < MAP_SLOTS; i += PAGE_SLOTS)
            slots[i] = 0;
    }
    return CM_OK;
}

/* Where the texts of a number of rows end. */
static size_t text_bytes(const cm_segment *segment, uint32_t rows)
{
    if (rows == segment->count)
        return segment->heap_size;
    const cm_text_places *places = &segment->places[rows / CM_PLACE_ROWS];
    return places->base + (size_t)places->offset[rows % CM_PLACE_ROWS];
}

/* How many of a number of rows have an expiry of their own. */
static size_t expiry_count(const cm_segment *segment, uint32_t rows)
{
    const cm_own_expiries *own = segment->own_expiries;
    if (rows == segment->count)
        return own->count;
    uint64_t below = own->bits[rows / 64] & (((uint64_t)1 << rows % 64) - 1);
    return own->before[rows / 64] + (size_t)__builtin_popcountll(below);
}

static void take_spare(cm_segment_encoder *encoder, cm_buffer *spare)
{
    if (spare->data != NULL) {
        cm_buffer_destroy(&encoder->image);
        encoder->image = *spare;
        *spare = (cm_buffer){0};
    }
    encoder->image.size = 0;
    encoder->image.failed = false;
}

cm_status cm_segment_encode_begin(cm_segment_encoder *encoder, cm_click_index *index, size_t place,
                                  uint32_t count, cm_buffer *spare, cm_error *error)
{
    const cm_segment *of = index->catalog.store.segments[place];
    CM_CHECK(count > 0 && count <= of->count);
    cm_segment_encode_drop(encoder);
    take_spare(encoder, spare);
    size_t expiries_at = sizeof(cm_image_header) + count * sizeof(cm_click_row);
    size_t texts_at = expiries_at + expiry_count(of, count) * sizeof(int64_t);
    size_t fingerprints_at = texts_at + text_bytes(of, count);
    size_t bytes = fingerprints_at + count * CM_IMAGE_FINGERPRINT_BYTES;
    if (encoder->image.capacity < bytes)
        cm_buffer_destroy(&encoder->image); /* its bytes need not move */
    /* What is not used of it is never touched; moving all of it would take long. */
    if (!cm_buffer_reserve(&encoder->image, bytes + bytes / 2) ||
        !create_maps(encoder, index->rules.model))
        return cm_error_memory(error, "the image of a segment", bytes);
    cm_click_store_pin(&index->catalog.store, place);
    encoder->index = index;
    encoder->segment = of;
    encoder->place = place;
    encoder->count = count;
    encoder->done = encoder->unlisted = encoder->expiries = 0;
    encoder->expiries_at = expiries_at;
    encoder->texts_at = texts_at;
    encoder->fingerprints_at = fingerprints_at;
    encoder->kind = 0;
    encoder->copied = 0;
    return CM_OK;
}

/* ---- rows ---- */

static const cm_click_row *row_ahead(const cm_segment_encoder *encoder, uint32_t at)
{
    const cm_segment *segment = encoder->segment;
    return at < encoder->count && at >= segment->unlisted ? &segment->rows[at] : NULL;
}

/* Where the names of a row are: most of the rows have a campaign or a fingerprint that is new. */
static void prefetch_slots(const cm_segment_encoder *encoder, const cm_click_row *row)
{
    if (row == NULL)
        return;
    const cm_dictionary *campaigns = &encoder->index->catalog.names[CM_NAME_CAMPAIGN];
    cm_prefetch(home_of(&encoder->maps[CM_IMAGE_FINGERPRINTS], row->fingerprint));
    cm_prefetch(home_of(&encoder->maps[CM_NAME_CAMPAIGN], row->campaign));
    if (row->campaign != CM_NUMBER_MISSING)
        cm_prefetch(&campaigns->texts[row->campaign]);
}

static void prefetch_names(const cm_segment_encoder *encoder, const cm_click_row *row)
{
    if (row == NULL)
        return;
    cm_slice campaign = cm_catalog_name(&encoder->index->catalog, CM_NAME_CAMPAIGN, row->campaign);
    if (campaign.size > 0)
        cm_prefetch(campaign.data);
    if (row->fingerprint == CM_NUMBER_MISSING)
        return;
    const uint8_t *fingerprint = fingerprint_at(encoder->index, row->fingerprint);
    cm_prefetch(fingerprint);
    cm_prefetch(fingerprint + CM_IMAGE_FINGERPRINT_BYTES - 1);
}

/* A row whose click is in no index any more: its fingerprint may be another's. */
static cm_click_row bare_row(const cm_click_row *row)
{
    return (cm_click_row){.time = row->time & ~(uint64_t)CM_ROW_ADDRESS};
}

static inline cm_click_row image_row(cm_segment_encoder *encoder, const cm_click_row *row,
                                     unsigned wide, bool has_traits)
{
    cm_click_row made = {
        .time = row->time,
        .address = row->address,
        .who = who_of(encoder, row->who),
        .fingerprint = fingerprint_of(encoder, row->fingerprint),
        .look = has_traits ? look_of(encoder, row->look)
                           : name_of(encoder, CM_NAME_USER_AGENT, row->look),
        .campaign = name_of(encoder, CM_NAME_CAMPAIGN, row->campaign),
    };
    if ((cm_click_row_address_kind(row) & wide) != 0)
        made.address = name_of(encoder, CM_NAME_WIDE_BUCKET, (uint32_t)row->address);
    return made;
}

static unsigned wide_kinds(const cm_click_index *index)
{
    return cm_image_wide_kinds(index->rules.model);
}

static void put_expiry(cm_segment_encoder *encoder)
{
    memcpy(encoder->image.data + encoder->expiries_at + encoder->expiries * sizeof(int64_t),
           &encoder->segment->own_expiries->times[encoder->expiries], sizeof(int64_t));
    encoder->expiries++;
}

static void put_rows(cm_segment_encoder *encoder, uint32_t end)
{
    unsigned wide = wide_kinds(encoder->index);
    bool has_traits = encoder->index->rules.model->has_traits;
    char *rows = encoder->image.data + sizeof(cm_image_header);
    uint32_t unlisted = encoder->segment->unlisted;
    if (encoder->done < unlisted)
        encoder->unlisted = unlisted < encoder->count ? unlisted : encoder->count;
    for (uint32_t at = encoder->done; at < end; at++) {
        const cm_click_row *row = &encoder->segment->rows[at];
        prefetch_slots(encoder, row_ahead(encoder, at + AHEAD_SLOT));
        prefetch_names(encoder, row_ahead(encoder, at + AHEAD_NAME));
        cm_click_row made =
            at < unlisted ? bare_row(row) : image_row(encoder, row, wide, has_traits);
        memcpy(rows + at * sizeof made, &made, sizeof made);
        if (row->time & CM_ROW_OWN_EXPIRY)
            put_expiry(encoder);
    }
}

static void put_texts(cm_segment_encoder *encoder, uint32_t end)
{
    size_t from = text_bytes(encoder->segment, encoder->done);
    size_t to = text_bytes(encoder->segment, end);
    memcpy(encoder->image.data + encoder->texts_at + from, encoder->segment->heap + from,
           to - from);
}

/* ---- the end ---- */

static void put_header(cm_segment_encoder *encoder)
{
    cm_image_header header = {
        .magic = CM_IMAGE_MAGIC,
        .byte_order = CM_IMAGE_BYTE_ORDER,
        .version = CM_IMAGE_VERSION,
        .bytes = encoder->image.size,
        .rows = encoder->count,
        .unlisted = encoder->unlisted,
        .expiries = encoder->expiries,
        .fingerprints = encoder->maps[CM_IMAGE_FINGERPRINTS].count,
        .text_bytes = encoder->fingerprints_at - encoder->texts_at,
        .generation = encoder->segment->generation,
        .wide_kinds = (uint8_t)wide_kinds(encoder->index),
        .is_ahead = encoder->segment->is_ahead,
        .has_traits = encoder->index->rules.model->has_traits,
    };
    for (size_t kind = 0; kind < CM_NAME_KIND_COUNT; kind++)
        header.names[kind] = (cm_image_names){encoder->maps[kind].count, encoder->names[kind].size};
    memcpy(encoder->image.data, &header, sizeof header);
}

/* Copy some of the names. */
static void put_names(cm_segment_encoder *encoder, size_t bytes)
{
    while (encoder->kind < CM_NAME_KIND_COUNT && bytes > 0) {
        const cm_buffer *names = &encoder->names[encoder->kind];
        size_t left = names->size - encoder->copied;
        size_t piece = left < bytes ? left : bytes;
        if (piece > 0)
            cm_buffer_append(&encoder->image, names->data + encoder->copied, piece);
        encoder->copied += piece;
        bytes -= piece;
        if (piece < left)
            return;
        encoder->kind++;
        encoder->copied = 0;
    }
}

static bool has_failed(const cm_segment_encoder *encoder)
{
    bool failed = encoder->image.failed;
    for (size_t kind = 0; kind < CM_NAME_KIND_COUNT; kind++)
        failed |= encoder->names[kind].failed;
    return failed;
}

cm_status cm_segment_encode_step(cm_segment_encoder *encoder, uint32_t rows_max, bool *is_done,
                                 cm_error *error)
{
    CM_CHECK(encoder->index != NULL);
    *is_done = false;
    if (encoder->done < encoder->count) {
        uint32_t left = encoder->count - encoder->done;
        uint32_t end = encoder->done + (rows_max < left ? rows_max : left);
        put_rows(encoder, end);
        put_texts(encoder, end);
        encoder->done = end;
        encoder->image.size =
            encoder->fingerprints_at +
            encoder->maps[CM_IMAGE_FINGERPRINTS].count * CM_IMAGE_FINGERPRINT_BYTES;
    } else {
        put_names(encoder, rows_max * ROW_BYTES);
        *is_done = encoder->kind == CM_NAME_KIND_COUNT;
    }
    if (has_failed(encoder)) {
        cm_segment_encode_drop(encoder);
        return cm_error_memory(error, "the image of a segment", encoder->image.size);
    }
    if (*is_done)
        put_header(encoder);
    return CM_OK;
}

void cm_segment_encode_drop(cm_segment_encoder *encoder)
{
    if (encoder->index != NULL)
        cm_click_store_unpin(&encoder->index->catalog.store, encoder->place);
    encoder->index = NULL;
}

cm_buffer cm_segment_encode_take(cm_segment_encoder *encoder)
{
    cm_buffer image = encoder->image;
    encoder->image = (cm_buffer){0};
    cm_segment_encode_drop(encoder);
    return image;
}

void cm_segment_encoder_destroy(cm_segment_encoder *encoder)
{
    cm_segment_encode_drop(encoder);
    for (size_t kind = 0; kind < CM_IMAGE_KIND_COUNT; kind++)
        free(encoder->maps[kind].slots);
    for (size_t kind = 0; kind < CM_NAME_KIND_COUNT; kind++)
        cm_buffer_destroy(&encoder->names[kind]);
    cm_buffer_destroy(&encoder->image);
    *encoder = (cm_segment_encoder){0};
}

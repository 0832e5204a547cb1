#include "index/segment_adopt.h"

#include "index/segment_view.h"
#include "model/normal.h"
#include "store/click_text.h"
#include "util/grow.h"
#include "util/hash.h"
#include "util/text.h"
#include "util/time.h"

#define ID_CHARACTERS_MAX ((size_t)255)
#define CAMPAIGN_HEAD_BYTES (4 * sizeof(uint32_t))

/* A segment on its way in. */
struct adoption {
    cm_segment_adopter *adopter;
    const cm_segment_view *view;
    cm_click_store *store;
    const cm_model *model;
    cm_segment *segment;
    uint32_t first; /* number of its first row */
    uint32_t unlisted;
    size_t text_at;     /* bytes of texts read */
    uint32_t expiry_at; /* expiries read */
    uint32_t duplicates;
    uint32_t forgotten; /* unlisted that are no duplicates */
    int64_t last_findable;
};

static bool is_id(cm_slice text)
{
    size_t characters;
    if (text.size <= ID_CHARACTERS_MAX && cm_text_is_plain(text))
        return true;
    return cm_utf8_count(text, &characters) && characters <= ID_CHARACTERS_MAX &&
           memchr(text.data, '\0', text.size) == NULL;
}

/* ---- names ---- */

/* Is it one that cm_campaign_split can take apart? */
static bool is_campaign(cm_slice text)
{
    uint32_t sizes[4];
    if (text.size <= sizeof sizes)
        return false;
    memcpy(sizes, text.data, sizeof sizes);
    return (uint64_t)sizes[0] + sizes[1] + sizes[2] + sizes[3] == text.size - sizeof sizes;
}

static bool is_screen(cm_slice text)
{
    cm_slice first, second;
    return cm_screen_split(text, &first, &second);
}

/* Does it name something, and only what the image has? */
static bool is_look(const cm_segment_view *view, cm_slice text)
{
    cm_look look;
    if (text.size != sizeof look)
        return false;
    memcpy(&look, text.data, sizeof look);
    bool is_known = look.user_agent <= view->header.names[CM_NAME_USER_AGENT].count;
    for (cm_trait i = 0; i < CM_TRAIT_COUNT; i++)
        is_known &= look.traits[i] <= view->header.names[cm_name_of_trait(i)].count;
    return is_known && !cm_look_is_missing(&look);
}

static bool is_name(const cm_segment_view *view, cm_name_kind kind, cm_slice text)
{
    cm_who who;
    switch (kind) {
    case CM_NAME_TENANT:
        return is_id(text);
    case CM_NAME_WHO:
        if (text.size != sizeof who)
            return false;
        memcpy(&who, text.data, sizeof who);
        return who.tenant > 0 && who.tenant <= view->header.names[CM_NAME_TENANT].count &&
               who.device_type <= view->header.names[CM_NAME_DEVICE_TYPE].count;
    case CM_NAME_LOOK:
        return is_look(view, text);
    case CM_NAME_CAMPAIGN:
        return is_campaign(text);
    case CM_NAME_WIDE_BUCKET:
        return text.size == 16;
    default:
        return kind != cm_name_of_trait(CM_TRAIT_SCREEN) || is_screen(text);
    }
}

/* A who names its tenant and device type by what they are here, and is found by its tenant. */
static uint32_t intern_who(cm_segment_adopter *adopter, cm_adopted_name *name)
{
    cm_who who;
    memcpy(&who, name->text, sizeof who);
    name->hash = adopter->kinds[CM_NAME_TENANT].names[who.tenant].hash;
    who.tenant = adopter->kinds[CM_NAME_TENANT].numbers[who.tenant];
    who.device_type = adopter->kinds[CM_NAME_DEVICE_TYPE].numbers[who.device_type];
    cm_slice here = cm_who_text(&who);
    return cm_names_intern(&adopter->logger.names, CM_NAME_WHO, here,
                           cm_text_hash(adopter->logger.rules, here));
}

/* The same of a look; what it names was interned before it. */
static uint32_t intern_look(cm_segment_adopter *adopter, const cm_adopted_name *name)
{
    cm_look look;
    memcpy(&look, name->text, sizeof look);
    look.user_agent = adopter->kinds[CM_NAME_USER_AGENT].numbers[look.user_agent];
    for (cm_trait i = 0; i < CM_TRAIT_COUNT; i++)
        look.traits[i] = adopter->kinds[cm_name_of_trait(i)].numbers[look.traits[i]];
    cm_slice here = cm_look_text(&look);
    return cm_names_intern(&adopter->logger.names, CM_NAME_LOOK, here,
                           cm_text_hash(adopter->logger.rules, here));
}

static uint32_t intern_name(cm_segment_adopter *adopter, cm_name_kind kind, cm_adopted_name *name)
{
    if (kind == CM_NAME_WHO)
        return intern_who(adopter, name);
    if (kind == CM_NAME_LOOK)
        return intern_look(adopter, name);
    return cm_names_intern(&adopter->logger.names, kind, cm_slice_of(name->text, name->size),
                           name->hash);
}

/* Read the names, and hash them. */
static cm_status read_names(cm_segment_adopter *adopter, const cm_segment_view *view,
                            cm_name_kind kind, cm_error *error)
{
    size_t at = 0;
    cm_adopted_name *names = adopter->kinds[kind].names;
    for (size_t i = 1; i <= view->header.names[kind].count; i++) {
        cm_slice text;
        cm_status status = cm_segment_view_name(view, kind, &at, &text, error);
        if (status != CM_OK)
            return status;
        if (!is_name(view, kind, text))
            return cm_segment_view_fault(view, error, "name %zu of kind %u is none", i,
                                         (unsigned)kind);
        names[i] = (cm_adopted_name){.text = text.data,
                                     .hash = cm_text_hash(adopter->logger.rules, text),
                                     .size = text.size};
    }
    if (at != view->header.names[kind].bytes)
        return cm_segment_view_fault(view, error, "names of kind %u: more than there are",
                                     (unsigned)kind);
    return CM_OK;
}

/* Names ahead that the memory is asked for: where they are known, then their text there. */
#define AHEAD_NAME 24
#define AHEAD_TEXT 12

static cm_status intern_names(cm_segment_adopter *adopter, cm_name_kind kind, size_t count,
                              cm_error *error)
{
    cm_names *known = &adopter->logger.names;
    cm_adopted_name *names = adopter->kinds[kind].names;
    uint32_t *numbers = adopter->kinds[kind].numbers;
    numbers[0] = CM_NUMBER_MISSING;
    for (size_t i = 1; i <= count; i++) {
        if (i + AHEAD_NAME <= count)
            cm_names_prefetch(known, kind, names[i + AHEAD_NAME].hash);
        if (i + AHEAD_TEXT <= count)
            cm_names_prefetch_text(known, kind, names[i + AHEAD_TEXT].hash);
        numbers[i] = intern_name(adopter, kind, &names[i]);
        if (numbers[i] == CM_NUMBER_NONE)
            return cm_error_memory(error, "a dictionary", names[i].size);
    }
    return CM_OK;
}

static bool reserve_names(cm_adopted_names *kind, size_t count)
{
    cm_adopted_name *names =
        cm_grow(kind->names, &kind->name_capacity, count + 1, sizeof *kind->names);
    if (names == NULL)
        return false;
    kind->names = names;
    uint32_t *numbers =
        cm_grow(kind->numbers, &kind->number_capacity, count + 1, sizeof *kind->numbers);
    if (numbers == NULL)
        return false;
    kind->numbers = numbers;
    return true;
}

static cm_status adopt_kind(cm_segment_adopter *adopter, const cm_segment_view *view,
                            cm_name_kind kind, cm_error *error)
{
    size_t count = view->header.names[kind].count;
    if (!reserve_names(&adopter->kinds[kind], count))
        return cm_error_memory(error, "the names of a segment", count * sizeof(cm_adopted_name));
    cm_status status = read_names(adopter, view, kind, error);
    return status == CM_OK ? intern_names(adopter, kind, count, error) : status;
}

/* ---- rows ---- */

/* Are the numbers of names within what the image has? Returns NULL or what is wrong. */
static const char *check_numbers(const cm_image_header *header, const cm_click_row *row)
{
    unsigned kind = cm_click_row_address_kind(row);
    if (row->who == 0 || row->who > header->names[CM_NAME_WHO].count)
        return "no such tenant and device type";
    if (row->look > header->names[header->has_traits ? CM_NAME_LOOK : CM_NAME_USER_AGENT].count)
        return header->has_traits ? "no such look" : "no such user agent";
    if (row->campaign > header->names[CM_NAME_CAMPAIGN].count)
        return "no such campaign";
    if (row->fingerprint > header->fingerprints)
        return "no such fingerprint";
    if (row->fingerprint != 0 && (row->time & (CM_ROW_INVALID | CM_ROW_DUPLICATE)) != 0)
        return "a fingerprint where there is none";
    if (kind == CM_ROW_ADDRESS || (kind == 0 && row->address != 0) ||
        (kind == CM_ROW_IPV4 && row->address > UINT32_MAX))
        return "no such kind of address";
    if ((kind & header->wide_kinds) != 0 &&
        (row->address == 0 || row->address > header->names[CM_NAME_WIDE_BUCKET].count))
        return "no such address";
    return NULL;
}

/* One that was in no index any more when it was encoded has a time, and no names. */
static bool is_bare(const cm_click_row *row)
{
    return row->who == 0 && row->look == 0 && row->campaign == 0 && row->fingerprint == 0 &&
           row->address == 0 && cm_click_row_address_kind(row) == 0;
}

static void translate(const struct adoption *adoption, cm_click_row *row)
{
    const cm_adopted_names *kinds = adoption->adopter->kinds;
    row->who = kinds[CM_NAME_WHO].numbers[row->who];
    row->look = kinds[adoption->view->header.has_traits ? CM_NAME_LOOK : CM_NAME_USER_AGENT]
                    .numbers[row->look];
    row->campaign = kinds[CM_NAME_CAMPAIGN].numbers[row->campaign];
    row->fingerprint = CM_NUMBER_MISSING; /* until its index is built */
    if ((cm_click_row_address_kind(row) & adoption->view->header.wide_kinds) != 0)
        row->address = kinds[CM_NAME_WIDE_BUCKET].numbers[row->address];
}

/* When the click expires, and nobody finds it any more. */
static const char *take_times(struct adoption *adoption, const cm_click_row *row, uint32_t at)
{
    int64_t time_us = cm_click_row_time(row), usual = time_us + adoption->store->window_us;
    int64_t expires_at = usual;
    cm_own_expiries *own = adoption->segment->own_expiries;
    if (!cm_time_is_in_range(time_us))
        return "its time is outside 1970 to 9999";
    if (at % 64 == 0)
        own->before[at / 64] = (uint16_t)own->count;
    if (row->time & CM_ROW_OWN_EXPIRY) {
        if (adoption->expiry_at == adoption->view->header.expiries)
            return "its expiry is missing";
        memcpy(&expires_at, adoption->view->expiries + adoption->expiry_at++ * sizeof expires_at,
               sizeof expires_at);
        if (!cm_time_is_in_range(expires_at) || expires_at < time_us || expires_at == usual)
            return "its expiry cannot be";
        own->bits[at / 64] |= (uint64_t)1 << at % 64;
        own->times[own->count++] = expires_at;
    }
    if ((expires_at < usual) != ((row->time & CM_ROW_EXPIRES_EARLY) != 0))
        return "its expiry is not that of its flags";
    int64_t end = cm_click_findable_end(adoption->model, time_us, expires_at);
    if (end > adoption->last_findable)
        adoption->last_findable = end;
    return NULL;
}

static const char *take_texts(struct adoption *adoption, uint32_t at, cm_click_texts *texts)
{
    cm_segment *segment = adoption->segment;
    size_t place = adoption->text_at;
    size_t bytes = cm_click_text_check(segment->heap + place, segment->heap_size - place, texts);
    if (bytes == 0)
        return "its texts are cut off, or too long";
    if (!is_id(texts->click_id))
        return "its click id is not UTF-8 of 1 to 255 characters";
    cm_text_places *places = &segment->places[at / CM_PLACE_ROWS];
    if (at % CM_PLACE_ROWS == 0)
        places->base = (uint32_t)place;
    places->offset[at % CM_PLACE_ROWS] = (uint16_t)(place - places->base);
    adoption->text_at += bytes;
    return NULL;
}

/* ---- what the indexes need ---- */

static uint64_t bucket_hash(const struct adoption *adoption, uint64_t tenant_hash,
                            const cm_click_row *row)
{
    unsigned kind = cm_click_row_address_kind(row);
    if ((kind & adoption->view->header.wide_kinds) == 0)
        return cm_bucket_hash(tenant_hash, kind, row->address);
    const cm_adopted_name *buckets = adoption->adopter->kinds[CM_NAME_WIDE_BUCKET].names;
    return cm_wide_bucket_hash(tenant_hash, (const uint8_t *)buckets[row->address].text);
}

/* row: as in the image. */
static void note(const struct adoption *adoption, const cm_click_row *row, uint32_t at,
                 const cm_click_texts *texts)
{
    const cm_segment_view *view = adoption->view;
    uint64_t tenant_hash = adoption->adopter->kinds[CM_NAME_WHO].names[row->who].hash;
    bool is_valid = cm_click_row_is_valid(row);
    cm_log_note n = {
        .number = adoption->first + at,
        .has = {[CM_LOG_ID] = true,
                [CM_LOG_FBCLID] = texts->fbclid.size > 0,
                [CM_LOG_GCLID] = texts->gclid.size > 0,
                [CM_LOG_ADDRESS] = is_valid && cm_click_row_address_kind(row) != 0,
                [CM_LOG_FINGERPRINT] = row->fingerprint != 0},
    };
    n.hashes[CM_LOG_ID] = cm_click_id_hash(tenant_hash, texts->click_id);
    if (n.has[CM_LOG_FBCLID])
        n.hashes[CM_LOG_FBCLID] = cm_param_hash(tenant_hash, CM_PARAM_FBCLID, texts->fbclid);
    if (n.has[CM_LOG_GCLID])
        n.hashes[CM_LOG_GCLID] = cm_param_hash(tenant_hash, CM_PARAM_GCLID, texts->gclid);
    if (n.has[CM_LOG_ADDRESS])
        n.hashes[CM_LOG_ADDRESS] = bucket_hash(adoption, tenant_hash, row);
    if (n.has[CM_LOG_FINGERPRINT]) {
        n.fingerprint = (const uint8_t *)view->fingerprints +
                        (row->fingerprint - 1) * CM_IMAGE_FINGERPRINT_BYTES;
        n.hashes[CM_LOG_FINGERPRINT] = cm_fingerprint_hash(tenant_hash, n.fingerprint);
    }
    cm_click_logger_note(&adoption->adopter->logger, &n);
}

static const char *adopt_row(struct adoption *adoption, uint32_t at)
{
    const cm_image_header *header = &adoption->view->header;
    cm_click_row row;
    cm_click_texts texts;
    memcpy(&row, adoption->view->rows + at * sizeof row, sizeof row);
    bool bare = at < header->unlisted && is_bare(&row);
    const char *fault = bare ? NULL : check_numbers(header, &row);
    if (fault == NULL)
        fault = take_times(adoption, &row, at);
    if (fault == NULL)
        fault = take_texts(adoption, at, &texts);
    if (fault != NULL)
        return fault;
    if (row.time & CM_ROW_DUPLICATE)
        adoption->duplicates++;
    else if (at < adoption->unlisted)
        adoption->forgotten++;
    else
        note(adoption, &row, at, &texts);
    if (!bare)
        translate(adoption, &row);
    adoption->segment->rows[at] = row;
    return NULL;
}

/* ---- a segment ---- */

static cm_status check_place(const cm_segment_view *view, const cm_segment_image *image,
                             const cm_model *model, cm_error *error)
{
    if (view->header.wide_kinds != cm_image_wide_kinds(model))
        return cm_error_set(error, CM_ERROR_FORMAT,
                            "%s: made with another ipv6_prefix; use the model it was made with",
                            view->name);
    if (view->header.has_traits != model->has_traits)
        return cm_error_set(
            error, CM_ERROR_FORMAT, "%s: made by a model that %s; use the model it was made with",
            view->name, model->has_traits ? "compares no traits" : "compares traits");
    if (image->unlisted < view->header.unlisted || image->unlisted > view->header.rows)
        return cm_segment_view_fault(view, error, "%u rows forgotten, where %u of %u were",
                                     image->unlisted, view->header.unlisted, view->header.rows);
    if (image->place >= CM_SEGMENT_COUNT_MAX)
        return cm_segment_view_fault(view, error, "place %zu, of %u", image->place,
                                     CM_SEGMENT_COUNT_MAX);
    return CM_OK;
}

static cm_status open_segment(cm_segment_adopter *adopter, const cm_segment_view *view,
                              size_t place, cm_error *error)
{
    cm_click_logger *logger = &adopter->logger;
    const cm_image_header *header = &view->header;
    cm_click_store *store = &logger->names.catalog->store;
    pthread_mutex_lock(logger->names.lock);
    logger->writer.is_ahead = header->is_ahead;
    bool is_free = place >= store->segment_count || store->segments[place] == NULL;
    cm_status status =
        is_free ? cm_click_store_open_at(store, place, header->text_bytes + 1, header->generation,
                                         &logger->writer, error)
                : cm_segment_view_fault(view, error, "place %zu is taken by another", place);
    pthread_mutex_unlock(logger->names.lock);
    if (status != CM_OK)
        return status;
    cm_own_expiries *own = logger->writer.segment->own_expiries;
    own->capacity = header->expiries + 1;
    own->times = malloc(own->capacity * sizeof *own->times);
    return own->times != NULL ? CM_OK
                              : cm_error_memory(error, "expiry times", header->expiries * 8);
}

static cm_status adopt_rows(struct adoption *adoption, cm_error *error)
{
    const cm_segment_view *view = adoption->view;
    cm_segment *segment = adoption->segment;
    memcpy(segment->heap, view->texts, view->header.text_bytes);
    segment->heap_size = view->header.text_bytes;
    for (uint32_t at = 0; at < view->header.rows; at++) {
        const char *fault = adopt_row(adoption, at);
        if (fault != NULL)
            return cm_segment_view_fault(view, error, "row %u: %s", at, fault);
    }
    if (adoption->text_at != view->header.text_bytes ||
        adoption->expiry_at != view->header.expiries)
        return cm_segment_view_fault(view, error, "texts or expiries of no row");
    segment->count = view->header.rows;
    segment->last_findable = adoption->last_findable;
    segment->unlisted = adoption->unlisted;
    segment->forgotten = adoption->forgotten;
    segment->is_dying = adoption->unlisted > 0;
    atomic_store(&segment->duplicates, adoption->duplicates);
    return CM_OK;
}

static cm_status adopt_view(cm_segment_adopter *adopter, const cm_segment_view *view,
                            const cm_segment_image *image, cm_error *error)
{
    cm_click_logger *logger = &adopter->logger;
    cm_status status = cm_click_logger_reserve(logger, view->header.rows, error);
    logger->names.generation = view->header.generation;
    for (cm_name_kind kind = 0; kind < CM_NAME_KIND_COUNT && status == CM_OK; kind++)
        status = adopt_kind(adopter, view, kind, error);
    if (status == CM_OK)
        status = open_segment(adopter, view, image->place, error);
    if (status != CM_OK)
        return status;
    struct adoption adoption = {
        .adopter = adopter,
        .view = view,
        .store = &logger->names.catalog->store,
        .model = logger->rules->model,
        .segment = logger->writer.segment,
        .first = logger->writer.base,
        .unlisted = image->unlisted,
        .last_findable = INT64_MIN,
    };
    return adopt_rows(&adoption, error);
}

cm_status cm_segment_adopt(cm_segment_adopter *adopter, const cm_segment_image *image,
                           cm_error *error)
{
    cm_segment_view view;
    cm_status status = cm_segment_view_open(&view, image->name, image->bytes, error);
    if (status == CM_OK)
        status = check_place(&view, image, adopter->logger.rules->model, error);
    if (status == CM_OK)
        status = adopt_view(adopter, &view, image, error);
    if (adopter->logger.writer.segment != NULL) {
        pthread_mutex_lock(adopter->logger.names.lock);
        cm_click_store_close(&adopter->logger.names.catalog->store, &adopter->logger.writer);
        pthread_mutex_unlock(adopter->logger.names.lock);
    }
    return status;
}

void cm_segment_adopter_destroy(cm_segment_adopter *adopter)
{
    for (size_t kind = 0; kind < CM_NAME_KIND_COUNT; kind++) {
        free(adopter->kinds[kind].names);
        free(adopter->kinds[kind].numbers);
    }
    cm_click_logger_destroy(&adopter->logger);
    *adopter = (cm_segment_adopter){0};
}

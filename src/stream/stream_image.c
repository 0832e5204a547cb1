#include "stream/stream_image.h"

#include "model/pii.h"
#include "stream/stream_event.h"
#include "stream/stream_room.h"
#include "util/error.h"
#include "util/time.h"

#define MAGIC UINT64_C(0x3345544154534d43) /* "CMSTATE3", as little-endian machines read it */

/* ---- writing ---- */

static void put(cm_buffer *image, uint64_t number)
{
    cm_buffer_append(image, (const char *)&number, sizeof number);
}

static void put_text(cm_buffer *image, const char *bytes, size_t size)
{
    put(image, size);
    cm_buffer_append(image, bytes, size);
}

static void put_model(const cm_model *model, cm_buffer *image)
{
    put(image, (uint64_t)model->window_us);
    put(image, (uint64_t)model->probabilistic_window_us);
    put(image, (uint64_t)model->retention_us);
    put(image, model->ipv4_prefix);
    put(image, model->ipv6_prefix);
    put(image, model->has_traits);
}

static void put_ids(const cm_seen_ids *seen, cm_buffer *image)
{
    put(image, seen->first);
    put(image, seen->end);
    put(image, seen->forgotten);
    for (uint64_t serial = seen->first; serial < seen->end; serial++)
        put(image, (uint64_t)cm_seen_ids_at(seen, serial)->last_us);
    if (seen->first == seen->end)
        return;
    const cm_seen_segment *newest = cm_seen_ids_at(seen, seen->end - 1);
    put_text(image, newest->texts.data, newest->texts.size);
}

static void put_lines(const cm_held_lines *lines, cm_buffer *image)
{
    put(image, lines->count);
    for (size_t i = 0; i < lines->count; i++) {
        const cm_held_line *line = cm_held_lines_at(lines, i);
        put(image, (uint64_t)line->time_us);
        put(image, line->line);
        put(image, line->byte);
        put(image, (uint64_t)line->is_late | (uint64_t)line->is_ready << 1);
        put_text(image, line->text, line->size);
    }
}

/* Lines are events as they came. Where what is personal is hashed, they are sealed. */
static void put_all_lines(const cm_stream *stream, cm_buffer *image)
{
    const cm_pii *pii = stream->options.build.pii;
    cm_buffer lines = {0}, sealed = {0};
    put_lines(&stream->held, pii == NULL ? image : &lines);
    put_lines(&stream->waiting, pii == NULL ? image : &lines);
    if (pii == NULL)
        return;
    if (lines.failed || !cm_pii_seal(pii, cm_slice_of(lines.data, lines.size), &sealed))
        image->failed = true;
    else
        put_text(image, sealed.data, sealed.size);
    cm_buffer_destroy(&lines);
    cm_buffer_destroy(&sealed);
}

void cm_stream_image_write(const cm_stream *stream, cm_buffer *image)
{
    put(image, MAGIC);
    put(image, cm_pii_id(stream->options.build.pii));
    put_model(stream->engine->model, image);
    put(image, (uint64_t)stream->clock.latest_us);
    put(image, stream->clock.is_alone);
    put(image, (uint64_t)stream->clock.ahead_us);
    put(image, stream->clock.ahead_count);
    put(image, stream->ahead_count);
    put(image, (uint64_t)stream->ahead_us);
    put(image, stream->events);
    put(image, stream->last.has_seq);
    put(image, stream->last.seq);
    put_ids(&stream->seen, image);
    put_all_lines(stream, image);
}

/* ---- reading ---- */

/* What is left of an image. Once it has failed, all numbers are 0. */
typedef struct reading {
    const char *at, *end;
    bool has_failed;
} reading;

static uint64_t get(reading *r)
{
    uint64_t number = 0;
    if ((size_t)(r->end - r->at) < sizeof number) {
        r->has_failed = true;
        return 0;
    }
    memcpy(&number, r->at, sizeof number);
    r->at += sizeof number;
    return number;
}

/* Yes or no, as it was written. */
static bool get_flag(reading *r)
{
    uint64_t flag = get(r);
    r->has_failed |= flag > 1;
    return flag == 1;
}

static cm_slice get_text(reading *r)
{
    uint64_t size = get(r);
    if (size > (size_t)(r->end - r->at)) {
        r->has_failed = true;
        return (cm_slice){0};
    }
    cm_slice text = cm_slice_of(r->at, (size_t)size);
    r->at += size;
    return text;
}

static cm_status damaged(cm_error *error)
{
    return cm_error_set(error, CM_ERROR_FORMAT, "the state of the stream is damaged");
}

static cm_status check_key(const cm_pii *pii, reading *r, cm_error *error)
{
    uint64_t id = get(r);
    if (r->has_failed)
        return damaged(error);
    if (id == cm_pii_id(pii))
        return CM_OK;
    return cm_error_set(error, CM_ERROR_MODEL,
                        "it was made %s; %s, or begin anew in another directory",
                        id == 0       ? "without --hash-pii"
                        : pii == NULL ? "with --hash-pii"
                                      : "with another key of --hash-pii",
                        id == 0 ? "leave that out" : "give that key");
}

static cm_status check_model(const cm_model *model, reading *r, cm_error *error)
{
    bool is_same = (int64_t)get(r) == model->window_us;
    is_same &= (int64_t)get(r) == model->probabilistic_window_us;
    is_same &= (int64_t)get(r) == model->retention_us;
    is_same &= get(r) == model->ipv4_prefix;
    is_same &= get(r) == model->ipv6_prefix;
    is_same &= get(r) == model->has_traits;
    if (r->has_failed)
        return damaged(error);
    if (is_same)
        return CM_OK;
    return cm_error_set(error, CM_ERROR_MODEL,
                        "it was made by a model with other windows, retention or address prefixes, "
                        "or one of the two compares traits; give that model, or begin anew in "
                        "another directory");
}

static void get_time(cm_stream *stream, reading *r)
{
    stream->clock.latest_us = (int64_t)get(r);
    stream->clock.is_alone = get_flag(r);
    stream->clock.ahead_us = (int64_t)get(r);
    uint64_t ahead_count = get(r);
    r->has_failed |= ahead_count >= CM_CLOCK_AGREE_COUNT;
    r->has_failed |=
        stream->clock.latest_us != CM_CLOCK_UNSET && !cm_time_is_in_range(stream->clock.latest_us);
    r->has_failed |= ahead_count > 0 && !cm_time_is_in_range(stream->clock.ahead_us);
    stream->clock.ahead_count = (uint32_t)ahead_count;
    stream->ahead_count = get(r);
    stream->ahead_us = (int64_t)get(r);
    stream->events = get(r);
    stream->last.has_seq = get_flag(r);
    stream->last.seq = get(r);
    r->has_failed |= stream->last.seq > INT64_MAX;
}

static cm_status get_ids(cm_stream *stream, reading *r, const cm_ids_source *source,
                         cm_error *error)
{
    uint64_t first = get(r), end = get(r), forgotten = get(r);
    cm_buffer texts = {0};
    cm_status status = CM_OK;
    if (r->has_failed || first > end || end - first > (size_t)(r->end - r->at) / 8 ||
        end > INT64_MAX || forgotten > (first == end ? 0 : CM_SEEN_SEGMENT_IDS))
        return damaged(error);
    stream->seen.first = stream->seen.end = first;
    const char *times = r->at;
    r->at += (end - first) * sizeof(uint64_t);
    for (uint64_t serial = first; serial < end && status == CM_OK; serial++) {
        cm_slice ids;
        int64_t last_us;
        texts.size = 0;
        memcpy(&last_us, times + (serial - first) * sizeof last_us, sizeof last_us);
        if (serial + 1 < end) {
            status = source->read(source->context, serial, &texts, error);
            ids = cm_slice_of(texts.data, texts.size);
        } else {
            ids = get_text(r);
        }
        if (status == CM_OK)
            status = cm_seen_ids_restore(&stream->seen, serial, last_us, ids,
                                         serial == first ? (uint32_t)forgotten : 0, error);
    }
    cm_buffer_destroy(&texts);
    return status;
}

static cm_status get_lines(cm_stream *stream, reading *r, cm_held_lines *lines, cm_error *error)
{
    uint64_t count = get(r);
    cm_status status = CM_OK;
    for (uint64_t i = 0; i < count && status == CM_OK; i++) {
        cm_held_line head = {.time_us = (int64_t)get(r), .line = get(r)};
        head.byte = get(r);
        uint64_t flags = get(r);
        head.is_late = (flags & 1) != 0;
        head.is_ready = (flags & 2) != 0;
        r->has_failed |= flags > 3;
        cm_slice text = get_text(r);
        status = cm_stream_check_line(stream, text, lines == &stream->held, &head);
        if (status == CM_ERROR_MEMORY)
            return cm_error_memory(error, "a held event", text.size);
        if (r->has_failed)
            return damaged(error);
        if (status != CM_OK)
            return cm_error_set(error, CM_ERROR_FORMAT,
                                "an event that it holds cannot be read: it is damaged, or was made "
                                "with --lenient; give that, too");
        status = cm_held_lines_push(lines, &head, text, error);
    }
    return status;
}

static cm_status get_all_lines(cm_stream *stream, reading *r, cm_error *error)
{
    cm_status status = get_lines(stream, r, &stream->held, error);
    return status == CM_OK ? get_lines(stream, r, &stream->waiting, error) : status;
}

static cm_status get_sealed_lines(cm_stream *stream, reading *r, cm_error *error)
{
    cm_buffer lines = {0};
    cm_slice sealed = get_text(r);
    cm_status status = CM_OK;
    if (!cm_pii_unseal(stream->options.build.pii, sealed, &lines))
        status = lines.failed ? cm_error_memory(error, "held events", sealed.size) : damaged(error);
    const char *at = lines.size == 0 ? "" : lines.data; /* of nothing there is no data */
    reading inner = {at, at + lines.size, false};
    if (status == CM_OK)
        status = get_all_lines(stream, &inner, error);
    if (status == CM_OK && (inner.has_failed || inner.at != inner.end))
        status = damaged(error);
    cm_buffer_destroy(&lines);
    return status;
}

cm_status cm_stream_image_read(cm_stream *stream, cm_slice image, const cm_ids_source *ids,
                               cm_error *error)
{
    reading r = {image.data, image.data + image.size, false};
    if (get(&r) != MAGIC)
        return cm_error_set(error, CM_ERROR_FORMAT,
                            "it was not written by this version of clickmatch");
    cm_status status = check_key(stream->options.build.pii, &r, error);
    if (status == CM_OK)
        status = check_model(stream->engine->model, &r, error);
    if (status != CM_OK)
        return status;
    get_time(stream, &r);
    if (r.has_failed)
        return damaged(error);
    status = get_ids(stream, &r, ids, error);
    if (status == CM_OK)
        status = stream->options.build.pii == NULL ? get_all_lines(stream, &r, error)
                                                   : get_sealed_lines(stream, &r, error);
    stream->names_are_full = cm_stream_room_names_are_full(stream);
    return status == CM_OK && (r.has_failed || r.at != r.end) ? damaged(error) : status;
}

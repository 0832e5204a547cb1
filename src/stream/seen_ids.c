#include "stream/seen_ids.h"

#include <stdlib.h>

#include "util/error.h"
#include "util/hash.h"

#define CAPACITY_MIN ((size_t)8)
#define SERIALS_MAX ((size_t)1 << (32 - CM_SEEN_SEGMENT_BITS)) /* at once */
#define ROW_MASK (CM_SEEN_SEGMENT_IDS - 1)
#define TEXT_BYTES_MAX ((size_t)2 + 2 * 4 * 255 + 1) /* two ids of at most 255 characters */

void cm_seen_ids_init(cm_seen_ids *seen, uint64_t seed)
{
    *seen = (cm_seen_ids){.seed = seed};
}

static void free_segment(cm_seen_segment *segment)
{
    cm_buffer_destroy(&segment->texts);
    free(segment);
}

static cm_seen_segment **place_of(const cm_seen_ids *seen, uint64_t serial)
{
    return &seen->segments[serial & (seen->capacity - 1)];
}

void cm_seen_ids_destroy(cm_seen_ids *seen)
{
    for (uint64_t serial = seen->first; serial < seen->end; serial++)
        free_segment(*place_of(seen, serial));
    if (seen->spare != NULL)
        free_segment(seen->spare);
    free(seen->segments);
    for (size_t shard = 0; shard < CM_SHARDS; shard++)
        cm_table_destroy(&seen->tables[shard]);
    *seen = (cm_seen_ids){0};
}

static cm_slice text_at(const cm_seen_segment *segment, uint32_t row)
{
    const char *at = segment->texts.data + segment->places[row];
    uint16_t size;
    memcpy(&size, at, sizeof size);
    return cm_slice_of(at + sizeof size, size);
}

/* Where the number in a table's slot leads: a serial's low bits are enough to find its place. */
static cm_slice text_of(const cm_seen_ids *seen, uint32_t number)
{
    return text_at(*place_of(seen, number >> CM_SEEN_SEGMENT_BITS), number & ROW_MASK);
}

static uint32_t number_of(uint64_t serial, uint32_t row)
{
    return (uint32_t)(serial << CM_SEEN_SEGMENT_BITS) | row;
}

static bool grow_ring(cm_seen_ids *seen)
{
    cm_seen_ids grown = *seen;
    grown.capacity = seen->capacity == 0 ? CAPACITY_MIN : 2 * seen->capacity;
    grown.segments = calloc(grown.capacity, sizeof *grown.segments);
    if (grown.segments == NULL)
        return false;
    for (uint64_t serial = seen->first; serial < seen->end; serial++)
        *place_of(&grown, serial) = *place_of(seen, serial);
    free(seen->segments);
    *seen = grown;
    return true;
}

/* What came and went for days in pieces that grow would leave the heap full of holes. */
static cm_seen_segment *take_spare(cm_seen_ids *seen)
{
    cm_seen_segment *segment = seen->spare != NULL ? seen->spare : calloc(1, sizeof *segment);
    seen->spare = NULL;
    return segment;
}

static void keep_or_free(cm_seen_ids *seen, cm_seen_segment *segment)
{
    if (seen->spare != NULL) {
        free_segment(segment);
        return;
    }
    segment->texts.size = 0;
    seen->spare = segment;
}

static cm_seen_segment *add_segment(cm_seen_ids *seen)
{
    if (seen->end - seen->first == seen->capacity && !grow_ring(seen))
        return NULL;
    cm_seen_segment *segment = take_spare(seen);
    if (segment == NULL)
        return NULL;
    segment->count = 0;
    segment->last_us = INT64_MIN;
    *place_of(seen, seen->end++) = segment;
    return segment;
}

/* The newest segment, with room for one id more. NULL when memory is short. */
static cm_seen_segment *open_segment(cm_seen_ids *seen)
{
    cm_seen_segment *newest = seen->first == seen->end ? NULL : *place_of(seen, seen->end - 1);
    if (newest == NULL || newest->count == CM_SEEN_SEGMENT_IDS)
        newest = add_segment(seen);
    return newest;
}

static bool knows(const cm_seen_ids *seen, cm_slice text, uint64_t hash)
{
    const cm_table *table = &seen->tables[cm_shard_of(hash)];
    cm_probe probe = cm_table_probe(table, hash);
    for (;;) {
        uint32_t number = cm_table_next(table, &probe);
        if (number == CM_NUMBER_NONE)
            return false;
        if (cm_slice_equal(text_of(seen, number), text))
            return true;
    }
}

/* Know the text that stands behind the segment's others. False when memory is short. */
static bool note(cm_seen_ids *seen, cm_seen_segment *segment, uint64_t hash)
{
    cm_table *table = &seen->tables[cm_shard_of(hash)];
    if (!cm_table_reserve_one(table))
        return false;
    cm_table_insert(table, hash, number_of(seen->end - 1, segment->count));
    seen->count++;
    return true;
}

static void append(cm_buffer *texts, cm_slice tenant_id, cm_slice conversion_id)
{
    uint16_t size = (uint16_t)(tenant_id.size + 1 + conversion_id.size);
    cm_buffer_append(texts, (const char *)&size, sizeof size);
    cm_buffer_append_slice(texts, tenant_id);
    cm_buffer_append_char(texts, '\0');
    cm_buffer_append_slice(texts, conversion_id);
}

cm_status cm_seen_ids_add(cm_seen_ids *seen, cm_slice tenant_id, cm_slice conversion_id,
                          int64_t clock_us, bool *is_new, cm_error *error)
{
    if (seen->end - seen->first >= SERIALS_MAX)
        return cm_error_set(error, CM_ERROR_CAPACITY,
                            "more than 4 billion conversion ids; use a shorter window");
    cm_seen_segment *segment = open_segment(seen);
    if (segment == NULL || !cm_buffer_reserve(&segment->texts, TEXT_BYTES_MAX))
        return cm_error_memory(error, "the conversion ids", cm_seen_ids_memory(seen) / 8);
    size_t before = segment->texts.size;
    append(&segment->texts, tenant_id, conversion_id);
    segment->places[segment->count] = (uint32_t)before;
    cm_slice text = text_at(segment, segment->count);
    uint64_t hash = cm_hash_slice(text, seen->seed);
    *is_new = !knows(seen, text, hash);
    bool is_noted = *is_new && note(seen, segment, hash);
    if (!is_noted)
        segment->texts.size = before;
    if (*is_new && !is_noted)
        return cm_error_memory(error, "the conversion ids", cm_seen_ids_memory(seen) / 8);
    segment->count += is_noted;
    if (is_noted)
        segment->last_us = clock_us; /* a first event's broken clock goes with the next one */
    return CM_OK;
}

static bool is_due(const cm_seen_ids *seen, int64_t until_us)
{
    return seen->first < seen->end && (*place_of(seen, seen->first))->last_us <= until_us;
}

static void forget_row(cm_seen_ids *seen, const cm_seen_segment *segment, uint32_t row)
{
    uint64_t hash = cm_hash_slice(text_at(segment, row), seen->seed);
    cm_table_remove(&seen->tables[cm_shard_of(hash)], hash, number_of(seen->first, row));
    seen->count--;
}

void cm_seen_ids_forget(cm_seen_ids *seen, int64_t until_us, size_t budget)
{
    while (budget > 0 && is_due(seen, until_us)) {
        cm_seen_segment *segment = *place_of(seen, seen->first);
        for (; budget > 0 && seen->forgotten < segment->count; budget--)
            forget_row(seen, segment, seen->forgotten++);
        if (seen->forgotten < segment->count)
            return;
        keep_or_free(seen, segment);
        seen->first++;
        seen->forgotten = 0;
    }
}

/* The ids of texts that come from outside. */
static cm_status restore_rows(cm_seen_ids *seen, cm_seen_segment *segment, uint32_t forgotten)
{
    size_t at = 0, end = segment->texts.size;
    while (at < end) {
        uint16_t size;
        if (end - at < sizeof size || segment->count == CM_SEEN_SEGMENT_IDS)
            return CM_ERROR_FORMAT;
        memcpy(&size, segment->texts.data + at, sizeof size);
        if (size > end - at - sizeof size)
            return CM_ERROR_FORMAT;
        segment->places[segment->count] = (uint32_t)at;
        cm_slice text = text_at(segment, segment->count);
        uint64_t hash = cm_hash_slice(text, seen->seed);
        if (segment->count >= forgotten) {
            if (knows(seen, text, hash))
                return CM_ERROR_FORMAT;
            if (!note(seen, segment, hash))
                return CM_ERROR_MEMORY;
        }
        segment->count++;
        at += sizeof size + size;
    }
    return forgotten <= segment->count ? CM_OK : CM_ERROR_FORMAT;
}

cm_status cm_seen_ids_restore(cm_seen_ids *seen, uint64_t serial, int64_t last_us, cm_slice texts,
                              uint32_t forgotten, cm_error *error)
{
    bool is_first = seen->first == seen->end;
    if (is_first)
        seen->first = seen->end = serial;
    cm_status status = CM_ERROR_FORMAT;
    if (serial == seen->end && (forgotten == 0 || is_first) && texts.size <= UINT32_MAX) {
        cm_seen_segment *segment = add_segment(seen);
        if (segment == NULL || !cm_buffer_reserve(&segment->texts, texts.size))
            return cm_error_memory(error, "the conversion ids", texts.size);
        cm_buffer_append_slice(&segment->texts, texts);
        segment->last_us = last_us;
        seen->forgotten = is_first ? forgotten : seen->forgotten;
        status = restore_rows(seen, segment, forgotten);
    }
    if (status == CM_ERROR_FORMAT)
        return cm_error_set(error, CM_ERROR_FORMAT, "conversion ids: segment %llu is damaged",
                            (unsigned long long)serial);
    return status == CM_OK ? CM_OK : cm_error_memory(error, "the conversion ids", texts.size);
}

static size_t segment_memory(const cm_seen_segment *segment)
{
    return sizeof *segment + segment->texts.capacity;
}

size_t cm_seen_ids_memory(const cm_seen_ids *seen)
{
    size_t bytes = seen->capacity * sizeof *seen->segments;
    for (size_t shard = 0; shard < CM_SHARDS; shard++)
        bytes += cm_table_memory(&seen->tables[shard]);
    for (uint64_t serial = seen->first; serial < seen->end; serial++)
        bytes += segment_memory(*place_of(seen, serial));
    return seen->spare == NULL ? bytes : bytes + segment_memory(seen->spare);
}

/*
 * The conversion ids of the window: one that comes again is a duplicate. They are kept in segments
 * in the order of arrival, each of which is forgotten, a few ids at a time, once the stream's clock
 * is far enough past the segment's last arrival.
 *
 *     tables   hash -> serial of the segment, row; in shards, so that none takes long to grow
 *     segment  texts   size:2 tenant NUL id | size:2 tenant NUL id | ...
 *              places  where each begins
 */
#ifndef CM_STREAM_SEEN_IDS_H
#define CM_STREAM_SEEN_IDS_H

#include "index/shards.h"
#include "util/buffer.h"
#include "util/table.h"

#ifndef CM_SEEN_SEGMENT_BITS /* as CM_SEGMENT_BITS */
#define CM_SEEN_SEGMENT_BITS 14
#endif
#define CM_SEEN_SEGMENT_IDS (1u << CM_SEEN_SEGMENT_BITS)

typedef struct cm_seen_segment {
    cm_buffer texts;
    uint32_t count;
    int64_t last_us; /* the clock when its last id came */
    uint32_t places[CM_SEEN_SEGMENT_IDS];
} cm_seen_segment;

/** Made by cm_seen_ids_init. One thread. */
typedef struct cm_seen_ids {
    uint64_t seed;
    cm_table tables[CM_SHARDS];
    cm_seen_segment **segments; /* a ring, by serial */
    size_t capacity;            /* a power of two */
    cm_seen_segment *spare;     /* one that was forgotten, with its memory; NULL: none */
    uint64_t first, end;        /* serials of the segments that are there: first <= s < end */
    uint32_t forgotten;         /* rows of the first one that the table knows no more */
    uint64_t count;             /* ids known */
} cm_seen_ids;

void cm_seen_ids_init(cm_seen_ids *seen, uint64_t seed);
void cm_seen_ids_destroy(cm_seen_ids *seen);

/**
 * Note an id.
 *
 * @param clock_us  the stream's time now
 * @param is_new    receives false where it is known already
 * @return CM_OK, CM_ERROR_MEMORY or CM_ERROR_CAPACITY
 */
cm_status cm_seen_ids_add(cm_seen_ids *seen, cm_slice tenant_id, cm_slice conversion_id,
                          int64_t clock_us, bool *is_new, cm_error *error);

/** Forget at most `budget` ids of segments whose last id came at or before a time. */
void cm_seen_ids_forget(cm_seen_ids *seen, int64_t until_us, size_t budget);

/** A segment that is there. */
static inline const cm_seen_segment *cm_seen_ids_at(const cm_seen_ids *seen, uint64_t serial)
{
    return seen->segments[serial & (seen->capacity - 1)];
}

/**
 * Bring a segment back: those of a stream come in order, into empty ids.
 *
 * @param serial     of the segment
 * @param texts      as in a segment's texts; checked
 * @param forgotten  rows that are known no more: other than 0 only in the first segment
 * @return CM_OK, CM_ERROR_FORMAT (what it is not) or CM_ERROR_MEMORY
 */
cm_status cm_seen_ids_restore(cm_seen_ids *seen, uint64_t serial, int64_t last_us, cm_slice texts,
                              uint32_t forgotten, cm_error *error);

/** Bytes allocated. */
size_t cm_seen_ids_memory(const cm_seen_ids *seen);

#endif

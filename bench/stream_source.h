/* The endless events of a world, as bytes to be sent. */
#ifndef STREAM_SOURCE_H
#define STREAM_SOURCE_H

#include "stream_world.h"

#define STREAM_SEQ_FIRST UINT64_C(1000000000) /* of so many digits as all that come */
#define STREAM_DATES_MAX 512
#define STREAM_CHUNK ((size_t)64 << 10) /* bytes that are made and written together */

/** Zero-initialised, then stream_source_init. */
typedef struct stream_source {
    const stream_world *world; /* borrowed */
    const char *at;            /* the head of the next line */
    uint64_t turn;
    uint64_t seq; /* of the next event */
    char seq_digits[STREAM_SEQ_DIGITS];
    char dates[STREAM_DATES_MAX][12]; /* of this turn, by the day of the first */
} stream_source;

/** A run of events. Zero-initialised is empty. */
typedef struct stream_chunk {
    char bytes[STREAM_CHUNK];
    size_t at, size; /* what is before `at` is sent */
    uint64_t events;
    uint64_t conversions;
    uint64_t conversion_seqs[STREAM_CHUNK / 128]; /* no line is that short */
} stream_chunk;

/** Begin with the first turn. The world is borrowed for good. */
void stream_source_init(stream_source *source, const stream_world *world);

/** Make the next events: at most so many, and as many as a chunk has room for. */
void stream_source_fill(stream_source *source, stream_chunk *chunk, uint64_t events_max);

/** Event time that has passed since the first, in days, as if events came evenly. */
double stream_source_days(const stream_source *source);

#endif

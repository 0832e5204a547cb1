/*
 * A world of clicks and conversions that comes back for ever.
 *
 * The simulator makes as many days as the matcher keeps clicks, and one more; the first, in which
 * there is too little to convert after, is left out. What is left is one turn: exactly the clicks
 * that a window holds. Turn after turn is sent with its dates shifted by the days of a turn and its
 * ids made new, so that at any time the window holds one turn's clicks, by the same people, of
 * whom conversions find as many as in the simulator's world.
 *
 * Lines are NDJSON as `simulate --format ndjson` writes them, merged by time, with a "seq" after
 * the "event". What changes stands at known places and has a fixed width: a turn costs little more
 * than copying.
 */
#ifndef STREAM_WORLD_H
#define STREAM_WORLD_H

#include <stdbool.h>

#include "util/buffer.h"

#define STREAM_SEQ_DIGITS 10
#define STREAM_LINE_MAX 4096 /* bytes */
#define STREAM_PATCHES 2     /* of a kind in a line, at most */
#define STREAM_OWN_EXPIRY_DAYS 31

/** Where in a line something changes, and what stands there in the first turn. At 0: nowhere. */
typedef struct stream_patch {
    uint16_t at, value;
} stream_patch;

/** A line's head in the tape; the line itself follows. */
typedef struct stream_line {
    uint16_t size;   /* of the line, its end included */
    uint16_t stride; /* from this head to the next */
    uint16_t seq_at;
    bool is_conversion;
    stream_patch dates[STREAM_PATCHES];  /* days since the simulator's first */
    stream_patch ids[STREAM_PATCHES];    /* four hexadecimal digits */
    stream_patch tokens[STREAM_PATCHES]; /* two characters of base64: fbclid, gclid */
} stream_line;

typedef struct stream_world_sizes {
    uint64_t seed;
    uint64_t active; /* clicks of a turn */
    uint64_t clicks_per_conversion;
    uint32_t turn_days;
    unsigned threads; /* that make it */
} stream_world_sizes;

/** A turn. Zero-initialised is empty. */
typedef struct stream_world {
    cm_buffer tape; /* lines in order of time, each after its head */
    uint32_t turn_days;
    int64_t start_day; /* the simulator's first, since 1970 */
    uint64_t clicks, conversions;
    uint64_t text_bytes; /* of all lines */
} stream_world;

/** Make a turn; ends the program where that fails. */
void stream_world_make(stream_world *world, const stream_world_sizes *sizes);

void stream_world_destroy(stream_world *world);

#endif

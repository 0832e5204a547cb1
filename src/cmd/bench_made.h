/*
 * Worlds that `simulate` does not make: records, each a function of its number, in which one thing
 * is held constant or driven to an extreme. A device has four clicks on average and shares its
 * address with three others, however many clicks there are, so that the candidates of a conversion
 * do not grow with them.
 */
#ifndef CM_CMD_BENCH_MADE_H
#define CM_CMD_BENCH_MADE_H

#include "cmd/bench_ids.h"
#include "util/arena.h"

/** What is driven to an extreme. */
typedef enum cm_bench_hot {
    CM_BENCH_HOT_NOTHING,
    CM_BENCH_HOT_ADDRESS,     /* all clicks come from one address */
    CM_BENCH_HOT_FINGERPRINT, /* all clicks have one fingerprint */
    CM_BENCH_HOT_COUNT
} cm_bench_hot;

/** Which world. Zero-initialised but for the count: ids of 17 bytes, one tenant, in time order. */
typedef struct cm_bench_made {
    uint64_t seed;
    uint64_t click_count;
    unsigned tenants; /* 0 counts as 1 */
    cm_bench_hot hot;
    const cm_bench_ids *ids; /* borrowed; NULL: random ids of 17 bytes */
    cm_bench_id_family family;
    const uint32_t *order; /* borrowed; in which order the clicks come; NULL: in that of time */
} cm_bench_made;

/**
 * Add all clicks of a world to an engine, in one thread.
 *
 * @param core_seconds  receives what adding took, without making them
 */
cm_status cm_bench_made_load(const cm_bench_made *made, cm_engine *engine, double *core_seconds,
                             cm_error *error);

/**
 * Make conversions: half of them by a click id, three tenths by fingerprint, a tenth by address, a
 * tenth of strangers; where something is hot, all by that; where ids are given, all by those.
 *
 * @param count        conversions to make
 * @param arena        receives their texts
 * @param conversions  receives them; room for count
 */
cm_status cm_bench_made_conversions(const cm_bench_made *made, size_t count, cm_arena *arena,
                                    cm_conversion *conversions, cm_error *error);

/** Numbers 0 to count - 1 in an order that depends on the seed. Freed with free; NULL when memory
 * is short. */
uint32_t *cm_bench_made_shuffle(uint64_t seed, uint32_t count);

#endif

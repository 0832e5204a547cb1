/*
 * The simulated world of a bench, in memory: made by src/sim as `simulate` makes it, loaded by the
 * pipeline as `match` loads it. Sections share it; each part is made when first asked for.
 */
#ifndef CM_CMD_BENCH_WORLD_H
#define CM_CMD_BENCH_WORLD_H

#include "sim/sim.h"
#include "util/arena.h"
#include "util/buffer.h"

/** What loading once took. */
typedef struct cm_bench_load_times {
    double seconds;
    double core_seconds; /* of all threads */
} cm_bench_load_times;

/** Zero-initialised is empty. */
typedef struct cm_bench_world {
    cm_buffer clicks;         /* CSV; empty again when it is no longer needed */
    cm_buffer conversion_csv; /* what the conversions point into */
    cm_arena arena;           /* likewise */
    cm_conversion *conversions;
    size_t conversion_count, conversion_capacity;
    cm_engine *engine;   /* with all clicks loaded */
    uint64_t *minutes;   /* clicks of each minute of the world and those before */
    size_t minute_count; /* 0 until the clicks are made */
    int64_t start_us;
    size_t click_id_bytes;  /* of all clicks */
    uint64_t resident_grew; /* resident memory that the first load of an engine added */
} cm_bench_world;

struct cm_bench;

/** Make sure that there are clicks as CSV. */
cm_status cm_bench_world_clicks(struct cm_bench *bench, cm_error *error);

/** Make sure that there are conversions as records. */
cm_status cm_bench_world_conversions(struct cm_bench *bench, cm_error *error);

/** Make sure that there is a loaded engine. Drops the clicks' CSV. */
cm_status cm_bench_world_engine(struct cm_bench *bench, cm_error *error);

/**
 * Load the clicks into a new engine.
 *
 * @param model   as cm_bench_engine_create_of has it
 * @param engine  receives it; the caller frees it
 * @param times   receives what it took
 */
cm_status cm_bench_world_load(struct cm_bench *bench, const char *model, unsigned threads,
                              cm_engine **engine, cm_bench_load_times *times, cm_error *error);

/** Of all clicks, the share that a conversion has in the seven days before it, on average. */
double cm_bench_world_active_share(const cm_bench_world *world);

void cm_bench_world_destroy(cm_bench_world *world);

#endif

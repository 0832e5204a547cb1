/*
 * The databases that section batch measures on: the platform's tables as found with a simulated
 * world, migrated; the same optimized; and a copy of one of them for each measurement.
 */
#ifndef CM_CMD_BENCH_BASE_H
#define CM_CMD_BENCH_BASE_H

#include "cmd/batch_run.h"
#include "cmd/bench.h"
#include "pg/pg_scratch.h"

/** Zero-initialised is none. */
typedef struct cm_bench_base {
    cm_bench *bench;
    cm_pg_scratch scratch;
    int64_t from_us, to_us; /* the world's time */
    cm_buffer results;      /* of a run of `batch`, for the floor to write */
} cm_bench_base;

/** Was a server given? */
bool cm_bench_base_is_given(const cm_settings *settings);

/** Connect, and see that databases may be made. Nothing is left on the server. */
cm_status cm_bench_base_check(const cm_settings *settings, cm_error *error);

/** Make the databases, and results for the floor. Freed with cm_bench_base_drop, after a failure,
 * too. */
cm_status cm_bench_base_make(cm_bench *bench, cm_bench_base *base, cm_error *error);

/** Connect to one of them. */
cm_status cm_bench_base_open(const cm_bench_base *base, cm_pg_scratch_part part, cm_pg *pg,
                             cm_error *error);

/** Run `batch` over all conversions of the copy. */
cm_status cm_bench_base_run(const cm_bench_base *base, cm_batch_report *report, cm_error *error);

/** Drop the databases, whatever came before. */
cm_status cm_bench_base_drop(cm_bench_base *base, cm_error *error);

#endif

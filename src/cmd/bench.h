/*
 * `bench`: what its sections share. A section is a function in a file of its own, bench_NAME.c, and
 * a row in the table of bench_sections.c; it notes what it measures in the record.
 */
#ifndef CM_CMD_BENCH_H
#define CM_CMD_BENCH_H

#include "cmd/bench_record.h"
#include "cmd/bench_world.h"
#include "cmd/log.h"
#include "cmd/options.h"

/** How much of what. */
typedef struct cm_bench_sizes {
    uint64_t seed;
    uint64_t clicks, conversions; /* of the simulated world */
    uint32_t days;                /* that it spans */
    unsigned threads;             /* "all threads" */
    unsigned repetitions;
    uint64_t rate;                            /* conversions a second, one at a time */
    uint64_t scale_max;                       /* clicks of the largest world of records */
    uint64_t scale_match;                     /* conversions against each */
    uint64_t hot_clicks;                      /* on one key; at most CM_BENCH_IDS_MAX */
    uint64_t hot_match;                       /* conversions, one at a time */
    uint64_t batch_clicks, batch_conversions; /* of the world in PostgreSQL */
    uint32_t batch_days;
    bool is_quick; /* a run that shows that all works, and measures nothing */
} cm_bench_sizes;

typedef struct cm_bench {
    const cm_settings *settings;
    cm_log *log;
    cm_bench_sizes sizes;
    cm_bench_record record;
    cm_bench_world world; /* made when a section first needs it */
} cm_bench;

/** One section. Interrupts are looked for between repetitions. */
typedef struct cm_bench_section {
    const char *name;
    bool needs_world;  /* the simulated one */
    bool needs_server; /* PostgreSQL: left out where none is given */
    cm_status (*run)(cm_bench *bench, cm_error *error);
} cm_bench_section;

extern const cm_bench_section cm_bench_sections[];
extern const size_t cm_bench_section_count;

/** CM_ERROR_INTERRUPTED, or CM_OK. To be asked before each repetition. */
cm_status cm_bench_go_on(cm_error *error);

/** "1 thread", "2 threads": the case of a figure. Returns room. */
const char *cm_bench_threads_text(unsigned threads, char room[CM_BENCH_CASE_BYTES]);

cm_status cm_bench_load(cm_bench *bench, cm_error *error);
cm_status cm_bench_match(cm_bench *bench, cm_error *error);
cm_status cm_bench_models(cm_bench *bench, cm_error *error);
cm_status cm_bench_memory(cm_bench *bench, cm_error *error);
cm_status cm_bench_restore(cm_bench *bench, cm_error *error);
cm_status cm_bench_latency(cm_bench *bench, cm_error *error);
cm_status cm_bench_scaling(cm_bench *bench, cm_error *error);
cm_status cm_bench_hot_keys(cm_bench *bench, cm_error *error);
cm_status cm_bench_crafted(cm_bench *bench, cm_error *error);
cm_status cm_bench_slide(cm_bench *bench, cm_error *error);
cm_status cm_bench_batch(cm_bench *bench, cm_error *error);

#endif

/* Section scaling: ever more clicks, while the candidates of a conversion stay as many. */
#include <stdio.h>
#include <stdlib.h>

#include "cmd/bench.h"
#include "cmd/bench_engine.h"
#include "cmd/bench_machine.h"
#include "cmd/bench_made.h"
#include "cmd/bench_pass.h"
#include "cmd/progress.h"
#include "util/error.h"

#define FIRST_SIZE UINT64_C(1000000)
#define TENANTS 5
#define CANDIDATES_TOLD_OF 20000 /* conversions whose candidates are counted */
#define CLICK_BYTES_FIRST 300    /* expected before the first size has shown it */
#define GROWTH_ROOM 1.6          /* tables move while they grow */

static const cm_bench_measure CORE = {"core time per conversion", "ns", CM_BENCH_LESS};
static const cm_bench_measure TIMES = {"core time, times the first", "x", CM_BENCH_LESS};
static const cm_bench_measure CANDIDATES = {"candidates per conversion", "clicks",
                                            CM_BENCH_NEITHER};
static const cm_bench_measure LOAD = {"core time to add a click", "ns", CM_BENCH_LESS};
static const cm_bench_measure BYTES = {"bytes per click", "bytes", CM_BENCH_LESS};

struct scaling {
    cm_bench *bench;
    cm_bench_made made; /* of the size under way */
    cm_engine *engine;
    cm_arena arena;
    cm_conversion *conversions;
    size_t count;
    double first_ns;    /* median of the first size; 0 before */
    double click_bytes; /* of the last size */
};

static cm_status load(struct scaling *scaling, const char *of, cm_error *error)
{
    cm_bench_record *record = &scaling->bench->record;
    double core_seconds;
    cm_status status = cm_bench_engine_create(scaling->made.seed, &scaling->engine, error);
    if (status == CM_OK)
        status = cm_bench_made_load(&scaling->made, scaling->engine, &core_seconds, error);
    if (status != CM_OK)
        return status;
    double clicks = (double)cm_engine_click_count(scaling->engine);
    scaling->click_bytes = (double)cm_engine_memory(scaling->engine) / clicks;
    cm_bench_note(record, of, &LOAD, core_seconds / clicks * 1e9);
    cm_bench_note(record, of, &BYTES, scaling->click_bytes);
    return CM_OK;
}

static cm_status count_candidates(struct scaling *scaling, const char *of, cm_error *error)
{
    size_t count = scaling->count < CANDIDATES_TOLD_OF ? scaling->count : CANDIDATES_TOLD_OF;
    double mean;
    cm_status status =
        cm_bench_candidates_mean(scaling->engine, scaling->conversions, count, &mean, error);
    if (status == CM_OK)
        cm_bench_note(&scaling->bench->record, of, &CANDIDATES, mean);
    return status;
}

static cm_status match(struct scaling *scaling, const char *of, cm_error *error)
{
    const cm_bench *bench = scaling->bench;
    double *values = calloc(bench->sizes.repetitions, sizeof *values);
    cm_bench_pass_times times;
    cm_status status = CM_OK;
    if (values == NULL)
        return cm_error_memory(error, "figures", bench->sizes.repetitions * sizeof *values);
    for (unsigned i = 0; i < bench->sizes.repetitions && status == CM_OK; i++) {
        status = cm_bench_pass(scaling->engine, scaling->conversions, scaling->count, 1, NULL,
                               &times, error);
        if (status == CM_OK) {
            values[i] = times.core_seconds / (double)scaling->count * 1e9;
            cm_bench_note(&scaling->bench->record, of, &CORE, values[i]);
        }
    }
    double median = cm_bench_spread_of(values, bench->sizes.repetitions).median;
    free(values);
    if (status != CM_OK)
        return status;
    if (scaling->first_ns > 0)
        cm_bench_note(&scaling->bench->record, of, &TIMES, median / scaling->first_ns);
    else
        scaling->first_ns = median;
    return CM_OK;
}

static cm_status run_size(struct scaling *scaling, uint64_t clicks, cm_error *error)
{
    char of[CM_BENCH_CASE_BYTES];
    char room[CM_COUNT_BYTES];
    snprintf(of, sizeof of, "%s clicks", cm_count_text(clicks, room));
    scaling->made.click_count = clicks;
    cm_arena_reset(&scaling->arena);
    cm_status status = cm_bench_made_conversions(&scaling->made, scaling->count, &scaling->arena,
                                                 scaling->conversions, error);
    if (status == CM_OK)
        status = load(scaling, of, error);
    if (status == CM_OK)
        status = count_candidates(scaling, of, error);
    if (status == CM_OK)
        status = match(scaling, of, error);
    cm_engine_destroy(scaling->engine);
    scaling->engine = NULL;
    return status;
}

/* Says so where it does not. */
static bool fits(struct scaling *scaling, uint64_t clicks)
{
    const double gib = 1 << 30;
    double needed = (double)clicks * scaling->click_bytes * GROWTH_ROOM;
    uint64_t at_hand = cm_bench_memory_at_hand();
    if (at_hand == 0 || needed < (double)at_hand)
        return true;
    cm_bench_say(&scaling->bench->record,
                 "%llu clicks and more are left out: they may take %.1f GiB, %.1f are at hand",
                 (unsigned long long)clicks, needed / gib, (double)at_hand / gib);
    return false;
}

/* 1, 2, 5, 10, 20, 50 million and so on. */
static cm_status run_sizes(struct scaling *scaling, cm_error *error)
{
    static const uint64_t steps[] = {1, 2, 5};
    uint64_t max = scaling->bench->sizes.scale_max;
    uint64_t unit = FIRST_SIZE;
    while (unit > max / 4 && unit > 1)
        unit /= 10;
    for (;; unit *= 10)
        for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
            uint64_t clicks = steps[i] * unit;
            if (clicks > max || !fits(scaling, clicks))
                return CM_OK;
            cm_status status = run_size(scaling, clicks, error);
            if (status != CM_OK)
                return status;
        }
}

cm_status cm_bench_scaling(cm_bench *bench, cm_error *error)
{
    struct scaling scaling = {
        .bench = bench,
        .made = {.seed = bench->sizes.seed, .tenants = TENANTS},
        .count = bench->sizes.scale_match,
        .click_bytes = CLICK_BYTES_FIRST,
    };
    scaling.conversions = calloc(scaling.count, sizeof *scaling.conversions);
    if (scaling.conversions == NULL)
        return cm_error_memory(error, "conversions", scaling.count * sizeof *scaling.conversions);
    cm_bench_say(&bench->record,
                 "%zu conversions for each size, one thread; four clicks a device, four devices an "
                 "address, click ids of 17 bytes",
                 scaling.count);
    cm_status status = run_sizes(&scaling, error);
    cm_arena_destroy(&scaling.arena);
    free(scaling.conversions);
    return status;
}

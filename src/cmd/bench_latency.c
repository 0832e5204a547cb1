/*
 * Section latency: one conversion at a time, at a fixed rate, whether or not the one before is done
 * (an open loop). A conversion's time counts from when it should have begun, so that whoever waits
 * behind a slow one counts, too. The same loop with nothing to do shows what the machine itself
 * adds: interrupts, other programs, a clock that must be read.
 */
#include <stdlib.h>

#include "cmd/bench.h"
#include "cmd/bench_engine.h"
#include "cmd/bench_machine.h"
#include "cmd/clock.h"
#include "util/error.h"
#include "util/histogram.h"

#define NS_A_SECOND UINT64_C(1000000000)
#define LEAD_NS UINT64_C(1000000) /* from the start of a loop to its first conversion */
#define WARM_UP_SHARE 10          /* one in so many conversions goes before, uncounted */

static const cm_bench_measure QUANTILES[] = {
    {"p50", "us", CM_BENCH_LESS},   {"p90", "us", CM_BENCH_LESS}, {"p99", "us", CM_BENCH_LESS},
    {"p99.9", "us", CM_BENCH_LESS}, {"max", "us", CM_BENCH_LESS},
};
static const double SHARES[] = {0.5, 0.9, 0.99, 0.999, 1};
#define QUANTILE_COUNT (sizeof SHARES / sizeof *SHARES)
static const cm_bench_measure COUNT = {"conversions timed", "conv", CM_BENCH_NEITHER};
static const cm_bench_measure HEAP = {"heap grew", "bytes", CM_BENCH_LESS};
static const cm_bench_measure RATE = {"rate held", "conv/s", CM_BENCH_MORE};

struct latency {
    cm_matcher *matcher; /* NULL: nothing is done */
    const cm_conversion *conversions;
    size_t count;
    uint64_t rate;
    double seconds;                        /* of the last loop */
    cm_histogram methods[CM_METHOD_COUNT]; /* from the intended start */
    cm_histogram all, service;             /* service: from the real start */
};

static uint64_t wait_until(uint64_t intended)
{
    uint64_t now = cm_clock_ns();
    while (now < intended)
        now = cm_clock_ns();
    return now;
}

/* Match one conversion when its time has come, and count how long that took. */
static cm_status run_one(struct latency *latency, size_t i, uint64_t intended, cm_error *error)
{
    cm_result result = {.method = CM_METHOD_UNATTRIBUTED};
    cm_status status = CM_OK;
    uint64_t began = wait_until(intended);
    if (latency->matcher != NULL)
        status =
            cm_bench_matcher_run(latency->matcher, &latency->conversions[i], 1, &result, error);
    uint64_t ended = cm_clock_ns();
    cm_histogram_record(&latency->all, ended - intended);
    cm_histogram_record(&latency->service, ended - began);
    cm_histogram_record(&latency->methods[result.method], ended - intended);
    return status;
}

static cm_status run_loop(struct latency *latency, size_t count, cm_error *error)
{
    cm_status status = CM_OK;
    uint64_t start = cm_clock_ns() + LEAD_NS;
    for (int i = 0; i < CM_METHOD_COUNT; i++)
        latency->methods[i] = (cm_histogram){0};
    latency->all = latency->service = (cm_histogram){0};
    for (size_t i = 0; i < count && status == CM_OK; i++) {
        uint64_t since =
            i / latency->rate * NS_A_SECOND + i % latency->rate * NS_A_SECOND / latency->rate;
        if (i % latency->rate == 0)
            status = cm_bench_go_on(error);
        if (status == CM_OK)
            status = run_one(latency, i, start + since, error);
    }
    latency->seconds = (double)(cm_clock_ns() - start) / (double)NS_A_SECOND;
    return status;
}

static void note_quantiles(cm_bench *bench, const char *of, const cm_histogram *histogram)
{
    if (histogram->total == 0)
        return;
    for (size_t i = 0; i < QUANTILE_COUNT; i++)
        cm_bench_note(&bench->record, of, &QUANTILES[i],
                      (double)cm_histogram_quantile(histogram, SHARES[i]) / 1000);
}

static void note_loop(cm_bench *bench, const struct latency *latency, uint64_t heap_grew)
{
    note_quantiles(bench, "all", &latency->all);
    for (int i = 0; i < CM_METHOD_COUNT; i++) {
        const cm_histogram *histogram = &latency->methods[i];
        note_quantiles(bench, cm_method_name((cm_method)i), histogram);
        if (histogram->total > 0)
            cm_bench_note(&bench->record, cm_method_name((cm_method)i), &COUNT,
                          (double)histogram->total);
    }
    note_quantiles(bench, "all, from the real start", &latency->service);
    cm_bench_note(&bench->record, "all", &COUNT, (double)latency->all.total);
    cm_bench_note(&bench->record, "all", &RATE, (double)latency->all.total / latency->seconds);
    cm_bench_note(&bench->record, "all", &HEAP, (double)heap_grew);
}

static cm_status repeat(cm_bench *bench, struct latency *latency, cm_error *error)
{
    cm_matcher *matcher = latency->matcher;
    cm_status status = run_loop(latency, latency->count / WARM_UP_SHARE, error);
    for (unsigned i = 0; i < bench->sizes.repetitions && status == CM_OK; i++) {
        uint64_t heap = cm_bench_heap();
        status = run_loop(latency, latency->count, error);
        uint64_t heap_after = cm_bench_heap();
        if (status == CM_OK)
            note_loop(bench, latency, heap_after > heap ? heap_after - heap : 0);
        latency->matcher = NULL;
        if (status == CM_OK)
            status = run_loop(latency, latency->count / WARM_UP_SHARE, error);
        latency->matcher = matcher;
        if (status == CM_OK)
            note_quantiles(bench, "nothing to do", &latency->all);
    }
    return status;
}

cm_status cm_bench_latency(cm_bench *bench, cm_error *error)
{
    cm_status status = cm_bench_world_engine(bench, error);
    if (status == CM_OK)
        status = cm_bench_world_conversions(bench, error);
    if (status != CM_OK)
        return status;
    struct latency *latency = calloc(1, sizeof *latency);
    if (latency == NULL)
        return cm_error_memory(error, "histograms", sizeof *latency);
    latency->conversions = bench->world.conversions;
    latency->count = bench->world.conversion_count;
    latency->rate = bench->sizes.rate;
    cm_bench_say(&bench->record,
                 "%zu conversions, %llu a second, one at a time, against %zu clicks; from the "
                 "intended start",
                 latency->count, (unsigned long long)latency->rate,
                 cm_engine_click_count(bench->world.engine));
    status = cm_matcher_create(bench->world.engine, &latency->matcher, error);
    if (status == CM_OK)
        status = repeat(bench, latency, error);
    cm_matcher_destroy(latency->matcher);
    free(latency);
    return status;
}

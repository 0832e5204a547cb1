/*
 * Section hot: what one key with very many clicks costs, against a plain world of as many clicks;
 * in time order and in random order, and against a quarter of the clicks, so that it shows where
 * loading is not linear.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cmd/bench.h"
#include "cmd/bench_engine.h"
#include "cmd/bench_made.h"
#include "cmd/clock.h"
#include "util/error.h"
#include "util/histogram.h"

static const cm_bench_measure LOAD = {"core time to add a click", "ns", CM_BENCH_LESS};
static const cm_bench_measure LOAD_TIMES = {"adding, times plain", "x", CM_BENCH_LESS};
static const cm_bench_measure GROWTH = {"adding, times a quarter's", "x", CM_BENCH_LESS};
static const cm_bench_measure P50 = {"one conversion, p50", "us", CM_BENCH_LESS};
static const cm_bench_measure P99 = {"one conversion, p99", "us", CM_BENCH_LESS};
static const cm_bench_measure MAX = {"one conversion, max", "us", CM_BENCH_LESS};
static const cm_bench_measure WORST = {"max of the best of 3", "us", CM_BENCH_LESS};
#define PASSES 3

static const char *const HOT_NAMES[CM_BENCH_HOT_COUNT] = {"plain", "one address",
                                                          "one fingerprint"};
#define ORDER_COUNT 2
static const char *const ORDER_NAMES[ORDER_COUNT] = {"in order", "shuffled"};

struct hot {
    cm_bench *bench;
    uint32_t *shuffled[2]; /* of all clicks, of a quarter of them */
    cm_arena arena;
    cm_conversion *conversions;
    cm_histogram times;           /* of all passes */
    uint32_t *best_ns;            /* of each conversion */
    uint64_t worst_ns;            /* of those */
    double plain_ns[ORDER_COUNT]; /* to add a click, in this repetition */
};

static cm_status time_one(struct hot *hot, cm_matcher *matcher, size_t i, cm_error *error)
{
    cm_result result;
    uint64_t began = cm_clock_ns();
    cm_status status = cm_bench_matcher_run(matcher, &hot->conversions[i], 1, &result, error);
    uint64_t ns = cm_clock_ns() - began;
    cm_histogram_record(&hot->times, ns);
    if (ns < hot->best_ns[i])
        hot->best_ns[i] = (uint32_t)ns;
    return status;
}

/* A pause of the machine hits a conversion once, what is slow is slow in each pass. */
static cm_status time_one_by_one(struct hot *hot, const cm_engine *engine, cm_error *error)
{
    cm_matcher *matcher;
    size_t count = hot->bench->sizes.hot_match;
    cm_status status = cm_matcher_create(engine, &matcher, error);
    hot->times = (cm_histogram){0};
    hot->worst_ns = 0;
    memset(hot->best_ns, 0xff, count * sizeof *hot->best_ns);
    for (size_t i = 0; i < PASSES * count && status == CM_OK; i++)
        status = time_one(hot, matcher, i % count, error);
    for (size_t i = 0; i < count; i++)
        hot->worst_ns = hot->best_ns[i] > hot->worst_ns ? hot->best_ns[i] : hot->worst_ns;
    if (status == CM_OK)
        status = cm_bench_go_on(error);
    cm_matcher_destroy(matcher);
    return status;
}

static cm_status load(const struct hot *hot, const cm_bench_made *made, cm_engine **engine,
                      double *ns, cm_error *error)
{
    double core_seconds;
    cm_status status = cm_bench_engine_create(hot->bench->sizes.seed, engine, error);
    if (status == CM_OK)
        status = cm_bench_made_load(made, *engine, &core_seconds, error);
    if (status == CM_OK)
        *ns = core_seconds / (double)made->click_count * 1e9;
    return status;
}

static void note(struct hot *hot, const cm_bench_made *made, double ns, double quarter_ns)
{
    cm_bench_record *record = &hot->bench->record;
    char of[CM_BENCH_CASE_BYTES];
    size_t order = made->order == NULL ? 0 : 1;
    snprintf(of, sizeof of, "%s, %s", HOT_NAMES[made->hot], ORDER_NAMES[order]);
    if (made->hot == CM_BENCH_HOT_NOTHING)
        hot->plain_ns[order] = ns;
    cm_bench_note(record, of, &LOAD, ns);
    if (made->hot != CM_BENCH_HOT_NOTHING)
        cm_bench_note(record, of, &LOAD_TIMES, ns / hot->plain_ns[order]);
    cm_bench_note(record, of, &GROWTH, ns / quarter_ns);
    cm_bench_note(record, of, &P50, (double)cm_histogram_quantile(&hot->times, 0.5) / 1000);
    cm_bench_note(record, of, &P99, (double)cm_histogram_quantile(&hot->times, 0.99) / 1000);
    cm_bench_note(record, of, &MAX, (double)hot->times.max / 1000);
    cm_bench_note(record, of, &WORST, (double)hot->worst_ns / 1000);
}

static cm_status run_quarter(const struct hot *hot, cm_bench_made made, double *ns, cm_error *error)
{
    cm_engine *engine = NULL;
    made.click_count /= 4;
    made.order = made.order == NULL ? NULL : hot->shuffled[1];
    cm_status status = load(hot, &made, &engine, ns, error);
    cm_engine_destroy(engine);
    return status;
}

static cm_status run_case(struct hot *hot, const cm_bench_made *made, cm_error *error)
{
    cm_engine *engine = NULL;
    double ns;
    double quarter_ns;
    cm_arena_reset(&hot->arena);
    cm_status status = run_quarter(hot, *made, &quarter_ns, error);
    if (status == CM_OK)
        status = load(hot, made, &engine, &ns, error);
    if (status == CM_OK)
        status = cm_bench_made_conversions(made, hot->bench->sizes.hot_match, &hot->arena,
                                           hot->conversions, error);
    if (status == CM_OK)
        status = time_one_by_one(hot, engine, error);
    if (status == CM_OK)
        note(hot, made, ns, quarter_ns);
    cm_engine_destroy(engine);
    return status;
}

static cm_status run_cases(struct hot *hot, cm_error *error)
{
    const cm_bench_sizes *sizes = &hot->bench->sizes;
    cm_status status = CM_OK;
    for (size_t order = 0; order < ORDER_COUNT; order++)
        for (int i = 0; i < CM_BENCH_HOT_COUNT && status == CM_OK; i++) {
            const cm_bench_made made = {
                .seed = sizes->seed,
                .click_count = sizes->hot_clicks,
                .hot = (cm_bench_hot)i,
                .order = order == 0 ? NULL : hot->shuffled[0],
            };
            status = run_case(hot, &made, error);
        }
    return status;
}

static cm_status prepare(struct hot *hot, cm_error *error)
{
    const cm_bench_sizes *sizes = &hot->bench->sizes;
    hot->conversions = calloc(sizes->hot_match, sizeof *hot->conversions);
    hot->best_ns = calloc(sizes->hot_match, sizeof *hot->best_ns);
    hot->shuffled[0] = cm_bench_made_shuffle(sizes->seed, (uint32_t)sizes->hot_clicks);
    hot->shuffled[1] = cm_bench_made_shuffle(sizes->seed, (uint32_t)(sizes->hot_clicks / 4));
    if (hot->conversions == NULL || hot->best_ns == NULL || hot->shuffled[0] == NULL ||
        hot->shuffled[1] == NULL)
        return cm_error_memory(error, "conversions", sizes->hot_match * sizeof *hot->conversions);
    return CM_OK;
}

cm_status cm_bench_hot_keys(cm_bench *bench, cm_error *error)
{
    struct hot *hot = calloc(1, sizeof *hot);
    if (hot == NULL)
        return cm_error_memory(error, "a histogram", sizeof *hot);
    hot->bench = bench;
    cm_bench_say(&bench->record, "%llu clicks, all on one key or none; %llu conversions by it",
                 (unsigned long long)bench->sizes.hot_clicks,
                 (unsigned long long)bench->sizes.hot_match);
    cm_status status = prepare(hot, error);
    for (unsigned i = 0; i < bench->sizes.repetitions && status == CM_OK; i++)
        status = run_cases(hot, error);
    cm_arena_destroy(&hot->arena);
    free(hot->conversions);
    free(hot->best_ns);
    free(hot->shuffled[0]);
    free(hot->shuffled[1]);
    free(hot);
    return status;
}

/* Section crafted: click ids that somebody made up to be slow, against random ones of the same
 * length. */
#include <stdlib.h>

#include "cmd/bench.h"
#include "cmd/bench_engine.h"
#include "cmd/bench_made.h"
#include "cmd/bench_pass.h"
#include "util/error.h"

static const cm_bench_measure LOAD = {"core time to add a click", "ns", CM_BENCH_LESS};
static const cm_bench_measure LOAD_TIMES = {"adding, times random", "x", CM_BENCH_LESS};
static const cm_bench_measure CORE = {"core time per conversion", "ns", CM_BENCH_LESS};
static const cm_bench_measure CORE_TIMES = {"matching, times random", "x", CM_BENCH_LESS};

static const char *const NAMES[CM_BENCH_ID_FAMILY_COUNT] = {
    "random", "numbers in sequence", "differ in low bits", "collide in XXH64"};

/* What one family took, in ns. */
struct cost {
    double load, match;
};

static cm_status match(const cm_bench_made *made, const cm_engine *engine, size_t count, double *ns,
                       cm_error *error)
{
    cm_arena arena = {0};
    cm_bench_pass_times times = {0};
    cm_conversion *conversions = calloc(count, sizeof *conversions);
    if (conversions == NULL)
        return cm_error_memory(error, "conversions", count * sizeof *conversions);
    cm_status status = cm_bench_made_conversions(made, count, &arena, conversions, error);
    if (status == CM_OK)
        status = cm_bench_pass(engine, conversions, count, 1, NULL, &times, error);
    *ns = times.core_seconds / (double)count * 1e9;
    cm_arena_destroy(&arena);
    free(conversions);
    return status;
}

static cm_status run_family(const cm_bench_made *made, size_t count, struct cost *cost,
                            cm_error *error)
{
    cm_engine *engine = NULL;
    double core_seconds = 0;
    cm_status status = cm_bench_engine_create(made->seed, &engine, error);
    if (status == CM_OK)
        status = cm_bench_made_load(made, engine, &core_seconds, error);
    cost->load = core_seconds / (double)made->click_count * 1e9;
    if (status == CM_OK)
        status = match(made, engine, count, &cost->match, error);
    cm_engine_destroy(engine);
    return status;
}

static void note(cm_bench *bench, cm_bench_id_family family, const struct cost *cost,
                 const struct cost *random)
{
    const char *of = NAMES[family];
    cm_bench_note(&bench->record, of, &LOAD, cost->load);
    cm_bench_note(&bench->record, of, &CORE, cost->match);
    if (family == CM_BENCH_IDS_RANDOM)
        return;
    cm_bench_note(&bench->record, of, &LOAD_TIMES, cost->load / random->load);
    cm_bench_note(&bench->record, of, &CORE_TIMES, cost->match / random->match);
}

/* Random ids go first; the others are compared with those of the same repetition. */
static cm_status run_families(cm_bench *bench, const cm_bench_ids *ids, cm_error *error)
{
    struct cost random = {0};
    for (int i = 0; i < CM_BENCH_ID_FAMILY_COUNT; i++) {
        struct cost cost = {0};
        const cm_bench_made made = {
            .seed = bench->sizes.seed,
            .click_count = bench->sizes.hot_clicks,
            .ids = ids,
            .family = (cm_bench_id_family)i,
        };
        cm_status status = run_family(&made, bench->sizes.scale_match, &cost, error);
        if (status != CM_OK)
            return status;
        if (made.family == CM_BENCH_IDS_RANDOM)
            random = cost;
        note(bench, made.family, &cost, &random);
    }
    return CM_OK;
}

cm_status cm_bench_crafted(cm_bench *bench, cm_error *error)
{
    cm_status status = CM_OK;
    cm_bench_ids *ids = malloc(sizeof *ids);
    if (ids == NULL)
        return cm_error_memory(error, "click ids", sizeof *ids);
    cm_bench_ids_init(ids, bench->sizes.seed);
    cm_bench_say(&bench->record, "%llu clicks with ids of %d bytes; %llu conversions by them",
                 (unsigned long long)bench->sizes.hot_clicks, CM_BENCH_ID_BYTES,
                 (unsigned long long)bench->sizes.scale_match);
    for (unsigned i = 0; i < bench->sizes.repetitions && status == CM_OK; i++)
        status = run_families(bench, ids, error);
    free(ids);
    return status;
}

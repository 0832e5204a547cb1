/* Section match: conversions in memory to results in memory, over all and by their outcome. */
#include <stdlib.h>

#include "cmd/bench.h"
#include "cmd/bench_engine.h"
#include "cmd/bench_pass.h"
#include "util/error.h"

static const cm_bench_measure CORE = {"core time per conversion", "ns", CM_BENCH_LESS};
static const cm_bench_measure RATE = {"conversions matched", "conv/s", CM_BENCH_MORE};
static const cm_bench_measure SHARE = {"share of conversions", "%", CM_BENCH_NEITHER};
static const cm_bench_measure CANDIDATES = {"candidates per conversion", "clicks",
                                            CM_BENCH_NEITHER};
static const cm_bench_measure PER_CANDIDATE = {"core time per candidate", "ns", CM_BENCH_LESS};

/* Conversions that are measured together. */
struct group {
    const char *of;
    cm_conversion *conversions;
    size_t count;
    double candidates; /* for each */
};

static cm_status time_group(cm_bench *bench, const struct group *group, unsigned threads,
                            cm_error *error)
{
    char of[CM_BENCH_CASE_BYTES];
    cm_bench_pass_times times;
    cm_status status = cm_bench_pass(bench->world.engine, group->conversions, group->count, threads,
                                     NULL, &times, error);
    if (status != CM_OK)
        return status;
    double core_ns = times.core_seconds / (double)group->count * 1e9;
    if (group->of == NULL)
        cm_bench_threads_text(threads, of);
    const char *name = group->of == NULL ? of : group->of;
    cm_bench_note(&bench->record, name, &CORE, core_ns);
    cm_bench_note(&bench->record, name, &RATE, (double)group->count / times.seconds);
    if (threads == 1 && group->candidates > 0)
        cm_bench_note(&bench->record, name, &PER_CANDIDATE, core_ns / group->candidates);
    return CM_OK;
}

/* The whole mix with one thread and with all, each group with one: in turn, so that a machine that
 * is busy for a while disturbs all of them alike. */
static cm_status time_groups(cm_bench *bench, const struct group *groups, size_t count,
                             cm_error *error)
{
    cm_status status = CM_OK;
    for (unsigned i = 0; i < bench->sizes.repetitions && status == CM_OK; i++) {
        for (size_t j = 0; j < count && status == CM_OK; j++)
            if (groups[j].count > 0)
                status = time_group(bench, &groups[j], 1, error);
        if (status == CM_OK && bench->sizes.threads > 1)
            status = time_group(bench, &groups[0], bench->sizes.threads, error);
    }
    return status;
}

static cm_status describe(cm_bench *bench, struct group *group, cm_error *error)
{
    cm_status status = cm_bench_candidates_mean(bench->world.engine, group->conversions,
                                                group->count, &group->candidates, error);
    const char *of = group->of == NULL ? "all" : group->of;
    double share = 100 * (double)group->count / (double)bench->world.conversion_count;
    if (status != CM_OK)
        return status;
    if (group->of != NULL)
        cm_bench_note(&bench->record, of, &SHARE, share);
    if (group->count > 0)
        cm_bench_note(&bench->record, of, &CANDIDATES, group->candidates);
    return CM_OK;
}

static cm_status make_group(const cm_bench *bench, const uint8_t *outcomes, cm_method method,
                            struct group *group, cm_error *error)
{
    const cm_bench_world *world = &bench->world;
    size_t count = 0;
    for (size_t i = 0; i < world->conversion_count; i++)
        count += outcomes[i] == method;
    group->of = cm_method_name(method);
    group->conversions = malloc((count + 1) * sizeof *group->conversions);
    if (group->conversions == NULL)
        return cm_error_memory(error, "conversions", count * sizeof *group->conversions);
    for (size_t i = 0; i < world->conversion_count; i++)
        if (outcomes[i] == method)
            group->conversions[group->count++] = world->conversions[i];
    return CM_OK;
}

/* The first group is all of them; then one for each method. */
static cm_status make_groups(cm_bench *bench, struct group *groups, cm_error *error)
{
    cm_bench_world *world = &bench->world;
    cm_bench_pass_times ignored;
    groups[0] = (struct group){.conversions = world->conversions, .count = world->conversion_count};
    uint8_t *outcomes = malloc(world->conversion_count);
    if (outcomes == NULL)
        return cm_error_memory(error, "outcomes", world->conversion_count);
    cm_status status = cm_bench_pass(world->engine, world->conversions, world->conversion_count,
                                     bench->sizes.threads, outcomes, &ignored, error);
    for (int i = 0; i < CM_METHOD_COUNT && status == CM_OK; i++)
        status = make_group(bench, outcomes, (cm_method)i, &groups[1 + i], error);
    free(outcomes);
    for (size_t i = 0; i < 1 + CM_METHOD_COUNT && status == CM_OK; i++)
        status = describe(bench, &groups[i], error);
    return status;
}

cm_status cm_bench_match(cm_bench *bench, cm_error *error)
{
    struct group groups[1 + CM_METHOD_COUNT] = {0};
    cm_status status = cm_bench_world_engine(bench, error);
    if (status == CM_OK)
        status = cm_bench_world_conversions(bench, error);
    if (status != CM_OK)
        return status;
    cm_bench_say(&bench->record,
                 "%zu conversions against %zu clicks; %.1f %% of the clicks are in the seven days "
                 "before a conversion",
                 bench->world.conversion_count, cm_engine_click_count(bench->world.engine),
                 100 * cm_bench_world_active_share(&bench->world));
    status = make_groups(bench, groups, error);
    if (status == CM_OK)
        status = time_groups(bench, groups, 1 + CM_METHOD_COUNT, error);
    for (size_t i = 1; i < 1 + CM_METHOD_COUNT; i++)
        free(groups[i].conversions);
    return status;
}

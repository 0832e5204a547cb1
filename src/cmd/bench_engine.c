#include "cmd/bench_engine.h"

#include <stdlib.h>

#include "engine/engine.h"
#include "util/error.h"
#include "util/hash.h"

struct cm_bench_matcher {
    const cm_engine *engine;
    cm_matcher matcher;
    uint32_t clicks[CM_MAX_CANDIDATES_LIMIT];
};

cm_status cm_bench_engine_create(uint64_t seed, cm_engine **engine, cm_error *error)
{
    const cm_options options = {.hash_seed = cm_hash_pair(seed, 1)};
    return cm_engine_create(&options, NULL, engine, error);
}

cm_status cm_bench_matcher_create(const cm_engine *engine, cm_bench_matcher **matcher,
                                  cm_error *error)
{
    *matcher = malloc(sizeof **matcher);
    if (*matcher == NULL)
        return cm_error_memory(error, "a matcher", sizeof **matcher);
    (*matcher)->engine = engine;
    cm_matcher_init(&(*matcher)->matcher, &engine->index, &engine->weights);
    return CM_OK;
}

void cm_bench_matcher_destroy(cm_bench_matcher *matcher)
{
    if (matcher != NULL)
        cm_matcher_destroy(&matcher->matcher);
    free(matcher);
}

cm_status cm_bench_matcher_run(cm_bench_matcher *matcher, const cm_conversion *conversions,
                               size_t count, cm_result *results, cm_error *error)
{
    return cm_matcher_run(&matcher->matcher, conversions, count, results, error);
}

static bool has_weighed(cm_layer_word word, cm_layer_word low)
{
    return word == CM_LAYER_SUCCESS || word == low;
}

/* Of one conversion, whose result says which layers have weighed any. */
static cm_status count_candidates(cm_bench_matcher *matcher, const cm_conversion *conversion,
                                  const cm_result *result, uint64_t *count, cm_error *error)
{
    const cm_click_index *index = &matcher->engine->index;
    const cm_model *model = matcher->engine->model;
    cm_query query = {.conversion = conversion, .t = conversion->conversion_timestamp};
    bool by_fingerprint = has_weighed(result->layers[1], CM_LAYER_LOW_CONFIDENCE);
    bool by_address = has_weighed(result->layers[2], CM_LAYER_LOW_PROBABILITY);
    *count = 0;
    if (!by_fingerprint && !by_address)
        return CM_OK;
    cm_arena_reset(&matcher->matcher.keys.arena);
    if (!cm_conversion_keys_make(&index->rules, conversion, &matcher->matcher.keys, &query.keys))
        return cm_error_memory(error, "the keys of a conversion", 0);
    cm_query_find_tenant(index, &query);
    cm_query_find_device(index, &query);
    if (by_fingerprint) {
        const cm_list_set set = {
            .lists = {&cm_fingerprint_group_at(&index->fingerprints, query.fingerprint)->list},
            .count = 1};
        *count += cm_recent_first(index, &set, query.t, model->window_us, model->max_candidates,
                                  matcher->clicks);
    }
    if (by_address)
        *count += cm_recent_first(index, &query.addresses, query.t, model->probabilistic_window_us,
                                  model->max_candidates, matcher->clicks);
    return CM_OK;
}

cm_status cm_bench_candidates_mean(const cm_engine *engine, const cm_conversion *conversions,
                                   size_t count, double *mean, cm_error *error)
{
    cm_bench_matcher *matcher;
    uint64_t sum = 0;
    cm_status status = cm_bench_matcher_create(engine, &matcher, error);
    if (status != CM_OK)
        return status;
    for (size_t i = 0; i < count && status == CM_OK; i++) {
        cm_result result;
        uint64_t candidates = 0;
        status = cm_bench_matcher_run(matcher, &conversions[i], 1, &result, error);
        if (status == CM_OK)
            status = count_candidates(matcher, &conversions[i], &result, &candidates, error);
        sum += candidates;
    }
    cm_bench_matcher_destroy(matcher);
    *mean = count == 0 ? 0 : (double)sum / (double)count;
    return status;
}

/* To be replaced by the engine's own account before this is relied on: one part, the total. */
size_t cm_engine_memory_parts(const cm_engine *engine, cm_memory_part *parts, size_t room)
{
    if (room > 0)
        parts[0] = (cm_memory_part){"all structures", cm_engine_memory(engine)};
    return 1;
}

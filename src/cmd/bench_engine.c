#include "cmd/bench_engine.h"

#include "engine/engine.h"
#include "util/hash.h"

cm_status cm_bench_engine_create(uint64_t seed, cm_engine **engine, cm_error *error)
{
    const cm_options options = {.hash_seed = cm_hash_pair(seed, 1)};
    return cm_engine_create(&options, NULL, engine, error);
}

cm_status cm_bench_matcher_run(cm_matcher *matcher, const cm_conversion *conversions, size_t count,
                               cm_result *results, cm_error *error)
{
    return cm_matcher_run(matcher, conversions, count, results, error);
}

cm_status cm_bench_candidates_mean(const cm_engine *engine, const cm_conversion *conversions,
                                   size_t count, double *mean, cm_error *error)
{
    cm_matcher *matcher;
    cm_result results[CM_MATCH_BATCH];
    cm_status status = cm_matcher_create(engine, &matcher, error);
    if (status != CM_OK)
        return status;
    for (size_t at = 0; at < count && status == CM_OK; at += CM_MATCH_BATCH) {
        size_t batch = count - at < CM_MATCH_BATCH ? count - at : CM_MATCH_BATCH;
        status = cm_matcher_run(matcher, conversions + at, batch, results, error);
    }
    *mean = count == 0 ? 0 : (double)matcher->layers.looked_at / (double)count;
    cm_matcher_destroy(matcher);
    return status;
}

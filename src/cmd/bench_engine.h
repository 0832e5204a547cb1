/*
 * The engine as `bench` calls it: all that goes beyond the public header and the pipeline is here,
 * so that there is one place to look at when the engine changes.
 */
#ifndef CM_CMD_BENCH_ENGINE_H
#define CM_CMD_BENCH_ENGINE_H

#include "clickmatch.h"

/** An empty engine with the default model. Its hash key follows from the seed. */
cm_status cm_bench_engine_create(uint64_t seed, cm_engine **engine, cm_error *error);

/** As cm_matcher_match, of conversions known to be right. */
cm_status cm_bench_matcher_run(cm_matcher *matcher, const cm_conversion *conversions, size_t count,
                               cm_result *results, cm_error *error);

/**
 * How many clicks layers 2 and 3 look at for a conversion, on average.
 *
 * @param mean  receives it; 0 for no conversions
 */
cm_status cm_bench_candidates_mean(const cm_engine *engine, const cm_conversion *conversions,
                                   size_t count, double *mean, cm_error *error);

#endif

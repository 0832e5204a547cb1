/*
 * The engine as `bench` calls it: all that goes beyond the public header and the pipeline is here,
 * so that there is one place to look at when the engine changes.
 */
#ifndef CM_CMD_BENCH_ENGINE_H
#define CM_CMD_BENCH_ENGINE_H

#include "clickmatch.h"

/** An empty engine with the default model. Its hash key follows from the seed. */
cm_status cm_bench_engine_create(uint64_t seed, cm_engine **engine, cm_error *error);

/** What one thread needs to match, kept from call to call. */
typedef struct cm_bench_matcher cm_bench_matcher;

/**
 * Make a matcher.
 *
 * @param engine   borrowed; must not change while the matcher is used
 * @param matcher  receives it; freed with cm_bench_matcher_destroy
 * @return CM_OK or CM_ERROR_MEMORY
 */
cm_status cm_bench_matcher_create(const cm_engine *engine, cm_bench_matcher **matcher,
                                  cm_error *error);
void cm_bench_matcher_destroy(cm_bench_matcher *matcher);

/** As cm_engine_match, of conversions known to be right. */
cm_status cm_bench_matcher_run(cm_bench_matcher *matcher, const cm_conversion *conversions,
                               size_t count, cm_result *results, cm_error *error);

/**
 * How many clicks layers 2 and 3 look at for a conversion, on average: those of its fingerprint and
 * of its address within the layers' windows, at most max_candidates each; none where neither layer
 * weighs any.
 *
 * @param mean  receives it; 0 for no conversions
 */
cm_status cm_bench_candidates_mean(const cm_engine *engine, const cm_conversion *conversions,
                                   size_t count, double *mean, cm_error *error);

/** What one structure of an engine takes. */
typedef struct cm_memory_part {
    const char *name; /* static */
    size_t bytes;
} cm_memory_part;

/**
 * The memory of an engine by structure; the parts sum up to cm_engine_memory.
 *
 * @param room  parts there is room for
 * @return the number of parts; only the first `room` are filled
 */
size_t cm_engine_memory_parts(const cm_engine *engine, cm_memory_part *parts, size_t room);

#endif

/*
 * The engine as `bench` calls it: all that goes beyond the public header and the pipeline is here,
 * so that there is one place to look at when the engine changes.
 */
#ifndef CM_CMD_BENCH_ENGINE_H
#define CM_CMD_BENCH_ENGINE_H

#include "clickmatch.h"

/** An empty engine with the default model. Its hash key follows from the seed. */
cm_status cm_bench_engine_create(uint64_t seed, cm_engine **engine, cm_error *error);

/** The same with a model: JSON of docs/matching.md, section 5; NULL: the default one. */
cm_status cm_bench_engine_create_of(uint64_t seed, const char *model, cm_engine **engine,
                                    cm_error *error);

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

#define CM_BENCH_STREAM_BATCH 64

/** An engine that clicks come to and leave, as a stream has it. One thread. */
typedef struct cm_bench_stream cm_bench_stream;

/** With an engine as of cm_bench_engine_create; freed with cm_bench_stream_destroy. */
cm_status cm_bench_stream_create(uint64_t seed, cm_bench_stream **stream, cm_error *error);

/** Free it. NULL is allowed. */
void cm_bench_stream_destroy(cm_bench_stream *stream);

const cm_engine *cm_bench_stream_engine(const cm_bench_stream *stream);

/**
 * Add clicks known to be right.
 *
 * @param count  at most CM_BENCH_STREAM_BATCH
 */
cm_status cm_bench_stream_insert(cm_bench_stream *stream, const cm_click *clicks, size_t count,
                                 cm_error *error);

/** As cm_click_index_has_dead and cm_click_index_forget. */
bool cm_bench_stream_has_dead(const cm_bench_stream *stream, int64_t horizon);
size_t cm_bench_stream_forget(cm_bench_stream *stream, int64_t horizon, size_t budget);

#endif

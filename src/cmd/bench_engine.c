#include "cmd/bench_engine.h"

#include <stdlib.h>

#include "engine/engine.h"
#include "util/error.h"
#include "util/hash.h"

cm_status cm_bench_engine_create(uint64_t seed, cm_engine **engine, cm_error *error)
{
    return cm_bench_engine_create_of(seed, NULL, engine, error);
}

cm_status cm_bench_engine_create_of(uint64_t seed, const char *model, cm_engine **engine,
                                    cm_error *error)
{
    const cm_options options = {.hash_seed = cm_hash_pair(seed, 1)};
    cm_model *made = NULL;
    cm_status status = model == NULL ? CM_OK : cm_model_create(model, strlen(model), &made, error);
    if (status == CM_OK)
        status = cm_engine_create(&options, made, engine, error);
    cm_model_destroy(made);
    return status;
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

struct cm_bench_stream {
    cm_engine *engine;
    cm_key_scratch scratch;
    cm_click_keys keys[CM_BENCH_STREAM_BATCH];
};

cm_status cm_bench_stream_create(uint64_t seed, cm_bench_stream **stream, cm_error *error)
{
    *stream = calloc(1, sizeof **stream);
    if (*stream == NULL)
        return cm_error_memory(error, "a stream", sizeof **stream);
    return cm_bench_engine_create(seed, &(*stream)->engine, error);
}

void cm_bench_stream_destroy(cm_bench_stream *stream)
{
    if (stream == NULL)
        return;
    cm_engine_destroy(stream->engine);
    cm_key_scratch_destroy(&stream->scratch);
    free(stream);
}

const cm_engine *cm_bench_stream_engine(const cm_bench_stream *stream)
{
    return stream->engine;
}

/* Will it be held for longer than one that expires as usual? */
static bool is_ahead(const cm_bench_stream *stream, const cm_click *click,
                     const cm_click_keys *keys)
{
    return keys->expires_at > click->click_timestamp + stream->engine->model->window_us;
}

/* The clicks that come next and go the same way. */
static cm_status insert_some(cm_bench_stream *stream, const cm_click *clicks,
                             const cm_click_keys *keys, size_t count, size_t *done, cm_error *error)
{
    cm_click_index *index = &stream->engine->index;
    bool ahead = is_ahead(stream, clicks, keys);
    size_t some = 1;
    uint64_t duplicates = 0;
    while (some < count && is_ahead(stream, clicks + some, keys + some) == ahead)
        some++;
    if (ahead)
        return cm_click_index_insert_ahead(index, clicks, keys, some, &duplicates, done, error);
    return cm_click_index_insert(index, clicks, keys, some, &duplicates, done, error);
}

cm_status cm_bench_stream_insert(cm_bench_stream *stream, const cm_click *clicks, size_t count,
                                 cm_error *error)
{
    cm_status status = CM_OK;
    size_t done = 0;
    cm_arena_reset(&stream->scratch.arena);
    for (size_t i = 0; i < count; i++)
        if (!cm_click_keys_make(&stream->engine->index.rules, &clicks[i], &stream->scratch,
                                &stream->keys[i]))
            return cm_error_memory(error, "the keys of clicks", sizeof stream->keys);
    for (size_t at = 0; at < count && status == CM_OK; at += done)
        status = insert_some(stream, clicks + at, stream->keys + at, count - at, &done, error);
    return status;
}

bool cm_bench_stream_has_dead(const cm_bench_stream *stream, int64_t horizon)
{
    return cm_click_index_has_dead(&stream->engine->index, horizon);
}

size_t cm_bench_stream_forget(cm_bench_stream *stream, int64_t horizon, size_t budget)
{
    return cm_click_index_forget(&stream->engine->index, horizon, budget);
}

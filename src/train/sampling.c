#include "train/sampling.h"

#include <pthread.h>
#include <stdlib.h>

#include "engine/engine.h"
#include "util/parallel.h"

/* What the threads share. */
struct sampling {
    const cm_records *records;
    const bool *held_out;
    const cm_engine *engine;
    const atomic_bool *interrupted;
    cm_training_set *set;
    atomic_size_t next; /* chunk */
    pthread_mutex_t mutex;
    cm_error error; /* under mutex: the first */
};

/* One chunk under way. */
struct filling {
    const struct sampling *sampling;
    cm_train_chunk *chunk;
    size_t first; /* conversion */
    bool failed;
};

static void take(void *context, size_t number, const cm_conversion *conversion,
                 const cm_sample *sample)
{
    (void)conversion;
    struct filling *filling = context;
    const bool *held_out = filling->sampling->held_out;
    number += filling->first;
    if (!filling->failed && !cm_train_chunk_add(filling->chunk, (uint32_t)number,
                                                held_out != NULL && held_out[number], sample))
        filling->failed = true;
}

static cm_status fill(const struct sampling *sampling, cm_matcher *matcher, size_t chunk,
                      cm_error *error)
{
    struct filling filling = {sampling, &sampling->set->chunks[chunk], chunk * CM_TRAIN_CHUNK,
                              false};
    size_t left = sampling->records->conversion_count - filling.first;
    if (sampling->interrupted != NULL && atomic_load(sampling->interrupted))
        return cm_error_set(error, CM_ERROR_INTERRUPTED, "interrupted while learning");
    cm_status status =
        cm_matcher_sample(matcher, sampling->records->conversions + filling.first,
                          left < CM_TRAIN_CHUNK ? left : CM_TRAIN_CHUNK, take, &filling, error);
    if (status == CM_OK && filling.failed)
        status = cm_error_memory(error, "a training set", sizeof(cm_train_conversion));
    return status;
}

static void sample_some(void *context, unsigned worker)
{
    (void)worker;
    struct sampling *sampling = context;
    cm_matcher *matcher = NULL;
    cm_error error = {0};
    size_t chunk;
    cm_status status = cm_matcher_create(sampling->engine, &matcher, &error);
    while (status == CM_OK &&
           (chunk = atomic_fetch_add(&sampling->next, 1)) < sampling->set->chunk_count)
        status = fill(sampling, matcher, chunk, &error);
    cm_matcher_destroy(matcher);
    if (status == CM_OK)
        return;
    pthread_mutex_lock(&sampling->mutex);
    if (sampling->error.code == CM_OK)
        sampling->error = error;
    pthread_mutex_unlock(&sampling->mutex);
    atomic_store(&sampling->next, sampling->set->chunk_count);
}

cm_status cm_training_set_sample(const cm_records *records, const bool *held_out,
                                 const cm_engine *engine, unsigned threads,
                                 const atomic_bool *interrupted, cm_training_set *set,
                                 cm_error *error)
{
    struct sampling sampling = {.records = records,
                                .held_out = held_out,
                                .engine = engine,
                                .interrupted = interrupted,
                                .set = set};
    if (!cm_training_set_init(set, records->conversion_count))
        return cm_error_memory(error, "a training set", set->chunk_count * sizeof *set->chunks);
    pthread_mutex_init(&sampling.mutex, NULL);
    cm_parallel(threads, sample_some, &sampling);
    pthread_mutex_destroy(&sampling.mutex);
    if (sampling.error.code != CM_OK && error != NULL)
        *error = sampling.error;
    return sampling.error.code;
}

#include "train/sampling.h"

#include <pthread.h>
#include <stdlib.h>

#include "engine/engine.h"
#include "util/parallel.h"

/* What the threads share. */
struct work {
    const cm_sampling *sampling;
    cm_training_set *set;
    atomic_size_t next; /* chunk */
    pthread_mutex_t mutex;
    cm_error error; /* under mutex: the first */
};

/* One chunk under way. */
struct filling {
    const cm_sampling *sampling;
    cm_train_chunk *chunk;
    cm_conversion *edited; /* room for a chunk's, where ids are other than as read */
    size_t first;          /* conversion */
    bool failed;
};

static cm_whose whose_is(const cm_sampling *sampling, uint32_t number, uint32_t click)
{
    const cm_train_truth *truth = sampling->truth;
    cm_slice tenant = sampling->records->conversions[number].tenant_id;
    cm_slice id = cm_click_store_id(&sampling->engine->index.catalog.store, click);
    uint32_t record = cm_records_click(sampling->records, tenant, id);
    if (record == truth->right[number])
        return CM_WHOSE_NEWEST;
    return truth->click_owner[record] == truth->conversion_owner[number] ? CM_WHOSE_OLDER
                                                                         : CM_WHOSE_STRANGER;
}

/* Say of the last conversion what the truth knows. */
static void tell_truth(struct filling *filling, uint32_t number)
{
    cm_train_chunk *chunk = filling->chunk;
    cm_train_conversion *conversion = &chunk->conversions[chunk->count - 1];
    conversion->is_open = filling->sampling->truth->is_open[number];
    for (size_t layer = 0; layer < CM_WEIGHED_LAYER_COUNT && conversion->is_open; layer++) {
        cm_train_look *looks = chunk->looks + conversion->layers[layer].first;
        for (uint32_t i = 0; i < conversion->layers[layer].count; i++)
            looks[i].whose = (uint8_t)whose_is(filling->sampling, number, looks[i].click);
    }
}

static void take(void *context, size_t place, const cm_conversion *conversion,
                 const cm_sample *sample)
{
    (void)conversion;
    struct filling *filling = context;
    uint32_t number = (uint32_t)(filling->first + place);
    if (filling->failed)
        return;
    filling->failed =
        !cm_train_chunk_add(filling->chunk, number, filling->sampling->held_out[number], sample);
    if (!filling->failed && filling->sampling->truth != NULL)
        tell_truth(filling, number);
}

/* An open conversion's label is its right click: layer 1 finds it by its id. */
static const cm_conversion *conversions_of(const struct filling *filling, size_t count)
{
    const cm_records *records = filling->sampling->records;
    const cm_train_truth *truth = filling->sampling->truth;
    if (truth == NULL)
        return records->conversions + filling->first;
    for (size_t i = 0; i < count; i++) {
        size_t number = filling->first + i;
        filling->edited[i] = records->conversions[number];
        if (truth->is_open[number] && truth->right[number] != CM_NUMBER_NONE)
            filling->edited[i].click_id = records->clicks[truth->right[number]].click_id;
    }
    return filling->edited;
}

static cm_status fill(struct work *work, cm_matcher *matcher, cm_conversion *edited, size_t chunk,
                      cm_error *error)
{
    const cm_sampling *sampling = work->sampling;
    struct filling filling = {.sampling = sampling,
                              .chunk = &work->set->chunks[chunk],
                              .edited = edited,
                              .first = chunk * CM_TRAIN_CHUNK};
    size_t left = sampling->records->conversion_count - filling.first;
    size_t count = left < CM_TRAIN_CHUNK ? left : CM_TRAIN_CHUNK;
    if (sampling->interrupted != NULL && atomic_load(sampling->interrupted))
        return cm_error_set(error, CM_ERROR_INTERRUPTED, "interrupted while learning");
    cm_status status =
        cm_matcher_sample(matcher, conversions_of(&filling, count), count, take, &filling, error);
    if (status == CM_OK && filling.failed)
        status = cm_error_memory(error, "a training set", sizeof(cm_train_conversion));
    return status;
}

static void sample_some(void *context, unsigned worker)
{
    (void)worker;
    struct work *work = context;
    cm_matcher *matcher = NULL;
    cm_error error = {0};
    size_t chunk;
    cm_conversion *edited = malloc(CM_TRAIN_CHUNK * sizeof *edited);
    cm_status status = cm_matcher_create(work->sampling->engine, &matcher, &error);
    if (status == CM_OK && edited == NULL)
        status = cm_error_memory(&error, "conversions", CM_TRAIN_CHUNK * sizeof *edited);
    while (status == CM_OK && (chunk = atomic_fetch_add(&work->next, 1)) < work->set->chunk_count)
        status = fill(work, matcher, edited, chunk, &error);
    cm_matcher_destroy(matcher);
    free(edited);
    if (status == CM_OK)
        return;
    pthread_mutex_lock(&work->mutex);
    if (work->error.code == CM_OK)
        work->error = error;
    pthread_mutex_unlock(&work->mutex);
    atomic_store(&work->next, work->set->chunk_count);
}

cm_status cm_training_set_sample(const cm_sampling *sampling, cm_training_set *set, cm_error *error)
{
    struct work work = {.sampling = sampling, .set = set};
    if (!cm_training_set_init(set, sampling->records->conversion_count))
        return cm_error_memory(error, "a training set", set->chunk_count * sizeof *set->chunks);
    pthread_mutex_init(&work.mutex, NULL);
    cm_parallel(sampling->threads, sample_some, &work);
    pthread_mutex_destroy(&work.mutex);
    if (work.error.code != CM_OK && error != NULL)
        *error = work.error;
    return work.error.code;
}

#include "train/sampling.h"

#include <pthread.h>
#include <stdlib.h>

#include "engine/engine.h"
#include "util/hash.h"
#include "util/parallel.h"
#include "util/slice.h"

#define ORDER_SEED 0x6f726465u

/* What the threads share. */
struct work {
    const cm_sampling *sampling;
    cm_training_set *set;
    uint32_t *order;    /* of conversions */
    atomic_size_t next; /* chunk */
    pthread_mutex_t mutex;
    cm_error error; /* under mutex: the first */
};

/* One chunk under way. */
struct filling {
    const cm_sampling *sampling;
    cm_train_chunk *chunk;
    const uint32_t *numbers; /* of its conversions */
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
    uint32_t number = filling->numbers[place];
    if (filling->failed)
        return;
    filling->failed =
        !cm_train_chunk_add(filling->chunk, number, filling->sampling->held_out[number], sample);
    if (!filling->failed && filling->sampling->truth != NULL)
        tell_truth(filling, number);
}

/* An open conversion's label is its right click: layer 1 finds it by its id. */
static void copy_conversions(const struct filling *filling, size_t count, cm_conversion *copies)
{
    const cm_records *records = filling->sampling->records;
    const cm_train_truth *truth = filling->sampling->truth;
    for (size_t i = 0; i < count; i++) {
        uint32_t number = filling->numbers[i];
        copies[i] = records->conversions[number];
        if (truth != NULL && truth->is_open[number] && truth->right[number] != CM_NUMBER_NONE)
            copies[i].click_id = records->clicks[truth->right[number]].click_id;
    }
}

static cm_status fill(struct work *work, cm_matcher *matcher, cm_conversion *copies, size_t chunk,
                      cm_error *error)
{
    const cm_sampling *sampling = work->sampling;
    size_t first = chunk * CM_TRAIN_CHUNK;
    size_t left = sampling->records->conversion_count - first;
    size_t count = left < CM_TRAIN_CHUNK ? left : CM_TRAIN_CHUNK;
    struct filling filling = {
        .sampling = sampling, .chunk = &work->set->chunks[chunk], .numbers = work->order + first};
    if (sampling->interrupted != NULL && atomic_load(sampling->interrupted))
        return cm_error_set(error, CM_ERROR_INTERRUPTED, "interrupted while learning");
    copy_conversions(&filling, count, copies);
    cm_status status = cm_matcher_sample(matcher, copies, count, take, &filling, error);
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
    cm_conversion *copies = malloc(CM_TRAIN_CHUNK * sizeof *copies);
    cm_status status;
    if (copies != NULL) {
        status = cm_matcher_create(work->sampling->engine, &matcher, &error);
        while (status == CM_OK &&
               (chunk = atomic_fetch_add(&work->next, 1)) < work->set->chunk_count)
            status = fill(work, matcher, copies, chunk, &error);
    } else {
        status = cm_error_memory(&error, "conversions", CM_TRAIN_CHUNK * sizeof *copies);
    }
    cm_matcher_destroy(matcher);
    free(copies);
    if (status == CM_OK)
        return;
    pthread_mutex_lock(&work->mutex);
    if (work->error.code == CM_OK)
        work->error = error;
    pthread_mutex_unlock(&work->mutex);
    atomic_store(&work->next, work->set->chunk_count);
}

/* Sums of doubles depend on their order, which no file decides: it goes by hashes of ids. */
struct place {
    uint64_t hash;
    const cm_conversion *conversion;
    uint32_t number;
};

static int compare_places(const void *left, const void *right)
{
    const struct place *a = left;
    const struct place *b = right;
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    int order = cm_slice_compare(a->conversion->tenant_id, b->conversion->tenant_id);
    return order != 0
               ? order
               : cm_slice_compare(a->conversion->conversion_id, b->conversion->conversion_id);
}

static void fill_order(const cm_records *records, struct place *places, uint32_t *order)
{
    size_t count = records->conversion_count;
    for (size_t i = 0; i < count; i++) {
        const cm_conversion *conversion = &records->conversions[i];
        uint64_t hash = cm_hash_pair(cm_hash_slice(conversion->tenant_id, ORDER_SEED),
                                     cm_hash_slice(conversion->conversion_id, ORDER_SEED));
        places[i] = (struct place){hash, conversion, (uint32_t)i};
    }
    qsort(places, count, sizeof *places, compare_places);
    for (size_t i = 0; i < count; i++)
        order[i] = places[i].number;
}

static uint32_t *make_order(const cm_records *records)
{
    size_t room = records->conversion_count + 1;
    struct place *places = malloc(room * sizeof *places);
    uint32_t *order = malloc(room * sizeof *order);
    if (places != NULL && order != NULL)
        fill_order(records, places, order);
    bool ready = places != NULL;
    free(places);
    if (ready)
        return order;
    free(order);
    return NULL;
}

cm_status cm_training_set_sample(const cm_sampling *sampling, cm_training_set *set, cm_error *error)
{
    struct work work = {.sampling = sampling, .set = set, .order = make_order(sampling->records)};
    bool ready = cm_training_set_init(set, sampling->records->conversion_count);
    if (!ready || work.order == NULL) {
        free(work.order);
        return cm_error_memory(error, "a training set", set->chunk_count * sizeof *set->chunks);
    }
    pthread_mutex_init(&work.mutex, NULL);
    cm_parallel(sampling->threads, sample_some, &work);
    pthread_mutex_destroy(&work.mutex);
    free(work.order);
    if (work.error.code != CM_OK && error != NULL)
        *error = work.error;
    return work.error.code;
}

#include "train/training_set.h"

#include <stdlib.h>

#include "util/grow.h"

bool cm_training_set_init(cm_training_set *set, size_t conversions)
{
    size_t chunks = (conversions + CM_TRAIN_CHUNK - 1) / CM_TRAIN_CHUNK;
    *set = (cm_training_set){.count = conversions, .chunk_count = chunks};
    set->chunks = calloc(chunks == 0 ? 1 : chunks, sizeof *set->chunks);
    return set->chunks != NULL;
}

static cm_train_look look_of(const cm_candidate_look *look)
{
    return (cm_train_look){look->click,      (uint16_t)look->bin, look->evidence,
                           look->user_agent, look->traits,        CM_WHOSE_UNKNOWN};
}

static bool add_looks(cm_train_chunk *chunk, const cm_candidate_look *looks, size_t count)
{
    cm_train_look *grown = cm_grow(chunk->looks, &chunk->look_capacity, chunk->look_count + count,
                                   sizeof *chunk->looks);
    if (grown == NULL)
        return false;
    chunk->looks = grown;
    for (size_t i = 0; i < count; i++)
        grown[chunk->look_count++] = look_of(&looks[i]);
    return true;
}

static bool add_layer(cm_train_chunk *chunk, const cm_layer_sample *sample, cm_train_layer *layer)
{
    *layer = (cm_train_layer){
        .first = (uint32_t)chunk->look_count,
        .count = (uint32_t)sample->count,
        .newer_count = (uint32_t)sample->newer_count,
        .is_attempted = sample->is_attempted,
        .is_accepted = sample->is_accepted,
        .left = sample->left,
        .u = sample->u,
        .probability = sample->probability,
    };
    return add_looks(chunk, sample->looks, sample->count) &&
           add_looks(chunk, sample->newer, sample->newer_count);
}

bool cm_train_chunk_add(cm_train_chunk *chunk, uint32_t number, bool is_held_out,
                        const cm_sample *sample)
{
    cm_train_conversion *grown = cm_grow(chunk->conversions, &chunk->conversion_capacity,
                                         chunk->count + 1, sizeof *chunk->conversions);
    if (grown == NULL)
        return false;
    chunk->conversions = grown;
    cm_train_conversion *made = &grown[chunk->count];
    *made = (cm_train_conversion){
        .number = number,
        .group = sample->parameters,
        .label = sample->label,
        .is_held_out = is_held_out,
        .is_open = sample->label == CM_NUMBER_NONE,
        .by_address = look_of(&sample->by_address),
        .label_fingerprint = sample->by_fingerprint.evidence,
    };
    made->by_address.traits = sample->by_fingerprint.traits;
    for (size_t i = 0; i < CM_WEIGHED_LAYER_COUNT; i++)
        if (!add_layer(chunk, &sample->layers[i], &made->layers[i]))
            return false;
    chunk->count++;
    return true;
}

void cm_training_set_destroy(cm_training_set *set)
{
    for (size_t i = 0; set->chunks != NULL && i < set->chunk_count; i++) {
        free(set->chunks[i].conversions);
        free(set->chunks[i].looks);
    }
    free(set->chunks);
    *set = (cm_training_set){0};
}

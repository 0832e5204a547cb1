/*
 * What a model is learned from: of each conversion, how its layer-1 click compares, and how the
 * candidates of layers 2 and 3 do. It is made once and gone over many times.
 *
 * Conversions are in chunks of fixed size, in their order: threads take chunks, and sums are added
 * chunk by chunk, so that the number of threads changes no bit of a result.
 */
#ifndef CM_TRAIN_TRAINING_SET_H
#define CM_TRAIN_TRAINING_SET_H

#include "match/sample.h"

#define CM_TRAIN_CHUNK ((size_t)4096)      /* conversions */
#define CM_TRAIN_BINS_MAX ((size_t)0xffff) /* delay bins */

/** Whose a candidate is, where a truth says. */
typedef enum cm_whose {
    CM_WHOSE_UNKNOWN = 0,
    CM_WHOSE_NEWEST, /* the right click: its device's newest */
    CM_WHOSE_OLDER,  /* another one of that device */
    CM_WHOSE_STRANGER
} cm_whose;

/** How a click compares with a conversion. */
typedef struct cm_train_look {
    uint32_t click; /* number in the engine */
    uint16_t bin;
    uint8_t evidence, user_agent; /* cm_comparison; evidence as in cm_candidate_look */
    uint8_t traits;               /* as in cm_candidate_look */
    uint8_t whose;                /* cm_whose */
} cm_train_look;

/** How a trait compares. */
static inline cm_comparison cm_train_trait(const cm_train_look *look, cm_trait trait)
{
    return (cm_comparison)(look->traits >> 2 * trait & 3);
}

/** The candidates of a layer. */
typedef struct cm_train_layer {
    uint32_t first, count; /* in the chunk's looks, newest first */
    uint32_t newer_count;  /* further looks, behind those: what may share the best one's weight */
    bool is_attempted, is_accepted;
    uint64_t left;
    double u;
    double probability; /* of the best by the model that the samples were taken with */
} cm_train_layer;

typedef struct cm_train_conversion {
    uint32_t number;           /* the caller's */
    uint32_t group;            /* place of its parameters in the model sampled with */
    uint32_t label;            /* click; CM_NUMBER_NONE: layer 1 found none */
    bool is_held_out;          /* nothing is learned from it */
    bool is_open;              /* one of those to be matched by layers 2 and 3 */
    cm_train_look by_address;  /* of the label; its traits are what layer 3 compares */
    uint8_t label_fingerprint; /* cm_comparison of the label */
    cm_train_layer layers[CM_WEIGHED_LAYER_COUNT];
} cm_train_conversion;

typedef struct cm_train_chunk {
    cm_train_conversion *conversions;
    cm_train_look *looks;
    size_t count, look_count, conversion_capacity, look_capacity;
} cm_train_chunk;

/** Zero-initialised is empty. */
typedef struct cm_training_set {
    cm_train_chunk *chunks;
    size_t chunk_count;
    size_t count; /* conversions */
} cm_training_set;

/** Make room for the chunks of so many conversions; each is filled by one thread. False when memory
 * is short. */
bool cm_training_set_init(cm_training_set *set, size_t conversions);

/** Keep a conversion's sample. False when memory is short. */
bool cm_train_chunk_add(cm_train_chunk *chunk, uint32_t number, bool is_held_out,
                        const cm_sample *sample);

void cm_training_set_destroy(cm_training_set *set);

#endif

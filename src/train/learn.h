/*
 * Learning a model's chances from records: own devices' from labelled conversions, priors and
 * strangers' from all others. Calibration is made afterwards, on conversions that were held out.
 */
#ifndef CM_TRAIN_LEARN_H
#define CM_TRAIN_LEARN_H

#include "engine/records.h"
#include "train/labels.h"
#include "train/mixture.h"
#include "train/own_clicks.h"
#include "train/sampling.h"
#include "train/trained.h"

/** What to learn from, and how. */
typedef struct cm_learn_task {
    const cm_records *records;
    const bool *held_out;        /* by number of conversion: nothing is learned from it */
    const cm_train_truth *truth; /* NULL: labels are layer 1's matches */
    unsigned threads;
    const atomic_bool *interrupted;
    uint64_t hash_seed;
    bool has_traits; /* layer 3 compares traits */
} cm_learn_task;

/** What some chances rest on. */
typedef struct cm_learn_counts {
    cm_label_counts labels;
    cm_mixture_counts layers[CM_WEIGHED_LAYER_COUNT];
    uint64_t newer; /* conversions that probabilistic.repeat rests on */
} cm_learn_counts;

/** What came of it, beside the model. */
typedef struct cm_learned {
    cm_learn_counts own;
    cm_learn_counts *sections; /* by section of the model that was given; owned */
    cm_own_clicks own_clicks;  /* of the labelled conversions that were held out */
} cm_learned;

/**
 * Learn.
 *
 * @param trained  where to begin: what is not learned, for want of data, stays; changed, and
 *                 rounded
 * @param learned  receives what everything rests on; freed with cm_learned_destroy, also after a
 *                 failure
 * @return CM_OK, CM_ERROR_MEMORY, CM_ERROR_CAPACITY or CM_ERROR_INTERRUPTED
 * Results do not depend on the number of threads.
 */
cm_status cm_learn(const cm_learn_task *task, cm_trained *trained, cm_learned *learned,
                   cm_error *error);

void cm_learned_destroy(cm_learned *learned);

/** The model that this is. CM_OK, CM_ERROR_MODEL or CM_ERROR_MEMORY. */
cm_status cm_trained_model(const cm_trained *trained, cm_model **model, cm_error *error);

#endif

/* Records as a training set: what an engine's layers see of each conversion. */
#ifndef CM_TRAIN_SAMPLING_H
#define CM_TRAIN_SAMPLING_H

#include "engine/records.h"
#include "train/training_set.h"

/** Which click is right, and whose each is, where that is known. By numbers of records. */
typedef struct cm_train_truth {
    const bool *is_open;   /* conversion: the truth knows it, and layer 1 does not attribute it */
    const uint32_t *right; /* conversion: its click; CM_NUMBER_NONE: it is organic */
    const uint32_t *click_owner, *conversion_owner;
} cm_train_truth;

/** How to sample. Everything is borrowed. */
typedef struct cm_sampling {
    const cm_records *records;
    const bool *held_out;        /* by number of conversion */
    const cm_train_truth *truth; /* NULL: layer 1's matches are the labels */
    const cm_engine *engine;     /* holds the records' clicks */
    unsigned threads;
    const atomic_bool *interrupted;
} cm_sampling;

/**
 * Sample all conversions.
 *
 * @param set  receives the set, in an order that the conversions' ids alone decide; destroyed by
 *             the caller, also after a failure
 * @return CM_OK, CM_ERROR_MEMORY or CM_ERROR_INTERRUPTED
 */
cm_status cm_training_set_sample(const cm_sampling *sampling, cm_training_set *set,
                                 cm_error *error);

#endif

/* Records as a training set: what an engine's layers see of each conversion. */
#ifndef CM_TRAIN_SAMPLING_H
#define CM_TRAIN_SAMPLING_H

#include "engine/records.h"
#include "train/training_set.h"

/**
 * Sample all conversions.
 *
 * @param held_out  by number of conversion; NULL: none is
 * @param engine    holds the records' clicks
 * @param set       receives the set, in the order of the conversions; destroyed by the caller, also
 *                  after a failure
 * @return CM_OK, CM_ERROR_MEMORY or CM_ERROR_INTERRUPTED
 */
cm_status cm_training_set_sample(const cm_records *records, const bool *held_out,
                                 const cm_engine *engine, unsigned threads,
                                 const atomic_bool *interrupted, cm_training_set *set,
                                 cm_error *error);

#endif

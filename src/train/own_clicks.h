/*
 * A labelled conversion's own clicks, as far as can be known: the labelled one, and those among the
 * other candidates that a model takes for the same device's. To make such a conversion organic they
 * are left out; strangers' clicks, which an organic conversion would be mistaken for, stay.
 */
#ifndef CM_TRAIN_OWN_CLICKS_H
#define CM_TRAIN_OWN_CLICKS_H

#include "engine/records.h"
#include "train/training_set.h"

/** By numbers of records. */
typedef struct cm_own_click {
    uint32_t conversion, click;
} cm_own_click;

/** Zero-initialised is empty. */
typedef struct cm_own_clicks {
    cm_own_click *items; /* conversion by conversion; owned */
    size_t count, capacity;
} cm_own_clicks;

/**
 * List the own clicks of all labelled conversions that were held out. A candidate that belongs to
 * the same device with chance q is taken with chance q, drawn by a hash of the ids.
 *
 * @param model   with the parameters that the set's groups are places of
 * @param engine  that the set was sampled with
 * @param own     is filled; freed with cm_own_clicks_destroy, also after a failure
 * @return CM_OK or CM_ERROR_MEMORY
 */
cm_status cm_own_clicks_list(const cm_training_set *set, const cm_model *model,
                             const cm_records *records, const cm_engine *engine, cm_own_clicks *own,
                             cm_error *error);

void cm_own_clicks_destroy(cm_own_clicks *own);

#endif

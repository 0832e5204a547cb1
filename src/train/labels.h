/*
 * How a conversion's own click compares with it, counted over labelled conversions: those whose click
 * id was there. Every share is drawn towards what is known without labels, as if so many more had
 * been counted there: few labels change little.
 */
#ifndef CM_TRAIN_LABELS_H
#define CM_TRAIN_LABELS_H

#include "train/training_set.h"
#include "util/error.h"

/** What the counts rest on. */
typedef struct cm_label_counts {
    uint64_t labels;       /* within the window */
    uint64_t fingerprints; /* of them, both sides with one */
    uint64_t addresses;
    uint64_t user_agents[CM_WEIGHED_LAYER_COUNT]; /* that the layer compares */
} cm_label_counts;

/**
 * Count delay_m, fingerprint_m, ip_m, ip_other_m and both layers' user_agent_m.
 *
 * @param group       labelled conversions of this group count; CM_NUMBER_NONE: all
 * @param weight      labels that what is known counts as, in each share; above 0
 * @param parameters  what is known; changed
 */
cm_status cm_labels_count(const cm_training_set *set, const cm_model *model, uint32_t group,
                          double weight, unsigned threads, cm_parameters *parameters,
                          cm_label_counts *counts, cm_error *error);

#endif

/*
 * How a conversion's own click compares with it, counted over labelled conversions: those
 * whose click id was there. Every share is drawn towards what is known without labels, as if
 * so many more had been counted there: few labels change little. Where a parameter has fewer
 * than CM_LABELS_MIN it stays as it was.
 */
#ifndef CM_TRAIN_LABELS_H
#define CM_TRAIN_LABELS_H

#include "train/training_set.h"
#include "util/error.h"

#define CM_LABELS_MIN 50

/** Labelled conversions that each parameter rests on. */
typedef struct cm_label_counts {
    uint64_t labels;                              /* delay_m: within the window */
    uint64_t fingerprints;                        /* fingerprint_m: both sides with one */
    uint64_t addresses;                           /* ip_m */
    uint64_t other_addresses;                     /* ip_other_m: those of them that differ */
    uint64_t user_agents[CM_WEIGHED_LAYER_COUNT]; /* that the layer compares */
    uint64_t traits[CM_TRAIT_COUNT];              /* the same, of layer 3 */
} cm_label_counts;

/**
 * Count delay_m, fingerprint_m, ip_m, ip_other_m, both layers' user_agent_m, and m of layer 3's
 * traits; the last and ip_other_m only where they are above 0.
 *
 * @param group       labelled conversions of this group count; CM_NUMBER_NONE: all
 * @param weight      labels that what is known counts as, in each share; above 0
 * @param parameters  what is known; changed
 */
cm_status cm_labels_count(const cm_training_set *set, const cm_model *model, uint32_t group,
                          double weight, unsigned threads, cm_parameters *parameters,
                          cm_label_counts *counts, cm_error *error);

#endif

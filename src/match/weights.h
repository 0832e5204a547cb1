/*
 * The model's factors, computed once: each is one of the terms that docs/matching.md section 5
 * writes, in doubles rounded just as there, so that a product of them has the same bits.
 */
#ifndef CM_MATCH_WEIGHTS_H
#define CM_MATCH_WEIGHTS_H

#include "model/model.h"
#include "util/error.h"

/** Layers 2 and 3 by place in arrays. */
enum cm_weighed_layer { CM_WEIGH_FINGERPRINT, CM_WEIGH_PROBABILISTIC, CM_WEIGHED_LAYER_COUNT };

/** The factors of one delay bin. */
typedef struct cm_bin_weights {
    double prior_m[CM_WEIGHED_LAYER_COUNT];  /* prior * fingerprint_m[i], prior * ip_m[i] */
    double lr_delay[CM_WEIGHED_LAYER_COUNT]; /* LR_delay(i, W2), LR_delay(i, W3) */
    double ip_m, lr_ip_different;            /* ip_m[i], 1 - ip_m[i] */
    double lr_fingerprint_equal, lr_fingerprint_different;
} cm_bin_weights;

typedef struct cm_weights {
    const cm_model *model; /* borrowed */
    double w0[CM_WEIGHED_LAYER_COUNT];
    double lr_ua_equal[CM_WEIGHED_LAYER_COUNT], lr_ua_different[CM_WEIGHED_LAYER_COUNT];
    cm_bin_weights *bins; /* model->bin_count; owned */
} cm_weights;

/** Compute the factors of a model, which must outlive them. CM_OK or CM_ERROR_MEMORY. */
cm_status cm_weights_init(cm_weights *weights, const cm_model *model, cm_error *error);

void cm_weights_destroy(cm_weights *weights);

/** The bin of a delay in microseconds: the first whose upper edge is above it, else the last. */
static inline size_t cm_delay_bin(const cm_model *model, int64_t delay_us)
{
    size_t bin = 0;
    while (bin + 1 < model->bin_count && delay_us >= model->delay_us[bin])
        bin++;
    return bin;
}

#endif

/* What layers 2 and 3 do alike with their candidates, newest first. */
#ifndef CM_MATCH_CANDIDATES_H
#define CM_MATCH_CANDIDATES_H

#include "match/layers.h"

/** Drop the clicks that have expired at t. Returns how many stay. */
size_t cm_drop_expired(const cm_click_store *store, int64_t t, uint32_t *clicks, size_t count);

/**
 * Keep the first click of each device.
 *
 * @param key_of  what tells the layer's devices apart
 * @return how many stay
 */
size_t cm_keep_devices(const cm_click_store *store, cm_device_key (*key_of)(const cm_click_row *row),
                       cm_layer_scratch *scratch, uint32_t *clicks, size_t count);

/** LR_ua: 1 where either is missing. */
static inline double cm_lr_ua(const cm_weights *weights, enum cm_weighed_layer layer, uint32_t a,
                              uint32_t b)
{
    if (a == CM_NUMBER_MISSING || b == CM_NUMBER_MISSING)
        return 1.0;
    return a == b ? weights->lr_ua_equal[layer] : weights->lr_ua_different[layer];
}

#endif

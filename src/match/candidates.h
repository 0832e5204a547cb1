/* What layers 2 and 3 do alike with their candidates, newest first. */
#ifndef CM_MATCH_CANDIDATES_H
#define CM_MATCH_CANDIDATES_H

#include "match/layers.h"

/** Drop the clicks that have expired at t. Returns how many stay. */
size_t cm_drop_expired(const cm_click_store *store, int64_t t, uint32_t *clicks, size_t count);

/** A set of device keys. */
typedef struct cm_device_set {
    uint64_t *slots;
    size_t mask;
} cm_device_set;

/** An empty set that can take count keys, none of which is UINT64_MAX. slots: CM_DEVICE_SLOTS of
 * scratch. */
cm_device_set cm_device_set_empty(uint64_t *slots, size_t count);

/** Add a key; false where it was there. */
bool cm_device_set_add(cm_device_set *set, uint64_t key);

/** LR_ua: 1 where either is missing. */
static inline double cm_lr_ua(const cm_weights *weights, enum cm_weighed_layer layer, uint32_t a,
                              uint32_t b)
{
    if (a == CM_NUMBER_MISSING || b == CM_NUMBER_MISSING)
        return 1.0;
    return a == b ? weights->lr_ua_equal[layer] : weights->lr_ua_different[layer];
}

#endif

/*
 * What a click shows of its device's software: its user agent, and, where the model compares them,
 * its traits. Clicks share looks as they share names: a look is stored once and has a number.
 */
#ifndef CM_STORE_LOOK_H
#define CM_STORE_LOOK_H

#include "model/model.h"
#include "util/slice.h"

/** A device's traits in normal form (cm_device_traits), and their keyed hashes. */
typedef struct cm_shown_traits {
    cm_slice texts[CM_TRAIT_COUNT]; /* by cm_trait; empty: missing */
    uint64_t hashes[CM_TRAIT_COUNT];
} cm_shown_traits;

/** The numbers of a user agent and of traits, each in its own dictionary; 0: missing. */
typedef struct cm_look {
    uint32_t user_agent;
    uint32_t traits[CM_TRAIT_COUNT]; /* by cm_trait */
} cm_look;

static inline cm_slice cm_look_text(const cm_look *look)
{
    return cm_slice_of((const char *)look, sizeof *look);
}

/** A look of which nothing is shown has no number of its own: it is the missing one. */
static inline bool cm_look_is_missing(const cm_look *look)
{
    uint32_t any = look->user_agent;
    for (size_t i = 0; i < CM_TRAIT_COUNT; i++)
        any |= look->traits[i];
    return any == 0;
}

#endif

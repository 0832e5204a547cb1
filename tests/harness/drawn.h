/*
 * Candidates drawn as docs/matching.md, section 5, takes them to come about: with the chance
 * `prior` a device clicked, and left candidates with the chances m; strangers left theirs with
 * the chances u. It shares no code with what learns.
 */
#ifndef HARNESS_DRAWN_H
#define HARNESS_DRAWN_H

#include "match/sample.h"

#define DRAWN_MAX 64 /* candidates */

/** Candidates of one conversion, newest first. */
typedef struct drawn_looks {
    cm_candidate_look items[DRAWN_MAX];
    double delays[DRAWN_MAX]; /* hours */
    size_t count;
    bool has_own, has_older; /* the first drawn are the device's: clicks 0 and 1 */
} drawn_looks;

/** From 0 to below 1. */
double drawn_share(uint64_t *random);

/** How many strangers, whose number nothing is known of but `rivals`: their expected number among n
 * candidates is rivals + n - 1. */
size_t drawn_strangers(double rivals, uint64_t *random);

/**
 * Draw a layer's candidates.
 *
 * @param truth  a model without sections; its own parameters are what is drawn by
 * @param u      of layer 2: how likely a stranger is to be on the address
 */
void drawn_candidates(const cm_model *truth, enum cm_weighed_layer layer, double u,
                      uint64_t *random, drawn_looks *drawn);

/** Draw a click on the conversion's address: of its own device or of a stranger. The delays are
 * those of layer 3's rules over the window of layer 2. */
void drawn_newer(const cm_model *truth, bool is_own, uint64_t *random, drawn_looks *drawn);

#endif

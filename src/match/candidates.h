/* What layers 2 and 3 do alike with their candidates, newest first. */
#ifndef CM_MATCH_CANDIDATES_H
#define CM_MATCH_CANDIDATES_H

#include "match/layers.h"

/**
 * Look at candidates: drop those that have expired at the conversion's time,
 * keep the first of each device, and compare.
 *
 * @param layer   layer 2 compares addresses, and devices are addresses and device types; layer 3
 *                compares fingerprints, and devices are fingerprints, else user agents
 * @param clicks  newest first, but that those of layer 2 which are only on the address come last
 * @param looks   receives them; room for count. May be scratch->looks.
 * @param shared  receives whether any compares as equal
 * @return how many looks there are
 */
size_t cm_look_at_candidates(const cm_layer_context *context, const cm_query *query,
                             enum cm_weighed_layer layer, cm_layer_scratch *scratch,
                             const uint32_t *clicks, size_t count, cm_candidate_look *looks,
                             bool *shared);

/**
 * Weigh them: scratch->weighed of scratch->looks.
 *
 * @param r  expected number of strangers that share the key, and this candidate's device
 * @param u  of layer 2, max((n_ip - 1) / N, ip_u_min); needed where any compares as equal
 */
void cm_weigh_candidates(const cm_weights *weights, enum cm_weighed_layer layer, double r, double u,
                         cm_layer_scratch *scratch, size_t count);

/** A weight times the factors of the traits that a layer has, one after the other; 1 each where it
 * has none. */
static inline double cm_times_traits(const cm_layer_weights *layer, const cm_candidate_look *look,
                                     double w)
{
    _Static_assert(CM_TRAIT_COUNT == 4, "one factor each: compilers leave a loop of four as it is");
    w *= layer->traits[CM_TRAIT_OS][cm_look_trait(look, CM_TRAIT_OS)];
    w *= layer->traits[CM_TRAIT_BROWSER][cm_look_trait(look, CM_TRAIT_BROWSER)];
    w *= layer->traits[CM_TRAIT_SCREEN][cm_look_trait(look, CM_TRAIT_SCREEN)];
    w *= layer->traits[CM_TRAIT_TIMEZONE][cm_look_trait(look, CM_TRAIT_TIMEZONE)];
    return w;
}

#endif

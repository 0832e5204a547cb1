/*
 * A device's newest click: docs/matching.md, section 5, "Repeat clicks". What is weighed so far is
 * each click as the only one of its device; a model that has `repeat` knows that a device clicks
 * again, from elsewhere or with another look, and asks which of its clicks is the newest.
 */
#ifndef CM_MATCH_NEWEST_H
#define CM_MATCH_NEWEST_H

#include "match/candidates.h"

/** How much speaks for older clicks of a device, by where its newest click is. */
typedef struct cm_older {
    double elsewhere, here; /* here: on the conversion's address */
} cm_older;

/**
 * Add an older click. How long ago it was tells nothing of whose it is; nor, where the newest one
 * is on the conversion's address, that it lies on another: of one address a device has one
 * candidate.
 *
 * @param evidence  how addresses compare, as of a look of layer 2
 * @param alone     its weight as the only click of its device, without LR_delay
 * @param elsewhere that without 1 - ip_m, too
 */
static inline void cm_older_add(cm_older *older, unsigned evidence, double alone, double elsewhere)
{
    bool differs = evidence == CM_COMPARE_DIFFERENT || evidence == CM_COMPARE_OTHER_FAMILY;
    older->elsewhere += alone;
    older->here += differs ? elsewhere : alone;
}

/** What there is for a newest click whose address compares so. */
static inline double cm_older_of(const cm_older *older, unsigned evidence)
{
    return evidence == CM_COMPARE_EQUAL ? older->here : older->elsewhere;
}

/**
 * Let each candidate of layer 2 stand for its device, older clicks of which are among the
 * candidates, too: scratch->weighed of scratch->looks.
 *
 * @param facts  r and left are needed
 * @param count  of them, newest first
 */
void cm_weigh_repeats(const cm_weights *weights, const cm_layer_facts *facts,
                      cm_layer_scratch *scratch, size_t count);

/**
 * Share the weight of the heaviest candidate of layer 2 with newer clicks on the conversion's
 * address that do not have its fingerprint: they may be the same device's. The sum stays.
 *
 * @param scratch  its weighed change, and stay newest first; newer and facts are filled
 * @param count    of scratch->weighed, at least 1
 * @return how many there are now
 */
size_t cm_share_with_newer(const cm_layer_context *context, const cm_query *query,
                           cm_layer_scratch *scratch, size_t count);

/**
 * Weigh scratch->looks by scratch->facts, and find devices' newest clicks: all that makes the
 * weights of a layer.
 *
 * @param u      as for cm_weigh_candidates
 * @param total  receives w0, rest and all weights
 * @return how many scratch->weighed there are: the looks, and in layer 2 what shares with them
 */
size_t cm_weigh_layer(const cm_layer_context *context, const cm_query *query,
                      enum cm_weighed_layer layer, double u, cm_layer_scratch *scratch,
                      double *total);

#endif

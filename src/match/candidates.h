/* What layers 2 and 3 do alike with their candidates, newest first. */
#ifndef CM_MATCH_CANDIDATES_H
#define CM_MATCH_CANDIDATES_H

#include "match/layers.h"

/** What a layer looks at. */
typedef struct cm_candidate_rules {
    cm_device_key (*device)(const cm_click_row *row);
    enum cm_comparison (*compare)(const cm_query *query, const cm_click_row *row);
} cm_candidate_rules;

/**
 * Look at the candidates in scratch->clicks: drop those that have expired at the conversion's time,
 * keep the first of each device, and compare.
 *
 * @param count  of scratch->clicks
 * @return how many scratch->looks there are now
 */
size_t cm_look_at_candidates(const cm_layer_context *context, const cm_query *query,
                             const cm_candidate_rules *rules, cm_layer_scratch *scratch,
                             size_t count);

/** Does any of scratch->looks share the evidence? */
bool cm_any_shares(const cm_layer_scratch *scratch, size_t count);

/**
 * Weigh them: scratch->weighed of scratch->looks.
 *
 * @param r  expected number of strangers that share the key, and this candidate's device
 * @param u  of layer 2, max((n_ip - 1) / N, ip_u_min); needed where cm_any_shares
 */
void cm_weigh_candidates(const cm_layer_context *context, enum cm_weighed_layer layer, double r,
                         double u, cm_layer_scratch *scratch, size_t count);

#endif

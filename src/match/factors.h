/* What a candidate's weight is made of, factor by factor: candidates.c multiplies them, explaining
 * shows them. */
#ifndef CM_MATCH_FACTORS_H
#define CM_MATCH_FACTORS_H

#include "match/candidates.h"

/**
 * The factors of a candidate's weight, in the order of docs/matching.md.
 *
 * @param u        as given to cm_weigh_candidates
 * @param factors  receives them, but for p_if_equal, which becomes -1; room for
 * CM_TRACE_FACTORS_MAX
 * @return how many
 */
uint32_t cm_candidate_factors(const cm_weights *weights, enum cm_weighed_layer layer, double r,
                              double u, const cm_candidate_look *look, cm_trace_factor *factors);

/** What being a device's newest click does to a weight. */
typedef struct cm_newest_part {
    double repeat; /* 1, and what older clicks of the device add */
    double shares; /* Y: what the weight is shared by; 1: by nobody */
} cm_newest_part;

/** The factors of that: two at most. Returns how many there are now. */
uint32_t cm_newest_factors(const cm_newest_part *part, cm_trace_factor *factors, uint32_t count);

/**
 * The factors of a click that shares the weight of a layer-2 candidate.
 *
 * @param whole   that weight, before it is shared
 * @param r       of them
 * @param shares  Y
 */
uint32_t cm_newer_factors(const cm_weights *weights, double whole, double r, double shares,
                          const cm_candidate_look *look, cm_trace_factor *factors);

/** Let the comparison that a factor stands for come out equal. @param at  its place among the
 * factors of cm_candidate_factors */
void cm_candidate_equate(const cm_weights *weights, enum cm_weighed_layer layer, uint32_t at,
                         cm_candidate_look *look);

#endif

/*
 * The last step of layers 2 and 3: of weights, a winner, its probability and its confidence. A pure
 * function of its input: docs/matching.md, section 5, "Both".
 */
#ifndef CM_MATCH_SCORER_H
#define CM_MATCH_SCORER_H

#include "model/model.h"

/** One candidate and its weight. */
typedef struct cm_weighed {
    uint32_t click;
    double w;
} cm_weighed;

/** What a layer's weights come to. */
typedef struct cm_score {
    bool success;
    double probability;                      /* of the best candidate, after calibration */
    double confidence;                       /* 4 decimals; 0 where not successful */
    double total;                            /* base and all weights */
    size_t best_count;                       /* at most CM_RESULT_CANDIDATES_MAX */
    uint32_t best[CM_RESULT_CANDIDATES_MAX]; /* clicks, largest weight first, then newest */
    double best_probabilities[CM_RESULT_CANDIDATES_MAX];
} cm_score;

/** base and all weights, added in their order. base: w0 + rest. */
double cm_total_weight(double base, const cm_weighed *candidates, size_t count);

/**
 * Score a layer's candidates.
 *
 * @param total       cm_total_weight of them
 * @param candidates  newest first
 * @param count       at least 1
 */
void cm_score_candidates(const cm_layer_model *layer, double total, const cm_weighed *candidates,
                         size_t count, cm_score *score);

/** A probability through a layer's calibration. */
double cm_calibrate(const cm_layer_model *layer, double probability);

#endif

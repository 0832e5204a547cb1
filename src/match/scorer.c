#include "match/scorer.h"

#include "util/check.h"

double cm_calibrate(const cm_layer_model *layer, double probability)
{
    if (layer->knot_count == 0)
        return probability;
    const cm_knot *knots = layer->knots;
    if (probability < knots[0].x)
        return knots[0].y;
    for (size_t i = 1; i < layer->knot_count; i++) {
        double x0 = knots[i - 1].x;
        double y0 = knots[i - 1].y;
        if (probability < knots[i].x)
            return y0 + (probability - x0) * (knots[i].y - y0) / (knots[i].x - x0);
    }
    return knots[layer->knot_count - 1].y;
}

/* Keep the largest, first come first among equals: candidates come newest first. */
static void keep_best(const cm_weighed *candidates, size_t count, cm_score *score)
{
    double weights[CM_RESULT_CANDIDATES_MAX];
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept == CM_RESULT_CANDIDATES_MAX && candidates[i].w <= weights[kept - 1])
            continue;
        size_t at = kept < CM_RESULT_CANDIDATES_MAX ? kept++ : kept - 1;
        for (; at > 0 && weights[at - 1] < candidates[i].w; at--) {
            weights[at] = weights[at - 1];
            score->best[at] = score->best[at - 1];
        }
        weights[at] = candidates[i].w;
        score->best[at] = candidates[i].click;
    }
    score->best_count = kept;
    for (size_t i = 0; i < kept; i++)
        score->best_probabilities[i] = weights[i];
}

static double round_confidence(double value)
{
    return (double)(int64_t)(value * 10000 + 0.5) / 10000;
}

double cm_total_weight(double base, const cm_weighed *candidates, size_t count)
{
    double total = base;
    for (size_t i = 0; i < count; i++)
        total += candidates[i].w;
    return total;
}

void cm_score_candidates(const cm_layer_model *layer, double total, const cm_weighed *candidates,
                         size_t count, cm_score *score)
{
    CM_ASSERT(count > 0);
    keep_best(candidates, count, score);
    for (size_t i = 0; i < score->best_count; i++)
        score->best_probabilities[i] = cm_calibrate(layer, score->best_probabilities[i] / total);
    double p = score->best_probabilities[0];
    double lo = layer->band_lo;
    double hi = layer->band_hi;
    score->total = total;
    score->probability = p;
    score->success = p >= lo;
    score->confidence =
        score->success ? round_confidence(lo + (hi - lo) * (p - lo) / (1 - lo)) : 0.0;
}

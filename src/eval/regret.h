/* What a model loses against another one. */
#ifndef CM_EVAL_REGRET_H
#define CM_EVAL_REGRET_H

#include "eval/judged.h"

/** A difference in log-loss. */
typedef struct cm_regret {
    uint64_t count; /* conversions that both weighed */
    double loss;    /* mean log-loss less the reference's, in nats; NaN for none */
    double share;   /* the same as a share of the reference's */
} cm_regret;

/**
 * The regret of a model: over the conversions that both weighed, each by its own best candidate.
 *
 * @param judged     the model's answers, `count` of them
 * @param reference  those of the reference, of the same conversions in the same order
 */
cm_regret cm_regret_of(const cm_judged *judged, const cm_judged *reference, size_t count);

#endif

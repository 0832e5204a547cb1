#include "eval/regret.h"

#include <math.h>

#include "eval/figures.h"

static double loss(const cm_judged *judged)
{
    return cm_log_loss(judged->probability, judged->verdict == CM_VERDICT_RIGHT_CLICK);
}

/* A sum must not depend on the order of the conversions: what is added are whole numbers. */
#define LOSS_UNIT 0x1p-32

cm_regret cm_regret_of(const cm_judged *judged, const cm_judged *reference, size_t count)
{
    cm_regret regret = {.loss = (double)NAN, .share = (double)NAN};
    int64_t own = 0, other = 0;
    for (size_t i = 0; i < count; i++) {
        if (judged[i].weighed == 0 || reference[i].weighed == 0)
            continue;
        regret.count++;
        own += (int64_t)(loss(&judged[i]) / LOSS_UNIT);
        other += (int64_t)(loss(&reference[i]) / LOSS_UNIT);
    }
    if (regret.count == 0)
        return regret;
    regret.loss = (double)(own - other) * LOSS_UNIT / (double)regret.count;
    regret.share = other == 0 ? (double)NAN : (double)(own - other) / (double)other;
    return regret;
}

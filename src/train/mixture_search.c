/* Where candidates are most likely. */
#include <math.h>

#include "train/mixture_parts.h"
#include "train/sums.h"

#define RIVALS_MIN 1e-4
#define RIVALS_MAX 100.0
#define STEPS_MAX 16 /* by one factor */

/*
 * How likely the candidates' comparisons are, given how many there are: over what they would be if
 * all were strangers, so that only the ratios matter. Each stranger's ratios are 1 on average, its
 * unit weight is the layer's reach.
 */
static void add_likelihood(void *context, size_t at, double *sums)
{
    const cm_mixture *mixture = context;
    const cm_train_chunk *chunk = &mixture->task->set->chunks[at];
    for (size_t i = 0; i < chunk->count; i++) {
        const cm_train_layer *layer = &chunk->conversions[i].layers[mixture->task->layer];
        if (!mixture->takes[at][i] || layer->count == 0)
            continue;
        cm_mixture_factors factors = cm_mixture_factors_of(mixture, layer);
        double n = layer->count, pairs = n * (n - 1) * mixture->pair_reach;
        double mean = factors.alone * (n * mixture->reach + factors.older * factors.alone * pairs);
        double sum = cm_mixture_weigh(mixture, chunk, layer, mixture->x[at]);
        sums[0] += log((mixture->w0 + sum) / (mixture->w0 + mean));
    }
}

static cm_status likelihood_at(cm_mixture *mixture, double rivals, double *likelihood,
                               cm_error *error)
{
    const atomic_bool *interrupted = mixture->task->interrupted;
    mixture->rivals = rivals;
    if (interrupted != NULL && atomic_load(interrupted))
        return cm_error_set(error, CM_ERROR_INTERRUPTED, "interrupted while learning");
    return cm_sum_chunks(mixture->task->set, mixture->task->threads, add_likelihood, mixture,
                         likelihood, 1, error);
}

/* Uphill by one factor, as far as it goes. */
static cm_status climb(cm_mixture *mixture, double factor, double *best, double *height,
                       cm_error *error)
{
    cm_status status = CM_OK;
    for (int step = 0; step < STEPS_MAX && status == CM_OK; step++) {
        double next = fmin(fmax(*best * factor, RIVALS_MIN), RIVALS_MAX), reached = 0.0;
        status = likelihood_at(mixture, next, &reached, error);
        if (status != CM_OK || !(reached > *height + 1e-9 * fabs(*height)))
            break;
        *best = next;
        *height = reached;
    }
    return status;
}

cm_status cm_mixture_search(cm_mixture *mixture, const double *factors, size_t factor_count,
                            double *height, cm_error *error)
{
    double best = mixture->rivals;
    cm_status status = likelihood_at(mixture, best, height, error);
    for (size_t i = 0; i < factor_count && status == CM_OK; i++) {
        status = climb(mixture, factors[i], &best, height, error);
        if (status == CM_OK)
            status = climb(mixture, 1 / factors[i], &best, height, error);
    }
    mixture->rivals = best;
    return status;
}

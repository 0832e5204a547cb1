/* Where candidates are most likely. */
#include <math.h>

#include "train/mixture_parts.h"
#include "train/sums.h"

#define RIVALS_MIN 1e-4
#define RIVALS_MAX 100.0
#define REPEAT_MIN 1e-4
#define REPEAT_MAX 50.0

static double clamp(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

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
        cm_mixture_factors factors = cm_mixture_factors_of(mixture, layer, mixture->point);
        double n = layer->count, pairs = n * (n - 1) * mixture->pair_reach;
        double mean = factors.alone * (n * mixture->reach + factors.older * factors.alone * pairs);
        double sum = cm_mixture_weigh(mixture, chunk, layer, mixture->x[at], mixture->point);
        sums[0] += log((mixture->w0 + sum) / (mixture->w0 + mean));
    }
}

static cm_status likelihood_at(cm_mixture *mixture, cm_mixture_point point, double *likelihood,
                               cm_error *error)
{
    mixture->point = point;
    return cm_sum_chunks(mixture->task->set, mixture->task->threads, add_likelihood, mixture,
                         likelihood, 1, error);
}

static cm_mixture_point moved(cm_mixture_point point, bool is_repeat, double factor)
{
    if (is_repeat)
        point.repeat = clamp(point.repeat * factor, REPEAT_MIN, REPEAT_MAX);
    else
        point.rivals = clamp(point.rivals * factor, RIVALS_MIN, RIVALS_MAX);
    return point;
}

/* Uphill along one coordinate, as far as it goes. */
static cm_status climb(cm_mixture *mixture, bool is_repeat, double factor, cm_mixture_point *best,
                       double *height, bool *has_moved, cm_error *error)
{
    cm_status status = CM_OK;
    for (double way = factor; status == CM_OK; way = 1 / factor) {
        for (int step = 0; step < 8 && status == CM_OK; step++) {
            cm_mixture_point next = moved(*best, is_repeat, way);
            double reached = 0.0;
            status = likelihood_at(mixture, next, &reached, error);
            if (status != CM_OK || !(reached > *height + 1e-9 * fabs(*height)))
                break;
            *best = next;
            *height = reached;
            *has_moved = true;
        }
        if (way != factor)
            break;
    }
    return status;
}

/* Rivals and repeat by coordinate ascent, with steps that get smaller. */
cm_status cm_mixture_search(cm_mixture *mixture, const double *factors, size_t factor_count,
                            double *height, cm_error *error)
{
    cm_mixture_point best = mixture->point;
    bool has_repeat = mixture->task->layer == CM_WEIGH_FINGERPRINT;
    cm_status status = likelihood_at(mixture, best, height, error);
    for (size_t i = 0; i < factor_count && status == CM_OK; i++) {
        bool has_moved = true;
        for (int round = 0; round < 4 && has_moved && status == CM_OK; round++) {
            has_moved = false;
            status = climb(mixture, false, factors[i], &best, height, &has_moved, error);
            if (status == CM_OK && has_repeat)
                status = climb(mixture, true, factors[i], &best, height, &has_moved, error);
        }
    }
    mixture->point = best;
    return status;
}

#include "train/newer.h"

#include <math.h>

#include "train/sums.h"
#include "train/unit_weight.h"

/* Steps of about a half: the likelihood is flat around its top. 0 comes first. */
static const double SCALE[] = {0.0,  0.002, 0.003, 0.005, 0.008, 0.012, 0.02, 0.03, 0.05,
                               0.08, 0.12,  0.2,   0.3,   0.5,   0.8,   1.2,  2.0};
#define SCALE_COUNT (sizeof SCALE / sizeof *SCALE)
#define NEWER_MIN 20 /* conversions; fewer tell nothing */

struct estimate {
    const cm_training_set *set;
    const cm_model *model;
    const cm_parameters *parameters;
    uint32_t group;
    double reach; /* a stranger's unit weight, on average */
};

static void add_conversion(const struct estimate *estimate, const cm_train_chunk *chunk,
                           const cm_train_layer *layer, double *sums)
{
    double r = estimate->parameters->probabilistic.rivals + (double)(layer->newer_count - 1);
    double expected = (double)layer->newer_count * estimate->reach / r, found = 0.0;
    for (uint32_t i = 0; i < layer->newer_count; i++)
        found += cm_unit_weight_newer(estimate->model, estimate->parameters,
                                      &chunk->looks[layer->first + layer->count + i]) /
                 r;
    for (size_t i = 0; i < SCALE_COUNT; i++)
        sums[i] += log(1 - layer->probability +
                       layer->probability * (1 + SCALE[i] * found) / (1 + SCALE[i] * expected));
    sums[SCALE_COUNT] += 1;
}

static void add_chunk(void *context, size_t at, double *sums)
{
    const struct estimate *estimate = context;
    const cm_train_chunk *chunk = &estimate->set->chunks[at];
    for (size_t i = 0; i < chunk->count; i++) {
        const cm_train_conversion *conversion = &chunk->conversions[i];
        const cm_train_layer *layer = &conversion->layers[CM_WEIGH_FINGERPRINT];
        bool is_meant = estimate->group == CM_NUMBER_NONE || estimate->group == conversion->group;
        if (is_meant && !conversion->is_held_out && conversion->is_open && layer->is_accepted &&
            layer->newer_count > 0)
            add_conversion(estimate, chunk, layer, sums);
    }
}

/* How far the bins reach, whatever keys they are found by. */
static double mean_unit(const cm_model *model, const cm_parameters *parameters)
{
    double sum = 0.0;
    for (size_t i = 0; i < model->bin_count && model->delay_hours[i] <= model->window_hours; i++)
        sum += parameters->delay_m[i] * parameters->ip_m[i];
    return sum;
}

cm_status cm_newer_estimate(const cm_training_set *set, const cm_model *model, uint32_t group,
                            unsigned threads, cm_parameters *parameters, uint64_t *count,
                            cm_error *error)
{
    double sums[SCALE_COUNT + 1];
    struct estimate estimate = {set, model, parameters, group, mean_unit(model, parameters)};
    cm_status status =
        cm_sum_chunks(set, threads, add_chunk, &estimate, sums, SCALE_COUNT + 1, error);
    if (status != CM_OK)
        return status;
    size_t best = 0;
    for (size_t i = 1; i < SCALE_COUNT; i++)
        if (sums[i] > sums[best])
            best = i;
    *count = (uint64_t)sums[SCALE_COUNT];
    if (*count >= NEWER_MIN)
        parameters->probabilistic.repeat = SCALE[best];
    return CM_OK;
}

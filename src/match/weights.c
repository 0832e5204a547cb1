#include "match/weights.h"

#include <stdlib.h>

static double lr_delay(const cm_model *model, size_t bin, double window_hours)
{
    double before = bin == 0 ? 0.0 : model->delay_hours[bin - 1];
    return model->delay_m[bin] / ((model->delay_hours[bin] - before) / window_hours);
}

static double reach(const cm_model *model, const double *m, double window_hours)
{
    double sum = 0.0;
    for (size_t i = 0; i < model->bin_count && model->delay_hours[i] <= window_hours; i++)
        sum += model->delay_m[i] * m[i];
    return sum;
}

static cm_bin_weights bin_weights(const cm_model *model, size_t bin)
{
    double fingerprint_m = model->fingerprint_m[bin];
    double ip_m = model->ip_m[bin];
    return (cm_bin_weights){
        .prior_m = {model->fingerprint.prior * fingerprint_m, model->probabilistic.prior * ip_m},
        .lr_delay = {lr_delay(model, bin, model->window_hours),
                     lr_delay(model, bin, model->probabilistic_window_hours)},
        .ip_m = ip_m,
        .lr_ip_different = 1 - ip_m,
        .lr_fingerprint_equal = fingerprint_m / model->fingerprint_u,
        .lr_fingerprint_different = (1 - fingerprint_m) / (1 - model->fingerprint_u),
    };
}

static void set_layer(cm_weights *weights, size_t layer, const cm_layer_model *of, double reached)
{
    weights->w0[layer] = 1 - of->prior * reached;
    weights->lr_ua_equal[layer] = of->user_agent_m / of->user_agent_u;
    weights->lr_ua_different[layer] = (1 - of->user_agent_m) / (1 - of->user_agent_u);
}

cm_status cm_weights_init(cm_weights *weights, const cm_model *model, cm_error *error)
{
    *weights = (cm_weights){.model = model};
    weights->bins = malloc(model->bin_count * sizeof *weights->bins);
    if (weights->bins == NULL)
        return cm_error_memory(error, "weights", model->bin_count * sizeof *weights->bins);
    for (size_t i = 0; i < model->bin_count; i++)
        weights->bins[i] = bin_weights(model, i);
    set_layer(weights, CM_WEIGH_FINGERPRINT, &model->fingerprint,
              reach(model, model->fingerprint_m, model->window_hours));
    set_layer(weights, CM_WEIGH_PROBABILISTIC, &model->probabilistic,
              reach(model, model->ip_m, model->probabilistic_window_hours));
    return CM_OK;
}

void cm_weights_destroy(cm_weights *weights)
{
    free(weights->bins);
    *weights = (cm_weights){0};
}

#include "match/weights.h"

#include <stdlib.h>

static double reach(const cm_weights *weights, const double *m, double window_hours)
{
    const cm_model *model = weights->model;
    double sum = 0.0;
    for (size_t i = 0; i < model->bin_count && model->delay_hours[i] <= window_hours; i++)
        sum += weights->parameters->delay_m[i] * m[i];
    return sum;
}

/* What makes an older click's weight of a weight. */
static void set_older(cm_bin_weights *bin)
{
    double lr_delay = bin->lr_delay[CM_WEIGH_FINGERPRINT];
    bin->older = lr_delay > 0 ? 1 / lr_delay : 0.0;
    bin->older_elsewhere = bin->older / bin->ip_different_m;
}

static cm_bin_weights bin_weights(const cm_weights *weights, size_t bin)
{
    const cm_model *model = weights->model;
    const cm_parameters *parameters = weights->parameters;
    double fingerprint_m = parameters->fingerprint_m[bin];
    double ip_m = parameters->ip_m[bin];
    double delay_m = parameters->delay_m[bin];
    double other_m = parameters->ip_other_m, other_u = parameters->ip_other_u;
    cm_bin_weights result = {
        .prior_m = {parameters->fingerprint.prior * fingerprint_m,
                    parameters->probabilistic.prior * ip_m},
        .lr_delay = {delay_m / cm_delay_u(weights, CM_WEIGH_FINGERPRINT, bin),
                     delay_m / cm_delay_u(weights, CM_WEIGH_PROBABILISTIC, bin)},
        .lr_delay_newer = delay_m / cm_delay_share(model, bin, model->window_hours),
        .ip_m = ip_m,
        .ip_different_m = 1 - ip_m,
        .repeat_m = parameters->probabilistic.repeat * ip_m,
        .lr_ip_different =
            weights->has_families ? (1 - ip_m) * (1 - other_m) / (1 - other_u) : 1 - ip_m,
        .lr_ip_other = weights->has_families ? (1 - ip_m) * other_m / other_u : 1 - ip_m,
        .lr_fingerprint_equal = fingerprint_m / parameters->fingerprint_u,
        .lr_fingerprint_different = (1 - fingerprint_m) / (1 - parameters->fingerprint_u),
    };
    set_older(&result);
    return result;
}

static void set_ratios(double ratios[CM_COMPARISONS], double m, double u)
{
    ratios[CM_COMPARE_MISSING] = 1.0;
    ratios[CM_COMPARE_EQUAL] = m / u;
    ratios[CM_COMPARE_DIFFERENT] = (1 - m) / (1 - u);
    ratios[CM_COMPARE_OTHER_FAMILY] = 1.0; /* of addresses alone */
}

static void set_layer(cm_layer_weights *weights, const cm_layer_model *of, double reached)
{
    weights->w0 = 1 - of->prior * reached;
    set_ratios(weights->user_agent, of->user_agent_m, of->user_agent_u);
    weights->repeat = of->repeat / of->prior;
    for (size_t i = 0; i < CM_TRAIT_COUNT; i++) {
        bool is_compared = of->traits[i].m > 0;
        weights->has_traits |= is_compared;
        set_ratios(weights->traits[i], is_compared ? of->traits[i].m : 0.5,
                   is_compared ? of->traits[i].u : 0.5);
    }
}

static bool init_weights(cm_weights *weights, const cm_model *model,
                         const cm_parameters *parameters)
{
    *weights = (cm_weights){
        .model = model,
        .parameters = parameters,
        .has_families = parameters->ip_other_m > 0,
        .bins = malloc(model->bin_count * sizeof *weights->bins),
    };
    if (weights->bins == NULL)
        return false;
    for (size_t i = 0; i < model->bin_count; i++)
        weights->bins[i] = bin_weights(weights, i);
    set_layer(&weights->layers[CM_WEIGH_FINGERPRINT], &parameters->fingerprint,
              reach(weights, parameters->fingerprint_m, model->window_hours));
    set_layer(&weights->layers[CM_WEIGH_PROBABILISTIC], &parameters->probabilistic,
              reach(weights, parameters->ip_m, model->probabilistic_window_hours));
    return true;
}

cm_status cm_scoring_init(cm_scoring *scoring, const cm_model *model, cm_error *error)
{
    size_t count = model->parameter_count;
    *scoring = (cm_scoring){.model = model, .weights = calloc(count, sizeof *scoring->weights)};
    bool ready = scoring->weights != NULL;
    for (size_t i = 0; i < count && ready; i++)
        ready = init_weights(&scoring->weights[i], model, &model->parameters[i]);
    if (ready)
        return CM_OK;
    cm_scoring_destroy(scoring);
    return cm_error_memory(error, "weights", count * sizeof *scoring->weights);
}

static void blind(cm_weights *weights)
{
    for (size_t i = 0; i < weights->model->bin_count; i++) {
        for (size_t layer = 0; layer < CM_WEIGHED_LAYER_COUNT; layer++)
            weights->bins[i].lr_delay[layer] = 1.0;
        weights->bins[i].lr_delay_newer = 1.0;
        set_older(&weights->bins[i]);
    }
}

void cm_scoring_set_rule(cm_scoring *scoring, cm_rule rule)
{
    scoring->rule = rule;
    for (size_t i = 0; i < scoring->model->parameter_count && rule == CM_RULE_BLIND; i++)
        blind(&scoring->weights[i]);
}

void cm_scoring_destroy(cm_scoring *scoring)
{
    for (size_t i = 0; scoring->weights != NULL && i < scoring->model->parameter_count; i++)
        free(scoring->weights[i].bins);
    free(scoring->weights);
    *scoring = (cm_scoring){0};
}

size_t cm_scoring_memory(const cm_scoring *scoring)
{
    return scoring->model->parameter_count *
           (sizeof *scoring->weights + scoring->model->bin_count * sizeof(cm_bin_weights));
}

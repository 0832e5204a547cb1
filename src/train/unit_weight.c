#include "train/unit_weight.h"

static double ratio(unsigned comparison, double m, double u)
{
    if (comparison == CM_COMPARE_MISSING)
        return 1.0;
    return comparison == CM_COMPARE_EQUAL ? m / u : (1 - m) / (1 - u);
}

static double address_ratio(const cm_parameters *parameters, const cm_train_look *look, double u)
{
    double m = parameters->ip_m[look->bin];
    bool has_families = parameters->ip_other_m > 0;
    switch (look->evidence) {
    case CM_COMPARE_MISSING:
        return 1.0;
    case CM_COMPARE_EQUAL:
        return m / u;
    case CM_COMPARE_OTHER_FAMILY:
        return has_families ? (1 - m) * parameters->ip_other_m / parameters->ip_other_u : 1 - m;
    default:
        return has_families ? (1 - m) * (1 - parameters->ip_other_m) / (1 - parameters->ip_other_u)
                            : 1 - m;
    }
}

static double traits_ratio(const cm_layer_model *layer, const cm_train_look *look)
{
    double product = 1.0;
    for (cm_trait i = 0; i < CM_TRAIT_COUNT; i++)
        if (layer->traits[i].m > 0)
            product *= ratio(cm_train_trait(look, i), layer->traits[i].m, layer->traits[i].u);
    return product;
}

/* Of the window, whose strangers' clicks are spread evenly where nothing else is known of them. */
static double delay_share(const cm_model *model, double window, size_t bin)
{
    double before = bin == 0 ? 0.0 : model->delay_hours[bin - 1];
    return (model->delay_hours[bin] - before) / window;
}

double cm_unit_window(const cm_model *model, enum cm_weighed_layer layer)
{
    return layer == CM_WEIGH_FINGERPRINT ? model->window_hours : model->probabilistic_window_hours;
}

double cm_unit_reach(const cm_model *model, const cm_parameters *parameters,
                     enum cm_weighed_layer layer)
{
    const double *m = layer == CM_WEIGH_FINGERPRINT ? parameters->fingerprint_m : parameters->ip_m;
    double window = cm_unit_window(model, layer), sum = 0.0;
    for (size_t i = 0; i < model->bin_count && model->delay_hours[i] <= window; i++)
        sum += parameters->delay_m[i] * m[i];
    return sum;
}

static double layer_weight(const cm_parameters *parameters, enum cm_weighed_layer layer,
                           double delay_u, const cm_train_look *look, double u)
{
    bool is_fingerprint = layer == CM_WEIGH_FINGERPRINT;
    double fingerprint_m = parameters->fingerprint_m[look->bin];
    const cm_layer_model *of =
        is_fingerprint ? &parameters->fingerprint : &parameters->probabilistic;
    double evidence = is_fingerprint
                          ? address_ratio(parameters, look, u)
                          : ratio(look->evidence, fingerprint_m, parameters->fingerprint_u);
    return (is_fingerprint ? fingerprint_m : parameters->ip_m[look->bin]) *
           (parameters->delay_m[look->bin] / delay_u) * evidence *
           ratio(look->user_agent, of->user_agent_m, of->user_agent_u) * traits_ratio(of, look);
}

double cm_unit_delay_u(const cm_model *model, const cm_parameters *parameters,
                       enum cm_weighed_layer layer, size_t bin)
{
    const cm_layer_model *of =
        layer == CM_WEIGH_FINGERPRINT ? &parameters->fingerprint : &parameters->probabilistic;
    return of->delay_u != NULL ? of->delay_u[bin]
                               : delay_share(model, cm_unit_window(model, layer), bin);
}

double cm_unit_weight(const cm_model *model, const cm_parameters *parameters,
                      enum cm_weighed_layer layer, const cm_train_look *look, double u)
{
    double delay_u = cm_unit_delay_u(model, parameters, layer, look->bin);
    return layer_weight(parameters, layer, delay_u, look, u);
}

double cm_unit_weight_newer(const cm_model *model, const cm_parameters *parameters,
                            const cm_train_look *look)
{
    return layer_weight(parameters, CM_WEIGH_PROBABILISTIC,
                        delay_share(model, model->window_hours, look->bin), look, 1.0);
}

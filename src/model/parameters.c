#include "model/parameters.h"

#include <stdlib.h>
#include <string.h>

#include "util/error.h"

static const double DEFAULT_DELAY_M[CM_DEFAULT_BIN_COUNT] = {0.06,  0.19,  0.195, 0.105,
                                                             0.086, 0.214, 0.15};
static const double DEFAULT_FINGERPRINT_M[CM_DEFAULT_BIN_COUNT] = {0.90, 0.90, 0.90, 0.88,
                                                                   0.85, 0.80, 0.70};
static const double DEFAULT_IP_M[CM_DEFAULT_BIN_COUNT] = {0.80, 0.80, 0.80, 0.68, 0.62, 0.52, 0.48};

static const cm_parameters DEFAULT_PARAMETERS = {
    .fingerprint_u = 0.01,
    .ip_u_min = 0.001,
    .fingerprint = {.prior = 0.5,
                    .rivals = 0.15,
                    .user_agent_m = 0.90,
                    .user_agent_u = 0.15,
                    .band_lo = 0.6,
                    .band_hi = 0.9},
    .probabilistic = {.prior = 0.2,
                      .rivals = 0.30,
                      .user_agent_m = 0.90,
                      .user_agent_u = 0.05,
                      .band_lo = 0.3,
                      .band_hi = 0.6},
};

const char *const cm_trait_names[CM_TRAIT_COUNT] = {"os", "browser", "screen", "timezone"};

void *cm_copy_bytes(const void *bytes, size_t size, bool *failed)
{
    void *copy = malloc(size);
    if (copy == NULL)
        *failed = true;
    else
        memcpy(copy, bytes, size);
    return copy;
}

char *cm_copy_text(const char *text, bool *failed)
{
    return cm_copy_bytes(text, strlen(text) + 1, failed);
}

static void copy_bins(cm_parameters *copy, const double *delay_m, const double *fingerprint_m,
                      const double *ip_m, size_t bin_count, bool *failed)
{
    size_t bytes = bin_count * sizeof(double);
    copy->delay_m = cm_copy_bytes(delay_m, bytes, failed);
    copy->fingerprint_m = cm_copy_bytes(fingerprint_m, bytes, failed);
    copy->ip_m = cm_copy_bytes(ip_m, bytes, failed);
}

void cm_parameters_make_default(cm_parameters *parameters, bool *failed)
{
    *parameters = DEFAULT_PARAMETERS;
    copy_bins(parameters, DEFAULT_DELAY_M, DEFAULT_FINGERPRINT_M, DEFAULT_IP_M,
              CM_DEFAULT_BIN_COUNT, failed);
}

static void copy_layer(cm_layer_model *copy, const cm_layer_model *layer, size_t bin_count,
                       bool *failed)
{
    copy->delay_u = layer->delay_u == NULL
                        ? NULL
                        : cm_copy_bytes(layer->delay_u, bin_count * sizeof *layer->delay_u, failed);
    copy->knots =
        layer->knot_count == 0
            ? NULL
            : cm_copy_bytes(layer->knots, layer->knot_count * sizeof *layer->knots, failed);
}

void cm_parameters_copy(cm_parameters *copy, const cm_parameters *parameters, size_t bin_count,
                        bool *failed)
{
    *copy = *parameters;
    copy_bins(copy, parameters->delay_m, parameters->fingerprint_m, parameters->ip_m, bin_count,
              failed);
    copy_layer(&copy->fingerprint, &parameters->fingerprint, bin_count, failed);
    copy_layer(&copy->probabilistic, &parameters->probabilistic, bin_count, failed);
}

static void destroy_layer(cm_layer_model *layer)
{
    free(layer->delay_u);
    free(layer->knots);
}

void cm_parameters_destroy(cm_parameters *parameters)
{
    free(parameters->delay_m);
    free(parameters->fingerprint_m);
    free(parameters->ip_m);
    destroy_layer(&parameters->fingerprint);
    destroy_layer(&parameters->probabilistic);
}

static cm_status check_delay_sum(const cm_parameters *parameters, size_t bin_count,
                                 const char *section, cm_error *error)
{
    double sum = 0;
    for (size_t i = 0; i < bin_count; i++)
        sum += parameters->delay_m[i];
    if (sum > 1)
        return cm_error_set(error, CM_ERROR_MODEL,
                            "model: %sdelay_m: the values sum to %.17g; at most 1 is possible",
                            section, sum);
    return CM_OK;
}

static cm_status check_families(const cm_parameters *parameters, const char *section,
                                cm_error *error)
{
    double m = parameters->ip_other_m;
    if ((m > 0) != (parameters->ip_other_u > 0))
        return cm_error_set(error, CM_ERROR_MODEL,
                            "model: %s%s: missing; ip_other_m and ip_other_u come together",
                            section, m > 0 ? "ip_other_u" : "ip_other_m");
    return CM_OK;
}

cm_status cm_parameters_check(const cm_parameters *parameters, size_t bin_count,
                              const char *section, cm_error *error)
{
    cm_status status = check_delay_sum(parameters, bin_count, section, error);
    return status == CM_OK ? check_families(parameters, section, error) : status;
}

static bool layer_has_traits(const cm_layer_model *layer)
{
    for (size_t i = 0; i < CM_TRAIT_COUNT; i++)
        if (layer->traits[i].m > 0)
            return true;
    return false;
}

bool cm_parameters_have_traits(const cm_parameters *parameters)
{
    return layer_has_traits(&parameters->fingerprint) ||
           layer_has_traits(&parameters->probabilistic);
}

#include "train/trained.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/parameters.h"

static void forget_knots(cm_layer_model *layer)
{
    free(layer->knots);
    layer->knots = NULL;
    layer->knot_count = 0;
}

static cm_status copy(const cm_trained *trained, const cm_parameters *from, cm_parameters *to,
                      cm_error *error)
{
    bool failed = false;
    cm_parameters_copy(to, from, trained->bin_count, &failed);
    return failed ? cm_error_memory(error, "a model", trained->bin_count * 3 * sizeof(double))
                  : CM_OK;
}

cm_status cm_trained_init(cm_trained *trained, const cm_model *base,
                          const char *const *device_types, size_t count, cm_error *error)
{
    bool failed = false;
    *trained = (cm_trained){
        .base = base, .name = base->name, .version = base->version, .bin_count = base->bin_count};
    trained->delay_hours =
        cm_copy_bytes(base->delay_hours, base->bin_count * sizeof(double), &failed);
    trained->sections = calloc(count + 1, sizeof *trained->sections);
    if (failed || trained->sections == NULL)
        return cm_error_memory(error, "sections", count * sizeof *trained->sections);
    cm_status status = copy(trained, &base->parameters[0], &trained->own, error);
    forget_knots(&trained->own.fingerprint);
    forget_knots(&trained->own.probabilistic);
    for (size_t i = 0; i < count && status == CM_OK; i++) {
        cm_trained_section *section = &trained->sections[trained->section_count++];
        section->device_type = strdup(device_types[i]);
        status = section->device_type == NULL
                     ? cm_error_memory(error, "a device type", 0)
                     : copy(trained, &trained->own, &section->parameters, error);
    }
    return status;
}

static void destroy_section(cm_trained_section *section)
{
    free(section->device_type);
    cm_parameters_destroy(&section->parameters);
}

cm_status cm_trained_reset(cm_trained *trained, cm_parameters *parameters, cm_error *error)
{
    cm_parameters_destroy(parameters);
    return copy(trained, &trained->own, parameters, error);
}

void cm_trained_destroy(cm_trained *trained)
{
    for (size_t i = 0; i < trained->section_count; i++)
        destroy_section(&trained->sections[i]);
    free(trained->sections);
    free(trained->delay_hours);
    cm_parameters_destroy(&trained->own);
    *trained = (cm_trained){0};
}

/* ---- bins ---- */

/* Where a bin is halved: in the middle of its delays' logarithms, the first bin in its middle. */
static double middle(double before, double edge)
{
    char text[32];
    snprintf(text, sizeof text, "%.6g", before > 0 ? sqrt(before * edge) : edge / 2);
    return strtod(text, NULL);
}

/* Edges are told apart in microseconds. */
static bool can_be_halved(double before, double edge)
{
    double least = 2.0 / (double)CM_HOUR_US, cut = middle(before, edge);
    return cut - before >= least && edge - cut >= least;
}

/* values: as many as there were, or NULL; receives twice as many. */
static bool double_values(double **values, size_t count)
{
    if (*values == NULL || count == 0)
        return true;
    double *doubled = realloc(*values, 2 * count * sizeof *doubled);
    if (doubled == NULL)
        return false;
    *values = doubled;
    for (size_t i = count; i-- > 0;)
        doubled[2 * i] = doubled[2 * i + 1] = doubled[i];
    return true;
}

/* What was said of a whole bin, of its halves. */
static void share_out(double *values, size_t bin, double first)
{
    if (values == NULL)
        return;
    values[2 * bin] *= first;
    values[2 * bin + 1] *= 1 - first;
}

static bool halve_parameters(cm_parameters *parameters, const double *edges, size_t count)
{
    bool ready = double_values(&parameters->delay_m, count) &&
                 double_values(&parameters->fingerprint_m, count) &&
                 double_values(&parameters->ip_m, count) &&
                 double_values(&parameters->fingerprint.delay_u, count) &&
                 double_values(&parameters->probabilistic.delay_u, count);
    for (size_t i = 0; i < count && ready; i++) {
        double before = i == 0 ? 0 : edges[2 * i - 1];
        double first = (edges[2 * i] - before) / (edges[2 * i + 1] - before);
        share_out(parameters->delay_m, i, first);
        share_out(parameters->fingerprint.delay_u, i, first);
        share_out(parameters->probabilistic.delay_u, i, first);
    }
    return ready;
}

cm_status cm_trained_halve_bins(cm_trained *trained, size_t bin_count_max, cm_error *error)
{
    size_t count = trained->bin_count;
    double before = 0;
    bool can_be = 2 * count <= bin_count_max;
    for (size_t i = 0; i < count && can_be; i++)
        can_be = can_be_halved(i == 0 ? 0 : trained->delay_hours[i - 1], trained->delay_hours[i]);
    if (!can_be)
        return CM_OK;
    bool ready = double_values(&trained->delay_hours, count);
    for (size_t i = 0; i < count && ready; i++) {
        double edge = trained->delay_hours[2 * i + 1];
        trained->delay_hours[2 * i] = middle(before, edge);
        before = edge;
    }
    ready = ready && halve_parameters(&trained->own, trained->delay_hours, count);
    if (ready)
        trained->bin_count = 2 * count;
    cm_status status = CM_OK;
    for (size_t i = 0; i < trained->section_count && ready && status == CM_OK; i++)
        status = cm_trained_reset(trained, &trained->sections[i].parameters, error);
    return ready ? status : cm_error_memory(error, "delay bins", 2 * count * sizeof(double));
}

/* ---- rounding ---- */

#define CHANCE_MIN 1e-4
#define DELAY_U_MIN 1e-9 /* bins may be seconds of a week */

static void round_number(double *number)
{
    char text[32];
    snprintf(text, sizeof text, "%.6g", *number);
    *number = strtod(text, NULL);
}

/* 0 stands for what is not there. */
static void round_chance(double *chance)
{
    if (*chance > 0)
        *chance = fmin(fmax(*chance, CHANCE_MIN), 1 - CHANCE_MIN);
    round_number(chance);
}

/* Of knots that come together the last stays: it is the highest. */
static void round_knots(cm_layer_model *layer)
{
    size_t kept = 0;
    for (size_t i = 0; i < layer->knot_count; i++) {
        cm_knot knot = layer->knots[i];
        round_number(&knot.x);
        round_number(&knot.y);
        kept -= kept > 0 && layer->knots[kept - 1].x >= knot.x;
        layer->knots[kept++] = knot;
    }
    layer->knot_count = kept;
}

/* What a file says of a band may lie closer together, or to 1, than six digits tell. */
static void round_band(cm_layer_model *layer)
{
    double lo = layer->band_lo, hi = layer->band_hi;
    round_number(&lo);
    round_number(&hi);
    if (lo < hi && hi < 1) {
        layer->band_lo = lo;
        layer->band_hi = hi;
    }
}

static void round_layer(cm_layer_model *layer, size_t bin_count)
{
    for (size_t i = 0; i < bin_count && layer->delay_u != NULL; i++) {
        layer->delay_u[i] = fmin(fmax(layer->delay_u[i], DELAY_U_MIN), 1 - CHANCE_MIN);
        round_number(&layer->delay_u[i]);
    }

    round_chance(&layer->prior);
    round_chance(&layer->user_agent_m);
    round_chance(&layer->user_agent_u);
    round_number(&layer->rivals);
    round_number(&layer->repeat);
    round_band(layer);
    for (size_t i = 0; i < CM_TRAIT_COUNT; i++) {
        round_chance(&layer->traits[i].m);
        round_chance(&layer->traits[i].u);
    }
    round_knots(layer);
}

/* Decimals, not digits: their sum must not pass 1, and so each is rounded down. What is a decimal
 * already stays, though times a million it may come out below. */
static void round_delays(double *delay_m, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        delay_m[i] = fmin(floor(delay_m[i] * 1e6 + 1e-6), 999999) / 1e6;
        round_number(&delay_m[i]);
    }
    for (double sum = 2; sum > 1;) {
        size_t largest = 0;
        sum = 0;
        for (size_t i = 0; i < count; i++) {
            sum += delay_m[i];
            largest = delay_m[i] > delay_m[largest] ? i : largest;
        }
        if (sum > 1) {
            delay_m[largest] -= 1e-6;
            round_number(&delay_m[largest]);
        }
    }
}

static void round_parameters(cm_parameters *parameters, size_t bin_count)
{
    round_delays(parameters->delay_m, bin_count);
    for (size_t i = 0; i < bin_count; i++) {
        round_chance(&parameters->fingerprint_m[i]);
        round_chance(&parameters->ip_m[i]);
    }
    round_chance(&parameters->ip_other_m);
    round_chance(&parameters->ip_other_u);
    round_chance(&parameters->fingerprint_u);
    round_layer(&parameters->fingerprint, bin_count);
    round_layer(&parameters->probabilistic, bin_count);
}

void cm_trained_round(cm_trained *trained)
{
    round_parameters(&trained->own, trained->bin_count);
    for (size_t i = 0; i < trained->section_count; i++)
        round_parameters(&trained->sections[i].parameters, trained->bin_count);
}

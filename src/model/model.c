#include "model/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/model_draft.h"
#include "util/error.h"

#define DEFAULT_BIN_COUNT 7

static const double DEFAULT_DELAY_HOURS[DEFAULT_BIN_COUNT] = {
    0.016666666666666666, 0.16666666666666666, 1, 6, 24, 72, 168};
static const double DEFAULT_DELAY_M[DEFAULT_BIN_COUNT] = {0.06,  0.19,  0.195, 0.105,
                                                          0.086, 0.214, 0.15};
static const double DEFAULT_FINGERPRINT_M[DEFAULT_BIN_COUNT] = {0.90, 0.90, 0.90, 0.88,
                                                                0.85, 0.80, 0.70};
static const double DEFAULT_IP_M[DEFAULT_BIN_COUNT] = {0.80, 0.80, 0.80, 0.68, 0.62, 0.52, 0.48};

static const cm_model DEFAULT_MODEL = {
    .window_hours = 168,
    .probabilistic_window_hours = 24,
    .retention_hours = 24,
    .max_candidates = 64,
    .ipv4_prefix = 32,
    .ipv6_prefix = 64,
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

/* Owned copies of what a model points to. Each raises failed where memory is short. */

static void *copy_bytes(const void *bytes, size_t size, bool *failed)
{
    void *copy = malloc(size);
    if (copy == NULL)
        *failed = true;
    else
        memcpy(copy, bytes, size);
    return copy;
}

static char *copy_text(const char *text, bool *failed)
{
    return copy_bytes(text, strlen(text) + 1, failed);
}

static double *copy_doubles(const double *numbers, size_t count, bool *failed)
{
    return copy_bytes(numbers, count * sizeof *numbers, failed);
}

static void copy_knots(cm_layer_model *copy, const cm_layer_model *layer, bool *failed)
{
    copy->knots = layer->knot_count == 0
                      ? NULL
                      : copy_bytes(layer->knots, layer->knot_count * sizeof *layer->knots, failed);
}

/* The default model but for its label, bin_count and times in microseconds. */
static cm_model *create_default(void)
{
    bool failed = false;
    cm_model *model = copy_bytes(&DEFAULT_MODEL, sizeof DEFAULT_MODEL, &failed);
    if (failed)
        return NULL;
    model->name = copy_text("default", &failed);
    model->version = copy_text("1", &failed);
    model->delay_hours = copy_doubles(DEFAULT_DELAY_HOURS, DEFAULT_BIN_COUNT, &failed);
    model->delay_m = copy_doubles(DEFAULT_DELAY_M, DEFAULT_BIN_COUNT, &failed);
    model->fingerprint_m = copy_doubles(DEFAULT_FINGERPRINT_M, DEFAULT_BIN_COUNT, &failed);
    model->ip_m = copy_doubles(DEFAULT_IP_M, DEFAULT_BIN_COUNT, &failed);
    if (!failed)
        return model;
    cm_model_destroy(model);
    return NULL;
}

static cm_status make_label(cm_model *model, cm_error *error)
{
    size_t size = strlen(model->name) + strlen(model->version) + 2;
    model->label = malloc(size);
    if (model->label == NULL)
        return cm_error_memory(error, "a model", size);
    snprintf(model->label, size, "%s@%s", model->name, model->version);
    return CM_OK;
}

cm_status cm_model_create(const char *json, size_t size, cm_model **model, cm_error *error)
{
    cm_model_draft draft = {.model = create_default(), .error = error};
    if (draft.model == NULL)
        return cm_error_memory(error, "a model", sizeof **model);
    for (size_t i = 0; i < CM_BINS_COUNT; i++)
        draft.bin_counts[i] = DEFAULT_BIN_COUNT;
    cm_status status = CM_OK;
    if (json != NULL || size > 0)
        status = cm_model_draft_read(&draft, json, size);
    if (status == CM_OK)
        status = cm_model_draft_check(&draft);
    if (status == CM_OK)
        status = make_label(draft.model, error);
    if (status == CM_OK)
        *model = draft.model;
    else
        cm_model_destroy(draft.model);
    return status;
}

void cm_model_destroy(cm_model *model)
{
    if (model == NULL)
        return;
    free(model->name);
    free(model->version);
    free(model->label);
    free(model->delay_us);
    free(model->delay_hours);
    free(model->delay_m);
    free(model->fingerprint_m);
    free(model->ip_m);
    free(model->fingerprint.knots);
    free(model->probabilistic.knots);
    free(model);
}

const char *cm_model_label(const cm_model *model)
{
    return model->label;
}

cm_model *cm_model_copy(const cm_model *model)
{
    bool failed = false;
    size_t bins = model->bin_count;
    cm_model *copy = copy_bytes(model, sizeof *model, &failed);
    if (failed)
        return NULL;
    copy->name = copy_text(model->name, &failed);
    copy->version = copy_text(model->version, &failed);
    copy->label = copy_text(model->label, &failed);
    copy->delay_us = copy_bytes(model->delay_us, bins * sizeof *model->delay_us, &failed);
    copy->delay_hours = copy_doubles(model->delay_hours, bins, &failed);
    copy->delay_m = copy_doubles(model->delay_m, bins, &failed);
    copy->fingerprint_m = copy_doubles(model->fingerprint_m, bins, &failed);
    copy->ip_m = copy_doubles(model->ip_m, bins, &failed);
    copy_knots(&copy->fingerprint, &model->fingerprint, &failed);
    copy_knots(&copy->probabilistic, &model->probabilistic, &failed);
    if (!failed)
        return copy;
    cm_model_destroy(copy);
    return NULL;
}

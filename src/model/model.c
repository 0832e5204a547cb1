#include "model/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/model_draft.h"
#include "model/sections.h"
#include "util/error.h"

static const double DEFAULT_DELAY_HOURS[CM_DEFAULT_BIN_COUNT] = {
    0.016666666666666666, 0.16666666666666666, 1, 6, 24, 72, 168};

static const cm_model DEFAULT_MODEL = {
    .window_hours = 168,
    .probabilistic_window_hours = 24,
    .retention_hours = 24,
    .max_candidates = 64,
    .ipv4_prefix = 32,
    .ipv6_prefix = 64,
};

/* The default model but for its label, bin_count and times in microseconds. */
static cm_model *create_default(void)
{
    bool failed = false;
    cm_model *model = cm_copy_bytes(&DEFAULT_MODEL, sizeof DEFAULT_MODEL, &failed);
    if (failed)
        return NULL;
    model->name = cm_copy_text("default", &failed);
    model->version = cm_copy_text("1", &failed);
    model->delay_hours = cm_copy_bytes(DEFAULT_DELAY_HOURS, sizeof DEFAULT_DELAY_HOURS, &failed);
    model->parameters = calloc(1, sizeof *model->parameters);
    if (model->parameters == NULL)
        failed = true;
    if (!failed) {
        model->parameter_count = 1;
        cm_parameters_make_default(&model->parameters[0], &failed);
    }
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
    for (size_t i = 0; i <= CM_BINS_IP_M; i++)
        draft.bin_counts[i] = CM_DEFAULT_BIN_COUNT;
    cm_status status = json != NULL || size > 0 ? cm_model_draft_read(&draft, json, size)
                                                : cm_model_draft_check(&draft);
    for (size_t i = 0; i < draft.model->parameter_count; i++)
        draft.model->has_traits |= cm_parameters_have_traits(&draft.model->parameters[i]);
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
    for (size_t i = 0; i < model->parameter_count; i++)
        cm_parameters_destroy(&model->parameters[i]);
    free(model->parameters);
    cm_sections_destroy(model);
    free(model);
}

const char *cm_model_label(const cm_model *model)
{
    return model->label;
}

static void copy_parameters(cm_model *copy, const cm_model *model, bool *failed)
{
    copy->parameter_count = 0;
    copy->parameters = calloc(model->parameter_count, sizeof *copy->parameters);
    if (copy->parameters == NULL) {
        *failed = true;
        return;
    }
    for (size_t i = 0; i < model->parameter_count; i++)
        cm_parameters_copy(&copy->parameters[copy->parameter_count++], &model->parameters[i],
                           model->bin_count, failed);
}

cm_model *cm_model_copy(const cm_model *model)
{
    bool failed = false;
    size_t bins = model->bin_count;
    cm_model *copy = cm_copy_bytes(model, sizeof *model, &failed);
    if (failed)
        return NULL;
    copy->name = cm_copy_text(model->name, &failed);
    copy->version = cm_copy_text(model->version, &failed);
    copy->label = cm_copy_text(model->label, &failed);
    copy->delay_us = cm_copy_bytes(model->delay_us, bins * sizeof *model->delay_us, &failed);
    copy->delay_hours =
        cm_copy_bytes(model->delay_hours, bins * sizeof *model->delay_hours, &failed);
    copy_parameters(copy, model, &failed);
    cm_sections_copy(copy, model, &failed);
    if (!failed)
        return copy;
    cm_model_destroy(copy);
    return NULL;
}

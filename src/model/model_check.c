#include <stdlib.h>

#include "model/model_draft.h"
#include "util/error.h"

static int64_t microseconds_of(double hours)
{
    return (int64_t)(hours * 3600000000.0 + 0.5);
}

cm_status cm_model_draft_check_counts(const cm_model_draft *draft, const char *section)
{
    static const char *const names[] = {
        [CM_BINS_DELAY_HOURS] = "delay_hours",
        [CM_BINS_DELAY_M] = "delay_m",
        [CM_BINS_FINGERPRINT_M] = "fingerprint_m",
        [CM_BINS_IP_M] = "ip_m",
        [CM_BINS_FINGERPRINT_DELAY_U] = "fingerprint.delay_u",
        [CM_BINS_PROBABILISTIC_DELAY_U] = "probabilistic.delay_u",
    };
    size_t bins = draft->bin_counts[CM_BINS_DELAY_HOURS];
    for (size_t i = 0; i < CM_BINS_COUNT; i++)
        if (draft->bin_counts[i] != 0 && draft->bin_counts[i] != bins)
            return cm_error_set(
                draft->error, CM_ERROR_MODEL,
                "model: %s%s: %zu values where delay_hours has %zu; give one per bin", section,
                names[i], draft->bin_counts[i], bins);
    return CM_OK;
}

/* Edges rise as written and in microseconds. */
static cm_status check_edges(const cm_model_draft *draft)
{
    cm_model *model = draft->model;
    model->delay_us = malloc(model->bin_count * sizeof *model->delay_us);
    if (model->delay_us == NULL)
        return cm_error_memory(draft->error, "a model", model->bin_count * sizeof *model->delay_us);
    double before = 0;
    for (size_t i = 0; i < model->bin_count; i++) {
        double edge = model->delay_hours[i];
        model->delay_us[i] = microseconds_of(edge);
        if (!(edge > before) || model->delay_us[i] <= microseconds_of(before))
            return cm_error_set(draft->error, CM_ERROR_MODEL,
                                "model: delay_hours: edge %zu, %.17g, is not above %.17g by a "
                                "microsecond or more; edges must rise",
                                i + 1, edge, before);
        before = edge;
    }
    return CM_OK;
}

static cm_status check_window(const cm_model_draft *draft, const char *name, double hours)
{
    const cm_model *model = draft->model;
    if (hours > CM_WINDOW_HOURS_LIMIT)
        return cm_error_set(draft->error, CM_ERROR_MODEL, "model: %s: %.17g is above %g hours",
                            name, hours, CM_WINDOW_HOURS_LIMIT);
    for (size_t i = 0; i < model->bin_count; i++)
        if (model->delay_hours[i] == hours)
            return CM_OK;
    return cm_error_set(draft->error, CM_ERROR_MODEL,
                        "model: %s: %.17g is no edge of delay_hours; add a bin that ends there",
                        name, hours);
}

cm_status cm_model_draft_check(cm_model_draft *draft)
{
    cm_model *model = draft->model;
    cm_status status = cm_model_draft_check_counts(draft, "");
    model->bin_count = draft->bin_counts[CM_BINS_DELAY_HOURS];
    if (status == CM_OK)
        status = check_edges(draft);
    if (status == CM_OK)
        status = cm_parameters_check(&model->parameters[0], model->bin_count, "", draft->error);
    if (status == CM_OK)
        status = check_window(draft, "window_hours", model->window_hours);
    if (status == CM_OK)
        status =
            check_window(draft, "probabilistic_window_hours", model->probabilistic_window_hours);
    if (status != CM_OK)
        return status;
    model->window_us = microseconds_of(model->window_hours);
    model->probabilistic_window_us = microseconds_of(model->probabilistic_window_hours);
    model->retention_us = microseconds_of(model->retention_hours);
    return CM_OK;
}

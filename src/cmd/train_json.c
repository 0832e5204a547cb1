/* Figures of training for a registry: those of the new model as plain numbers, which `model list`
 * shows, and the base's beside them. */
#include <math.h>

#include "cmd/train.h"
#include "util/json.h"

static json_t *number(double value)
{
    return isnan(value) ? json_null() : json_real(value);
}

static json_t *figures_json(const cm_figures *figures)
{
    static const struct {
        const char *name;
        cm_metric metric;
    } shown[] = {
        {"f05", CM_METRIC_F_HALF},
        {"precision", CM_METRIC_PRECISION},
        {"recall", CM_METRIC_RECALL},
        {"log_loss", CM_METRIC_LOG_LOSS},
        {"brier", CM_METRIC_BRIER},
        {"calibration_error", CM_METRIC_ACCEPTED_ECE},
        {"organic_matched", CM_METRIC_ORGANIC_MATCHED},
    };
    json_t *object = json_object();
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        object = cm_json_with(object, shown[i].name, number(figures->values[shown[i].metric]));
    return object;
}

static json_t *difference_json(const cm_paired_figure *figure)
{
    return json_pack("{s:o,s:o,s:o,s:o}", "difference", number(figure->difference), "low",
                     number(figure->low), "high", number(figure->high), "p", number(figure->p));
}

json_t *cm_train_json(const cm_training *training)
{
    const cm_judged_pair *pair = &training->pair;
    const cm_learn_counts *own = &training->learned.own;
    json_t *object = figures_json(&pair->figures[1]);
    json_t *more =
        json_pack("{s:s,s:I,s:I,s:I,s:I,s:s,s:o,s:o,s:o}", "judged_by",
                  training->has_truth ? "truth" : "labels", "judged", (json_int_t)pair->conversions,
                  "masked", (json_int_t)pair->masked, "labels", (json_int_t)own->labels.labels,
                  "open", (json_int_t)own->layers[CM_WEIGH_FINGERPRINT].conversions, "base",
                  cm_model_label(training->base), "base_figures", figures_json(&pair->figures[0]),
                  "log_loss_change", difference_json(&pair->paired.figures[CM_PAIRED_LOG_LOSS]),
                  "f05_change", difference_json(&pair->paired.figures[CM_PAIRED_F_HALF]));
    return cm_json_joined(object, more);
}

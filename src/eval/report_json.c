/* An evaluation as JSON. What does not exist is null. */
#include <jansson.h>
#include <math.h>

#include "eval/report.h"
#include "util/json.h"

static const char *const scope_keys[CM_SCOPE_COUNT] = {"layer_2", "layer_3", "both"};

/* jansson's packing gives NULL on any failure within, and frees what it was given. */
static json_t *real(double value)
{
    return isnan(value) ? json_null() : json_real(value);
}

static json_t *metrics_json(const cm_figures *figures)
{
    json_t *metrics = json_object();
    for (unsigned i = 0; i < CM_METRIC_COUNT; i++) {
        json_t *metric = json_pack("{s:o,s:o,s:o}", "value", real(figures->values[i]), "low",
                                   real(figures->low[i]), "high", real(figures->high[i]));
        metrics = cm_json_with(metrics, cm_metric_name((cm_metric)i), metric);
    }
    return metrics;
}

static json_t *figures_json(const cm_figures *figures)
{
    const cm_tallies *t = &figures->tallies;
    const uint64_t *by = t->by_verdict;
    json_t *counts =
        json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "conversions",
                  (json_int_t)t->conversions, "with_click", (json_int_t)t->with_click, "organic",
                  (json_int_t)t->organic, "weighed", (json_int_t)t->weighed, "attributed",
                  (json_int_t)t->attributed, "right_click", (json_int_t)by[CM_VERDICT_RIGHT_CLICK],
                  "other_click", (json_int_t)by[CM_VERDICT_OTHER_CLICK], "other_device",
                  (json_int_t)by[CM_VERDICT_OTHER_DEVICE], "organic_matched",
                  (json_int_t)by[CM_VERDICT_ORGANIC], "same_ad", (json_int_t)t->same_ad,
                  "same_campaign", (json_int_t)t->same_campaign);
    return json_pack("{s:o,s:o,s:I,s:I}", "counts", counts, "metrics", metrics_json(figures),
                     "sweep_bins", (json_int_t)figures->sweep_bins, "accepted_sweep_bins",
                     (json_int_t)figures->accepted_sweep_bins);
}

static json_t *group_json(const cm_group *group)
{
    return json_pack(
        "{s:s,s:s?,s:I,s:o,s:o,s:o}", "kind", group->kind, "name", group->name, "conversions",
        (json_int_t)group->count, scope_keys[0], figures_json(&group->figures[0]), scope_keys[1],
        figures_json(&group->figures[1]), scope_keys[2], figures_json(&group->figures[2]));
}

static json_t *groups_json(const cm_judgement *judgement)
{
    json_t *list = json_array();
    for (size_t i = 0; i < judgement->group_count; i++)
        list = cm_json_add(list, group_json(&judgement->groups[i]));
    return list;
}

static json_t *bins_json(const cm_bin *bins, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        const cm_bin *bin = &bins[i];
        list = cm_json_add(list, json_pack("{s:f,s:f,s:I,s:I,s:f,s:f,s:f,s:f}", "from", bin->from,
                                           "to", bin->to, "count", (json_int_t)bin->count, "right",
                                           (json_int_t)bin->right, "mean", bin->mean, "share",
                                           bin->share, "low", bin->low, "high", bin->high));
    }
    return list;
}

static json_t *points_json(const cm_curves *curves)
{
    json_t *list = json_array();
    for (size_t i = 0; i < curves->point_count; i++) {
        const cm_curve_point *point = &curves->points[i];
        list = cm_json_add(list, json_pack("{s:f,s:f,s:f}", "probability", point->probability,
                                           "precision", point->precision, "recall", point->recall));
    }
    return list;
}

static json_t *bars_json(const cm_curves *curves)
{
    json_t *list = json_array();
    for (size_t i = 0; i < CM_HISTOGRAM_BARS; i++) {
        const cm_bar *bar = &curves->bars[i];
        list = cm_json_add(list,
                           json_pack("{s:f,s:f,s:I,s:I,s:I}", "from", (double)i / CM_HISTOGRAM_BARS,
                                     "to", (double)(i + 1) / CM_HISTOGRAM_BARS, "count",
                                     (json_int_t)bar->count, "right", (json_int_t)bar->right,
                                     "accepted", (json_int_t)bar->accepted));
    }
    return list;
}

static json_t *pair_json(const uint64_t pair[2])
{
    return json_pack("{s:I,s:I}", scope_keys[0], (json_int_t)pair[0], scope_keys[1],
                     (json_int_t)pair[1]);
}

static json_t *label_free_json(const cm_label_free *found)
{
    return json_pack("{s:I,s:o,s:o,s:I,s:o,s:o,s:o}", "open", (json_int_t)found->open, "attributed",
                     pair_json(found->attributed), "expected_error", real(found->expected_error),
                     "covered", (json_int_t)found->covered, "real", pair_json(found->real),
                     "placebo", pair_json(found->placebo), "placebo_same_device",
                     pair_json(found->placebo_same_device));
}

static json_t *judgement_json(const cm_judgement *judgement)
{
    const cm_curves *curves = &judgement->curves;
    json_t *reliability =
        json_pack("{s:o,s:o,s:o}", scope_keys[0], bins_json(curves->bins[0], curves->bin_counts[0]),
                  scope_keys[1], bins_json(curves->bins[1], curves->bin_counts[1]), scope_keys[2],
                  bins_json(curves->bins[2], curves->bin_counts[2]));
    json_t *regret =
        json_pack("{s:I,s:o,s:o}", "conversions", (json_int_t)judgement->regret.count, "log_loss",
                  real(judgement->regret.loss), "share", real(judgement->regret.share));
    json_t *unmasked =
        judgement->unmasked.count == 0 ? json_null() : group_json(&judgement->unmasked);
    return json_pack("{s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "label", judgement->label, "role",
                     judgement->role, "groups", groups_json(judgement), "reliability", reliability,
                     "precision_recall", points_json(curves), "histogram", bars_json(curves),
                     "label_free", label_free_json(&judgement->label_free), "regret", regret,
                     "unmasked", unmasked);
}

static json_t *evaluation_json(const cm_evaluation *e)
{
    json_t *models = json_array();
    for (size_t i = 0; i < e->count; i++)
        models = cm_json_add(models, judgement_json(&e->judgements[i]));
    return json_pack("{s:s,s:I,s:I,s:I,s:o,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:o}", "judged_by",
                     e->has_truth ? "truth" : "layer_1", "clicks", (json_int_t)e->clicks,
                     "conversions", (json_int_t)e->conversions, "by_layer_1",
                     (json_int_t)e->by_layer_1, "layer_1_right",
                     e->has_truth ? json_integer((json_int_t)e->layer_1_right) : json_null(),
                     "without_truth", (json_int_t)e->without_truth, "clicks_without_truth",
                     (json_int_t)e->clicks_unknown, "judged", (json_int_t)e->judged, "organic",
                     (json_int_t)e->organic, "own_expiry", (json_int_t)e->own_expiry, "masked",
                     (json_int_t)e->masked, "deleted", (json_int_t)e->deleted, "bins",
                     (json_int_t)e->bins, "rounds", (json_int_t)e->rounds, "models", models);
}

void cm_report_json(const cm_evaluation *evaluation, cm_buffer *text)
{
    json_t *json = evaluation_json(evaluation);
    (void)cm_json_write(json, JSON_INDENT(1) | JSON_REAL_PRECISION(12), text);
    cm_buffer_append_char(text, '\n');
    json_decref(json);
}

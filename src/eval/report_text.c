/* An evaluation as tables of text. */
#include <math.h>

#include "eval/append.h"
#include "eval/report.h"

#define TENANTS_SHOWN ((size_t)20)

static const char *const scope_names[CM_SCOPE_COUNT] = {"layer 2", "layer 3", "both"};

/* A number in a column of 8, "-" where there is none. */
static void append_value(cm_buffer *text, double value)
{
    if (isnan(value))
        cm_append(text, " %8s", "-");
    else
        cm_append(text, " %8.4f", value);
}

/* "0.1234 to 0.2345" in a column of 18. */
static void append_interval(cm_buffer *text, double low, double high)
{
    if (isnan(low))
        cm_append(text, "  %16s", "");
    else
        cm_append(text, "  %6.4f to %6.4f", low, high);
}

/* ---- what there was to judge ---- */

static void append_head(const cm_evaluation *e, cm_buffer *text)
{
    cm_append(text, "%llu clicks, %llu conversions; layer 1 attributes %llu of them",
              (unsigned long long)e->clicks, (unsigned long long)e->conversions,
              (unsigned long long)e->by_layer_1);
    if (e->has_truth)
        cm_append(text, ", %llu to the right click", (unsigned long long)e->layer_1_right);
    cm_append(text, "\njudged by %s: %llu conversions, %llu of them organic\n",
              e->has_truth ? "the truth, those that layer 1 leaves open"
                           : "layer 1's clicks, their ids hidden",
              (unsigned long long)e->judged, (unsigned long long)e->organic);
    if (e->without_truth > 0)
        cm_append(text, "%llu conversions are not in the truth and were left out\n",
                  (unsigned long long)e->without_truth);
    if (e->own_expiry > 0)
        cm_append(text, "an expires_at of its own decides what is right for %llu of them\n",
                  (unsigned long long)e->own_expiry);
    if (e->masked > 0)
        cm_append(text, "%llu of them were made organic: %llu clicks left out for them\n",
                  (unsigned long long)e->masked, (unsigned long long)e->deleted);
}

/* ---- figures of all ---- */

struct line {
    const char *name;
    cm_metric metric;
};

static const struct line LINES[] = {
    {"precision", CM_METRIC_PRECISION},
    {"recall", CM_METRIC_RECALL},
    {"F0.5", CM_METRIC_F_HALF},
    {"of the attributed: another click of the device", CM_METRIC_OTHER_CLICK},
    {"of the attributed: another device's click", CM_METRIC_OTHER_DEVICE},
    {"of the attributed: organic", CM_METRIC_ORGANIC},
    {"of the organic: attributed", CM_METRIC_ORGANIC_MATCHED},
    {"precision by device", CM_METRIC_DEVICE_PRECISION},
    {"recall by device", CM_METRIC_DEVICE_RECALL},
    {"precision by ad", CM_METRIC_AD_PRECISION},
    {"recall by ad", CM_METRIC_AD_RECALL},
    {"precision by campaign", CM_METRIC_CAMPAIGN_PRECISION},
    {"recall by campaign", CM_METRIC_CAMPAIGN_RECALL},
    {"weighed: log-loss", CM_METRIC_LOG_LOSS},
    {"weighed: Brier score", CM_METRIC_BRIER},
    {"weighed: calibration error, equal bins", CM_METRIC_ECE},
    {"weighed: calibration error, sweep", CM_METRIC_ECE_SWEEP},
    {"attributed: log-loss", CM_METRIC_ACCEPTED_LOG_LOSS},
    {"attributed: Brier score", CM_METRIC_ACCEPTED_BRIER},
    {"attributed: calibration error, equal bins", CM_METRIC_ACCEPTED_ECE},
    {"attributed: calibration error, sweep", CM_METRIC_ACCEPTED_ECE_SWEEP},
    {"attributed: mean (1 - p), the error expected", CM_METRIC_EXPECTED_ERROR},
};
#define LINE_COUNT (sizeof LINES / sizeof *LINES)

static void append_count(const char *name, const cm_figures *figures, size_t offset,
                         cm_buffer *text)
{
    cm_append(text, "  %-46s", name);
    for (size_t scope = 0; scope < CM_SCOPE_COUNT; scope++) {
        const char *at = (const char *)&figures[scope].tallies + offset;
        cm_append(text, " %8llu%18s", (unsigned long long)*(const uint64_t *)(const void *)at, "");
    }
    cm_append(text, "\n");
}

static void append_all(const cm_group *group, cm_buffer *text)
{
    cm_append(text, "  %-46s", "all conversions");
    for (size_t scope = 0; scope < CM_SCOPE_COUNT; scope++)
        cm_append(text, " %8s%18s", scope_names[scope], "95 %      ");
    cm_append(text, "\n");
    append_count("came to the layer", group->figures, offsetof(cm_tallies, conversions), text);
    append_count("weighed last by the layer", group->figures, offsetof(cm_tallies, weighed), text);
    append_count("attributed", group->figures, offsetof(cm_tallies, attributed), text);
    for (size_t i = 0; i < LINE_COUNT; i++) {
        cm_append(text, "  %-46s", LINES[i].name);
        for (size_t scope = 0; scope < CM_SCOPE_COUNT; scope++) {
            const cm_figures *figures = &group->figures[scope];
            append_value(text, figures->values[LINES[i].metric]);
            append_interval(text, figures->low[LINES[i].metric], figures->high[LINES[i].metric]);
        }
        cm_append(text, "\n");
    }
}

/* ---- what masking changes ---- */

static void append_masking(const cm_judgement *judgement, cm_buffer *text)
{
    static const struct line lines[] = {{"precision", CM_METRIC_PRECISION},
                                        {"recall", CM_METRIC_RECALL},
                                        {"F0.5", CM_METRIC_F_HALF},
                                        {"log-loss", CM_METRIC_LOG_LOSS},
                                        {"Brier score", CM_METRIC_BRIER},
                                        {"calibration error", CM_METRIC_ECE},
                                        {"error expected", CM_METRIC_EXPECTED_ERROR}};
    const cm_figures *with = &judgement->groups[0].figures[CM_SCOPE_BOTH];
    const cm_figures *without = &judgement->unmasked.figures[CM_SCOPE_BOTH];
    if (judgement->unmasked.count == 0)
        return;
    cm_append(text, "\n  %-24s %8s  %16s %8s  %16s\n", "masking, layers 2 and 3", "without", "",
              "with", "");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        cm_metric metric = lines[i].metric;
        cm_append(text, "  %-24s", lines[i].name);
        append_value(text, without->values[metric]);
        append_interval(text, without->low[metric], without->high[metric]);
        append_value(text, with->values[metric]);
        append_interval(text, with->low[metric], with->high[metric]);
        cm_append(text, "\n");
    }
}

/* ---- figures of groups: a line for each that has more than nothing to show ---- */

static void append_group_line(const cm_group *group, cm_scope scope, cm_buffer *text)
{
    static const cm_metric metrics[] = {CM_METRIC_PRECISION,    CM_METRIC_RECALL,
                                        CM_METRIC_F_HALF,       CM_METRIC_LOG_LOSS,
                                        CM_METRIC_BRIER,        CM_METRIC_ECE,
                                        CM_METRIC_ECE_SWEEP,    CM_METRIC_OTHER_CLICK,
                                        CM_METRIC_OTHER_DEVICE, CM_METRIC_ORGANIC_MATCHED};
    const cm_figures *figures = &group->figures[scope];
    cm_append(text, "  ");
    cm_append_padded(text, group->name == NULL ? "all" : group->name, 24);
    cm_append(text, " %-8s %9llu %10llu", scope_names[scope],
              (unsigned long long)figures->tallies.conversions,
              (unsigned long long)figures->tallies.attributed);
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
        append_value(text, figures->values[metrics[i]]);
    cm_append(text, "\n");
}

static void append_groups(const cm_judgement *judgement, cm_buffer *text)
{
    size_t hidden = 0;
    cm_append(text, "\n  %-24s %-8s %9s %10s %8s %8s %8s %8s %8s %8s %8s %8s %8s %8s\n", "group",
              "layer", "came", "attributed", "precis.", "recall", "F0.5", "log-loss", "Brier",
              "ECE", "sweep", "o.click", "o.device", "organic");
    for (size_t i = 1; i < judgement->group_count; i++) {
        if (!cm_group_is_shown(judgement, i, TENANTS_SHOWN)) {
            hidden++;
            continue;
        }
        for (unsigned scope = 0; scope < CM_SCOPE_COUNT; scope++)
            append_group_line(&judgement->groups[i], (cm_scope)scope, text);
    }
    if (hidden > 0)
        cm_append(text, "  and %zu smaller ones: --format json has them\n", hidden);
}

/* ---- reliability ---- */

static void append_reliability(const cm_judgement *judgement, cm_buffer *text)
{
    cm_append(text, "\n  %-10s %18s %8s %8s %8s  %-16s %8s\n", "weighed by", "probabilities",
              "count", "mean", "right", "  95 %", "off by");
    for (size_t scope = 0; scope < CM_SCOPE_COUNT; scope++)
        for (size_t i = 0; i < judgement->curves.bin_counts[scope]; i++) {
            const cm_bin *bin = &judgement->curves.bins[scope][i];
            cm_append(text, "  %-10s %8.4f to %6.4f %8llu %8.4f %8.4f", scope_names[scope],
                      bin->from, bin->to, (unsigned long long)bin->count, bin->mean, bin->share);
            append_interval(text, bin->low, bin->high);
            cm_append(text, " %+8.4f\n", bin->share - bin->mean);
        }
}

/* ---- what needs no labels ---- */

static void append_placebo(const cm_label_free *found, bool has_truth, cm_buffer *text)
{
    cm_append(text, "    %-34s %8s %8s %8s%s\n", "", "real", "placebo", "ratio",
              has_truth ? "  of the placebo: the device's own later click" : "");
    for (size_t layer = 0; layer < 2; layer++) {
        cm_append(text, "    %-34s", scope_names[layer]);
        append_value(text, cm_share_of(found->real[layer], found->covered));
        append_value(text, cm_share_of(found->placebo[layer], found->covered));
        append_value(text, cm_share_of(found->placebo[layer], found->real[layer]));
        if (has_truth)
            append_value(text,
                         cm_share_of(found->placebo_same_device[layer], found->placebo[layer]));
        cm_append(text, "\n");
    }
}

static void append_label_free(const cm_judgement *judgement, bool has_truth, cm_buffer *text)
{
    const cm_label_free *found = &judgement->label_free;
    cm_append(text, "\n  without labels: %llu conversions that layer 1 leaves open\n",
              (unsigned long long)found->open);
    for (size_t layer = 0; layer < 2; layer++) {
        cm_append(text, "    attributed by %-20s", scope_names[layer]);
        append_value(text, cm_share_of(found->attributed[layer], found->open));
        cm_append(text, "\n");
    }
    cm_append(text, "    %-34s", "the error that the model expects");
    append_value(text, found->expected_error);
    cm_append(text, "\n  placebo: %llu of them, after which clicks go on for a whole window\n",
              (unsigned long long)found->covered);
    if (found->covered == 0)
        cm_append(text, "    none: give clicks of the days after the conversions, too\n");
    else
        append_placebo(found, has_truth, text);
}

/* ---- all models side by side ---- */

static void append_models(const cm_evaluation *e, cm_buffer *text)
{
    static const cm_metric metrics[] = {CM_METRIC_PRECISION, CM_METRIC_RECALL, CM_METRIC_F_HALF,
                                        CM_METRIC_LOG_LOSS,  CM_METRIC_BRIER,  CM_METRIC_ECE,
                                        CM_METRIC_ECE_SWEEP};
    cm_append(text, "\n%-32s %-9s %10s %8s %8s %8s %8s %8s %8s %8s %8s %8s\n", "layers 2 and 3", "",
              "attributed", "precis.", "recall", "F0.5", "log-loss", "Brier", "ECE", "sweep",
              "regret", "in %");
    for (size_t i = 0; i < e->count; i++) {
        const cm_judgement *judgement = &e->judgements[i];
        const cm_figures *figures = &judgement->groups[0].figures[CM_SCOPE_BOTH];
        cm_append_padded(text, judgement->label, 32);
        cm_append(text, " %-9s %10llu", judgement->role,
                  (unsigned long long)figures->tallies.attributed);
        for (size_t j = 0; j < sizeof metrics / sizeof *metrics; j++)
            append_value(text, figures->values[metrics[j]]);
        append_value(text, judgement->regret.loss);
        append_value(text, 100 * judgement->regret.share);
        cm_append(text, "\n");
    }
}

void cm_report_text(const cm_evaluation *evaluation, cm_buffer *text)
{
    append_head(evaluation, text);
    append_models(evaluation, text);
    for (size_t i = 0; i < evaluation->count; i++) {
        const cm_judgement *judgement = &evaluation->judgements[i];
        cm_append(text, "\n");
        cm_append_padded(text, judgement->label, 0);
        cm_append(text, " (%s)\n", judgement->role);
        append_all(&judgement->groups[0], text);
        append_masking(judgement, text);
        append_groups(judgement, text);
        append_reliability(judgement, text);
        append_label_free(judgement, evaluation->has_truth, text);
    }
}

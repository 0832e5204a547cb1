/* What was learned, from how much, and how old and new model did: for people. */
#include "cmd/train.h"
#include "eval/append.h"
#include "eval/report.h"

/* One parameter, or some that rest on the same labels. */
struct resting {
    const char *names;
    uint64_t labels;
    bool is_moved; /* by what open conversions tell */
};

static void append_kept(cm_buffer *text, const char *where, const cm_learn_counts *counts)
{
    const cm_label_counts *labels = &counts->labels;
    bool has_2 = counts->layers[CM_WEIGH_FINGERPRINT].is_used;
    bool has_3 = counts->layers[CM_WEIGH_PROBABILISTIC].is_used;
    const struct resting all[] = {
        {"delay_m", labels->labels, has_2},
        {"fingerprint_m", labels->fingerprints, has_2 && has_3},
        {"ip_m", labels->addresses, false},
        {"ip_other_m", labels->other_addresses, false},
        {"fingerprint.user_agent_m", labels->user_agents[CM_WEIGH_FINGERPRINT], false},
        {"probabilistic.user_agent_m", labels->user_agents[CM_WEIGH_PROBABILISTIC], has_3},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (all[i].labels >= CM_LABELS_MIN)
            continue;
        cm_append(text, "  %s: %s %s: ", where, all[i].names,
                  all[i].is_moved ? "learned without labels" : "kept as it was");
        cm_append_count(text, all[i].labels);
        cm_append(text, " labels, %d are needed\n", CM_LABELS_MIN);
    }
}

/* Those that layer 3 was to compare. */
static void append_kept_traits(cm_buffer *text, const cm_training *training)
{
    const cm_label_counts *labels = &training->learned.own.labels;
    bool is_wanted = cm_settings_flag(training->run.settings, CM_OPTION_TRAITS);
    for (size_t i = 0; i < CM_TRAIT_COUNT && is_wanted; i++) {
        if (labels->traits[i] >= CM_LABELS_MIN)
            continue;
        cm_append(text, "  all: probabilistic.traits.%s kept as it was: ", cm_trait_names[i]);
        cm_append_count(text, labels->traits[i]);
        cm_append(text, " labels, %d are needed\n", CM_LABELS_MIN);
    }
}

static void append_kept_layers(cm_buffer *text, const char *where, const cm_learn_counts *counts)
{
    static const char *const names[] = {"fingerprint: prior, rivals, repeat, delays, u",
                                        "probabilistic: prior, rivals, u"};
    for (size_t i = 0; i < CM_WEIGHED_LAYER_COUNT; i++) {
        const cm_mixture_counts *layer = &counts->layers[i];
        if (layer->is_used)
            continue;
        cm_append(text, "  %s: %s kept as they were: ", where, names[i]);
        cm_append_count(text, layer->conversions);
        cm_append(text,
                  " open conversions, %.0f with a click of their own; %d and %.0f are needed\n",
                  layer->own, CM_MIXTURE_CONVERSIONS_MIN, CM_MIXTURE_OWN_MIN);
    }
}

static void append_learned(cm_buffer *text, const char *name, const cm_learn_counts *counts,
                           const cm_parameters *parameters)
{
    const cm_mixture_counts *fingerprint = &counts->layers[CM_WEIGH_FINGERPRINT];
    cm_append(text, "  ");
    cm_append_padded(text, name, 15);
    cm_append(text, " %13llu %13llu %13.0f %13.4f %13.4f %13.4f\n",
              (unsigned long long)counts->labels.labels,
              (unsigned long long)fingerprint->conversions, fingerprint->own,
              1 - parameters->fingerprint.prior, parameters->fingerprint.rivals,
              parameters->fingerprint.repeat);
}

/* A section's name; conversions without a device type have one, too. */
static const char *name_of(const cm_trained_section *section)
{
    return section->device_type[0] == '\0' ? "(none)" : section->device_type;
}

static void append_calibrated(cm_buffer *text, const cm_training *training)
{
    for (size_t i = 0; i < CM_WEIGHED_LAYER_COUNT; i++) {
        const cm_calibrated *calibrated = &training->calibrated[i];
        cm_append(text, "  layer %zu: ", i + 2);
        if (calibrated->knot_count > 0)
            cm_append(text, "calibrated, %zu knots from ", calibrated->knot_count);
        else
            cm_append(text, "calibration left out: ");
        cm_append_count(text, calibrated->labels);
        cm_append(text, calibrated->knot_count > 0 ? " labels\n" : " labels, %d are needed\n",
                  CM_CALIBRATE_LABELS_MIN);
    }
}

static void append_row(cm_buffer *text, const char *name, const cm_figures figures[2],
                       cm_metric metric)
{
    cm_append(text, "  %-15s %13.4f %13.4f\n", name, figures[0].values[metric],
              figures[1].values[metric]);
}

static void append_judged(cm_buffer *text, const cm_training *training)
{
    const cm_judged_pair *pair = &training->pair;
    cm_append(text, "judged on ");
    cm_append_count(text, pair->conversions);
    if (training->has_truth)
        cm_append(text, " other conversions, by the truth\n");
    else {
        cm_append(text, " other labelled conversions, their ids hidden, ");
        cm_append_count(text, pair->masked);
        cm_append(text, " of them made organic\n");
    }
    cm_paired_text(&pair->paired, "old", "new", text);
    append_row(text, "calibration err", pair->figures, CM_METRIC_ACCEPTED_ECE);
    append_row(text, "organic matched", pair->figures, CM_METRIC_ORGANIC_MATCHED);
    if (training->has_truth)
        return;
    cm_append(text, "the same where none is made organic\n");
    append_row(text, "precision", pair->as_labelled, CM_METRIC_PRECISION);
    append_row(text, "recall", pair->as_labelled, CM_METRIC_RECALL);
    append_row(text, "calibration err", pair->as_labelled, CM_METRIC_ACCEPTED_ECE);
}

void cm_train_text(const cm_training *training, cm_buffer *text)
{
    const cm_trained *trained = &training->trained;
    const cm_learned *learned = &training->learned;
    cm_append(text, "%-17s %13s %13s %13s %13s %13s %13s\n", "learned", "labels", "open",
              "own click", "organic", "rivals", "repeat");
    append_learned(text, "all", &learned->own, &trained->own);
    for (size_t i = 0; i < trained->section_count; i++)
        append_learned(text, name_of(&trained->sections[i]), &learned->sections[i],
                       &trained->sections[i].parameters);
    append_kept(text, "all", &learned->own);
    append_kept_traits(text, training);
    append_kept_layers(text, "all", &learned->own);
    for (size_t i = 0; i < trained->section_count; i++) {
        append_kept(text, name_of(&trained->sections[i]), &learned->sections[i]);
        append_kept_layers(text, name_of(&trained->sections[i]), &learned->sections[i]);
    }
    append_calibrated(text, training);
    if (training->pair.conversions > 0)
        append_judged(text, training);
    else
        cm_append(text, "nothing was left to judge on\n");
}

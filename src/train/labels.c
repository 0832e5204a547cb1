#include "train/labels.h"

#include <stdlib.h>

#include "train/sums.h"

/* Sums by delay bin come first, bin by bin. */
enum {
    BIN_LABELS,
    BIN_FINGERPRINTS,
    BIN_EQUAL_FINGERPRINTS,
    BIN_ADDRESSES,
    BIN_EQUAL_ADDRESSES,
    BIN_SUM_COUNT
};
enum {
    SUM_OTHER_FAMILY,
    SUM_USER_AGENTS,
    SUM_EQUAL_USER_AGENTS = SUM_USER_AGENTS + CM_WEIGHED_LAYER_COUNT,
    SUM_COUNT = SUM_EQUAL_USER_AGENTS + CM_WEIGHED_LAYER_COUNT
};

struct counting {
    const cm_training_set *set;
    size_t bin_count;
    uint32_t group;
};

/* The layer that would weigh this click, and so compare its user agent; false: none. */
static bool layer_of(const cm_train_conversion *conversion, size_t *layer)
{
    *layer = conversion->label_fingerprint == CM_COMPARE_EQUAL ? CM_WEIGH_FINGERPRINT
                                                               : CM_WEIGH_PROBABILISTIC;
    return *layer == CM_WEIGH_FINGERPRINT || conversion->by_address.evidence == CM_COMPARE_EQUAL;
}

static void add_label(const struct counting *counting, const cm_train_conversion *conversion,
                      double *sums)
{
    const cm_train_look *look = &conversion->by_address;
    double *bin = sums + look->bin * BIN_SUM_COUNT;
    double *all = sums + counting->bin_count * BIN_SUM_COUNT;
    size_t layer;
    bin[BIN_LABELS] += 1;
    bin[BIN_FINGERPRINTS] += conversion->label_fingerprint != CM_COMPARE_MISSING;
    bin[BIN_EQUAL_FINGERPRINTS] += conversion->label_fingerprint == CM_COMPARE_EQUAL;
    bin[BIN_ADDRESSES] += look->evidence != CM_COMPARE_MISSING;
    bin[BIN_EQUAL_ADDRESSES] += look->evidence == CM_COMPARE_EQUAL;
    all[SUM_OTHER_FAMILY] += look->evidence == CM_COMPARE_OTHER_FAMILY;
    if (look->user_agent == CM_COMPARE_MISSING || !layer_of(conversion, &layer))
        return;
    all[SUM_USER_AGENTS + layer] += 1;
    all[SUM_EQUAL_USER_AGENTS + layer] += look->user_agent == CM_COMPARE_EQUAL;
}

static void add_chunk(void *context, size_t at, double *sums)
{
    const struct counting *counting = context;
    const cm_train_chunk *chunk = &counting->set->chunks[at];
    for (size_t i = 0; i < chunk->count; i++) {
        const cm_train_conversion *conversion = &chunk->conversions[i];
        bool is_meant = counting->group == CM_NUMBER_NONE || counting->group == conversion->group;
        if (is_meant && conversion->label != CM_NUMBER_NONE)
            add_label(counting, conversion, sums);
    }
}

/* Sums of bins that end within the window, where own clicks are looked for. */
static double labels_within(const cm_model *model, const double *sums)
{
    double labels = 0;
    for (size_t i = 0; i < model->bin_count && model->delay_hours[i] <= model->window_hours; i++)
        labels += sums[i * BIN_SUM_COUNT + BIN_LABELS];
    return labels;
}

static double drawn(double part, double whole, double known, double weight)
{
    return (part + weight * known) / (whole + weight);
}

static void set_bins(const cm_model *model, const double *sums, double weight,
                     cm_parameters *parameters)
{
    double labels = labels_within(model, sums);
    for (size_t i = 0; i < model->bin_count; i++) {
        const double *bin = sums + i * BIN_SUM_COUNT;
        if (model->delay_hours[i] <= model->window_hours)
            parameters->delay_m[i] = drawn(bin[BIN_LABELS], labels, parameters->delay_m[i], weight);
        parameters->fingerprint_m[i] = drawn(bin[BIN_EQUAL_FINGERPRINTS], bin[BIN_FINGERPRINTS],
                                             parameters->fingerprint_m[i], weight);
        parameters->ip_m[i] =
            drawn(bin[BIN_EQUAL_ADDRESSES], bin[BIN_ADDRESSES], parameters->ip_m[i], weight);
    }
}

static double sum_of_bins(const double *sums, size_t bin_count, size_t which)
{
    double sum = 0;
    for (size_t i = 0; i < bin_count; i++)
        sum += sums[i * BIN_SUM_COUNT + which];
    return sum;
}

static void set_others(const cm_model *model, const double *sums, double weight,
                       cm_parameters *parameters, cm_label_counts *counts)
{
    const double *all = sums + model->bin_count * BIN_SUM_COUNT;
    double addresses = sum_of_bins(sums, model->bin_count, BIN_ADDRESSES);
    cm_layer_model *layers[] = {&parameters->fingerprint, &parameters->probabilistic};
    if (parameters->ip_other_m > 0)
        parameters->ip_other_m =
            drawn(all[SUM_OTHER_FAMILY], addresses, parameters->ip_other_m, weight);
    for (size_t i = 0; i < CM_WEIGHED_LAYER_COUNT; i++) {
        double known = all[SUM_USER_AGENTS + i];
        layers[i]->user_agent_m =
            drawn(all[SUM_EQUAL_USER_AGENTS + i], known, layers[i]->user_agent_m, weight);
        counts->user_agents[i] = (uint64_t)known;
    }
    counts->labels = (uint64_t)labels_within(model, sums);
    counts->addresses = (uint64_t)addresses;
    counts->fingerprints = (uint64_t)sum_of_bins(sums, model->bin_count, BIN_FINGERPRINTS);
}

cm_status cm_labels_count(const cm_training_set *set, const cm_model *model, uint32_t group,
                          double weight, unsigned threads, cm_parameters *parameters,
                          cm_label_counts *counts, cm_error *error)
{
    struct counting counting = {set, model->bin_count, group};
    size_t sum_count = model->bin_count * BIN_SUM_COUNT + SUM_COUNT;
    double *sums = calloc(sum_count, sizeof *sums);
    if (sums == NULL)
        return cm_error_memory(error, "counts of labels", sum_count * sizeof *sums);
    cm_status status = cm_sum_chunks(set, threads, add_chunk, &counting, sums, sum_count, error);
    if (status == CM_OK) {
        set_bins(model, sums, weight, parameters);
        set_others(model, sums, weight, parameters, counts);
    }
    free(sums);
    return status;
}

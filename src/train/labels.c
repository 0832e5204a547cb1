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
    SUM_TRAITS = SUM_EQUAL_USER_AGENTS + CM_WEIGHED_LAYER_COUNT,
    SUM_EQUAL_TRAITS = SUM_TRAITS + CM_TRAIT_COUNT,
    SUM_COUNT = SUM_EQUAL_TRAITS + CM_TRAIT_COUNT
};

struct counting {
    const cm_training_set *set;
    size_t bin_count;
    uint32_t group;
};

/* Count what compares at all, and as equal. */
static void count_pair(unsigned comparison, double *known, double *equal)
{
    *known += comparison != CM_COMPARE_MISSING;
    *equal += comparison == CM_COMPARE_EQUAL;
}

/* The layer that would weigh this click compares its user agent, and layer 3 traits. */
static void add_by_layer(const cm_train_conversion *conversion, double *all)
{
    const cm_train_look *look = &conversion->by_address;
    bool is_fingerprint = conversion->label_fingerprint == CM_COMPARE_EQUAL;
    size_t layer = is_fingerprint ? CM_WEIGH_FINGERPRINT : CM_WEIGH_PROBABILISTIC;
    if (!is_fingerprint && look->evidence != CM_COMPARE_EQUAL)
        return;
    count_pair(look->user_agent, &all[SUM_USER_AGENTS + layer],
               &all[SUM_EQUAL_USER_AGENTS + layer]);
    for (cm_trait i = 0; !is_fingerprint && i < CM_TRAIT_COUNT; i++)
        count_pair(cm_train_trait(look, i), &all[SUM_TRAITS + i], &all[SUM_EQUAL_TRAITS + i]);
}

static void add_label(const struct counting *counting, const cm_train_conversion *conversion,
                      double *sums)
{
    const cm_train_look *look = &conversion->by_address;
    double *bin = sums + look->bin * BIN_SUM_COUNT;
    double *all = sums + counting->bin_count * BIN_SUM_COUNT;
    bin[BIN_LABELS] += 1;
    count_pair(conversion->label_fingerprint, &bin[BIN_FINGERPRINTS], &bin[BIN_EQUAL_FINGERPRINTS]);
    count_pair(look->evidence, &bin[BIN_ADDRESSES], &bin[BIN_EQUAL_ADDRESSES]);
    all[SUM_OTHER_FAMILY] += look->evidence == CM_COMPARE_OTHER_FAMILY;
    add_by_layer(conversion, all);
}

static void add_chunk(void *context, size_t at, double *sums)
{
    const struct counting *counting = context;
    const cm_train_chunk *chunk = &counting->set->chunks[at];
    for (size_t i = 0; i < chunk->count; i++) {
        const cm_train_conversion *conversion = &chunk->conversions[i];
        bool is_meant = counting->group == CM_NUMBER_NONE || counting->group == conversion->group;
        if (is_meant && !conversion->is_held_out && conversion->label != CM_NUMBER_NONE)
            add_label(counting, conversion, sums);
    }
}

/* ---- shares ---- */

/* Sums of bins that end within the window, where own clicks are looked for. */
static double labels_within(const cm_model *model, const double *sums)
{
    double labels = 0;
    for (size_t i = 0; i < model->bin_count && model->delay_hours[i] <= model->window_hours; i++)
        labels += sums[i * BIN_SUM_COUNT + BIN_LABELS];
    return labels;
}

static double sum_of_bins(const double *sums, size_t bin_count, size_t which)
{
    double sum = 0;
    for (size_t i = 0; i < bin_count; i++)
        sum += sums[i * BIN_SUM_COUNT + which];
    return sum;
}

static double drawn(double part, double whole, double known, double weight)
{
    return (part + weight * known) / (whole + weight);
}

/* How many own clicks are older than the window no label tells: that share stays. */
static void set_delays(const cm_model *model, const double *sums, double weight,
                       cm_parameters *parameters)
{
    double labels = labels_within(model, sums), within = 0;
    for (size_t i = 0; i < model->bin_count && model->delay_hours[i] <= model->window_hours; i++)
        within += parameters->delay_m[i];
    for (size_t i = 0; i < model->bin_count && labels >= CM_LABELS_MIN && within > 0; i++)
        if (model->delay_hours[i] <= model->window_hours)
            parameters->delay_m[i] = within * drawn(sums[i * BIN_SUM_COUNT + BIN_LABELS], labels,
                                                    parameters->delay_m[i] / within, weight);
}

/* A bin with few labels goes by the others: what is known, moved as they moved. */
static void set_bins(const double *sums, size_t bin_count, size_t whole, double weight, double *m)
{
    double expected = 0;
    double labels = sum_of_bins(sums, bin_count, whole);
    if (labels < CM_LABELS_MIN)
        return;
    for (size_t i = 0; i < bin_count; i++)
        expected += sums[i * BIN_SUM_COUNT + whole] * m[i];
    double equal = sum_of_bins(sums, bin_count, whole + 1);
    double odds = drawn(equal, labels, expected / labels, weight) /
                  (1 - drawn(equal, labels, expected / labels, weight)) * (labels - expected) /
                  expected;
    for (size_t i = 0; i < bin_count; i++) {
        const double *bin = sums + i * BIN_SUM_COUNT;
        double moved = m[i] * odds / (1 - m[i] + m[i] * odds);
        m[i] = drawn(bin[whole + 1], bin[whole], moved, weight);
    }
}

/* different: labels on another address. */
static void set_others(const double *all, double different, double weight,
                       cm_parameters *parameters)
{
    cm_layer_model *layers[] = {&parameters->fingerprint, &parameters->probabilistic};
    if (parameters->ip_other_m > 0 && different >= CM_LABELS_MIN)
        parameters->ip_other_m =
            drawn(all[SUM_OTHER_FAMILY], different, parameters->ip_other_m, weight);
    for (size_t i = 0; i < CM_WEIGHED_LAYER_COUNT; i++)
        if (all[SUM_USER_AGENTS + i] >= CM_LABELS_MIN)
            layers[i]->user_agent_m =
                drawn(all[SUM_EQUAL_USER_AGENTS + i], all[SUM_USER_AGENTS + i],
                      layers[i]->user_agent_m, weight);
    for (size_t i = 0; i < CM_TRAIT_COUNT; i++) {
        cm_chances *trait = &parameters->probabilistic.traits[i];
        if (trait->m > 0 && all[SUM_TRAITS + i] >= CM_LABELS_MIN)
            trait->m = drawn(all[SUM_EQUAL_TRAITS + i], all[SUM_TRAITS + i], trait->m, weight);
    }
}

static void set_counts(const cm_model *model, const double *sums, cm_label_counts *counts)
{
    const double *all = sums + model->bin_count * BIN_SUM_COUNT;
    counts->labels = (uint64_t)labels_within(model, sums);
    counts->fingerprints = (uint64_t)sum_of_bins(sums, model->bin_count, BIN_FINGERPRINTS);
    counts->addresses = (uint64_t)sum_of_bins(sums, model->bin_count, BIN_ADDRESSES);
    counts->other_addresses =
        counts->addresses - (uint64_t)sum_of_bins(sums, model->bin_count, BIN_EQUAL_ADDRESSES);
    for (size_t i = 0; i < CM_WEIGHED_LAYER_COUNT; i++)
        counts->user_agents[i] = (uint64_t)all[SUM_USER_AGENTS + i];
    for (size_t i = 0; i < CM_TRAIT_COUNT; i++)
        counts->traits[i] = (uint64_t)all[SUM_TRAITS + i];
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
        set_delays(model, sums, weight, parameters);
        set_bins(sums, model->bin_count, BIN_FINGERPRINTS, weight, parameters->fingerprint_m);
        set_bins(sums, model->bin_count, BIN_ADDRESSES, weight, parameters->ip_m);
        set_counts(model, sums, counts);
        set_others(sums + model->bin_count * BIN_SUM_COUNT, (double)counts->other_addresses, weight,
                   parameters);
    }
    free(sums);
    return status;
}

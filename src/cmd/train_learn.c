/* Which conversions are learned from, which device types get sections, and the learning itself. */
#include <stdlib.h>

#include "cmd/clock.h"
#include "cmd/draw.h"
#include "cmd/train.h"
#include "util/error.h"
#include "util/text.h"

#define FOLD_SEED 0x666f6c64u
#define CALIBRATE_SHARE 0.4
#define JUDGE_SHARE 0.2
/* A device type has a section where so many conversions have it, and of these, the most common. */
#define SECTION_MIN 1000
#define SECTIONS_MAX 32
#define BINS_MAX 16 /* of delays: more take longer to score, and more labels to fill */

/* That depends on a conversion's ids alone. */
static cm_fold fold_of(const cm_conversion *conversion)
{
    double at = cm_draw(conversion, FOLD_SEED);
    if (at < CALIBRATE_SHARE)
        return CM_FOLD_CALIBRATE;
    return at < CALIBRATE_SHARE + JUDGE_SHARE ? CM_FOLD_JUDGE : CM_FOLD_LEARN;
}

/* Without a truth, conversions without a label tell no more than that they are there: all teach. */
static bool is_held_out(const cm_training *training, size_t conversion)
{
    if (training->has_truth)
        return !cm_train_is_known(training, CM_FOLD_LEARN, conversion);
    return training->folds[conversion] != CM_FOLD_LEARN &&
           training->rights.layer_1[conversion] != CM_NUMBER_NONE;
}

static cm_status make_folds(cm_training *training, cm_error *error)
{
    size_t count = training->records.conversion_count;
    training->folds = calloc(count + 1, sizeof *training->folds);
    training->held_out = calloc(count + 1, sizeof *training->held_out);
    if (training->folds == NULL || training->held_out == NULL)
        return cm_error_memory(error, "folds", 2 * count);
    for (size_t i = 0; i < count; i++) {
        training->folds[i] = (uint8_t)fold_of(&training->records.conversions[i]);
        training->held_out[i] = is_held_out(training, i);
    }
    return CM_OK;
}

/* ---- sections ---- */

struct type {
    const char *name; /* NULL: a model file cannot say it */
    uint32_t group;
    size_t count; /* of conversions to learn from that have it */
};

/* What a section for a group would be called. A file is UTF-8. */
static const char *section_name(const char *group)
{
    size_t characters;
    if (strcmp(group, CM_GROUP_NO_TYPE) == 0)
        return "";
    return cm_utf8_count(cm_slice_of_text(group), &characters) ? group : NULL;
}

/* Not if the type holds a NUL, which no section's name can, or is "(none)" by its own name. */
static bool is_named(const struct type *type, cm_slice device_type)
{
    return type->name != NULL && strlen(type->name) == device_type.size;
}

/* More conversions first, then by name, as groups are. */
static int compare(const void *left, const void *right)
{
    const struct type *a = left;
    const struct type *b = right;
    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    return a->group < b->group ? -1 : a->group > b->group;
}

static size_t choose_types(cm_training *training, struct type *types)
{
    const cm_grouping *grouping = &training->rights.groupings[CM_GROUPING_DEVICE_TYPE];
    size_t kept = 0;
    for (size_t i = 0; i < grouping->count; i++)
        types[i] = (struct type){section_name(grouping->names[i]), (uint32_t)i, 0};
    for (size_t i = 0; i < training->records.conversion_count; i++) {
        struct type *type = &types[grouping->of[i]];
        type->count += !training->held_out[i] &&
                       is_named(type, training->records.conversions[i].device.device_type);
    }
    qsort(types, grouping->count, sizeof *types, compare);
    while (kept < grouping->count && kept < SECTIONS_MAX && types[kept].count >= SECTION_MIN)
        kept++;
    for (size_t i = 0; i < grouping->count; i++)
        training->section_of[types[i].group] = i < kept ? (uint32_t)i : CM_NUMBER_NONE;
    return kept;
}

static cm_status begin(cm_training *training, cm_error *error)
{
    size_t count = training->rights.groupings[CM_GROUPING_DEVICE_TYPE].count;
    struct type *types = calloc(count + 1, sizeof *types);
    const char *names[SECTIONS_MAX];
    training->section_of = malloc((count + 1) * sizeof *training->section_of);
    if (types == NULL || training->section_of == NULL) {
        free(types);
        return cm_error_memory(error, "device types", count * sizeof *types);
    }
    size_t kept = choose_types(training, types);
    for (size_t i = 0; i < kept; i++)
        names[i] = types[i].name;
    cm_status status = cm_trained_init(&training->trained, training->base, names, kept, error);
    free(types);
    return status == CM_OK ? cm_trained_halve_bins(&training->trained, BINS_MAX, error) : status;
}

cm_status cm_train_learn(cm_training *training, cm_error *error)
{
    double began = cm_clock_seconds();
    cm_status status = make_folds(training, error);
    if (status == CM_OK)
        status = begin(training, error);
    const cm_rights *rights = &training->rights;
    const cm_train_truth truth = {rights->is_judged, rights->right, rights->click_owner,
                                  rights->conversion_owner};
    const cm_learn_task task = {.records = &training->records,
                                .held_out = training->held_out,
                                .truth = training->has_truth ? &truth : NULL,
                                .threads = training->options.threads,
                                .interrupted = training->options.interrupted,
                                .hash_seed = training->options.hash_seed,
                                .has_traits =
                                    cm_settings_flag(training->run.settings, CM_OPTION_TRAITS)};
    if (status == CM_OK)
        status = cm_learn(&task, &training->trained, &training->learned, error);
    cm_summary_phase_add(&training->run.summary, "learn", cm_clock_seconds() - began,
                         training->records.conversion_count);
    return status;
}

void cm_training_destroy(cm_training *training)
{
    cm_learned_destroy(&training->learned);
    cm_trained_destroy(&training->trained);
    cm_rights_destroy(&training->rights);
    cm_records_destroy(&training->records);
    cm_model_destroy(training->base);
    free(training->folds);
    free(training->held_out);
    free(training->section_of);
    free(training->organic);
    cm_evaluation_destroy(&training->evaluation);
}

#include "train/learn.h"

#include <stdlib.h>

#include "engine/engine.h"
#include "train/newer.h"
#include "train/unit_weight.h"
#include "util/error.h"

/* Labels that what is known before counts as: of the whole, and of a section, where the whole is
 * what is known. */
#define OWN_WEIGHT 30.0
#define SECTION_WEIGHT 200.0
#define STEPS 12
#define KEPT_MAX 0.98
#define PRIOR_MAX 0.98
/* So little that samples hold newer clicks, and their weights are as if there were none. */
#define REPEAT_TO_SEE_NEWER 1e-9
#define OUTSIDE 0.5
static const cm_chances FAMILY_BEGIN = {0.4, 0.4}, TRAIT_BEGIN = {0.9, 0.3};

struct learning {
    const cm_learn_task *task;
    cm_trained *trained;
    cm_learned *learned;
    cm_model *model; /* that samples are taken with */
    cm_engine *engine;
    cm_training_set set;
};

cm_status cm_trained_model(const cm_trained *trained, cm_model **model, cm_error *error)
{
    cm_buffer text = {0};
    cm_trained_write(trained, &text);
    cm_status status = text.failed ? cm_error_memory(error, "a model", text.size)
                                   : cm_model_create(text.data, text.size, model, error);
    cm_buffer_destroy(&text);
    return status;
}

/* ---- where to begin ---- */

/* Strangers' clicks among those of layer 2, spread evenly over its window to begin with. */
static bool begin_delay_u(const cm_trained *trained, cm_layer_model *layer)
{
    double window = trained->base->window_hours;
    if (layer->delay_u != NULL)
        return true;
    double *delay_u = malloc(trained->bin_count * sizeof *delay_u);
    layer->delay_u = delay_u;
    if (delay_u == NULL)
        return false;
    for (size_t i = 0; i < trained->bin_count; i++) {
        double before = i == 0 ? 0 : trained->delay_hours[i - 1];
        double share = (trained->delay_hours[i] - before) / window;
        delay_u[i] = share < OUTSIDE ? share : OUTSIDE; /* bins behind the window */
    }
    return true;
}

static bool begin_parameters(const cm_trained *trained, cm_parameters *parameters, bool has_traits)
{
    if (parameters->ip_other_m == 0) {
        parameters->ip_other_m = FAMILY_BEGIN.m;
        parameters->ip_other_u = FAMILY_BEGIN.u;
    }
    parameters->probabilistic.repeat = REPEAT_TO_SEE_NEWER;
    for (size_t i = 0; i < CM_TRAIT_COUNT; i++)
        if (has_traits && parameters->probabilistic.traits[i].m == 0)
            parameters->probabilistic.traits[i] = TRAIT_BEGIN;
    return begin_delay_u(trained, &parameters->fingerprint);
}

/* Of what nobody has seen only that is said which was said before: samples needed it. */
static void forget_unseen(const cm_learn_counts *counts, const cm_parameters *base,
                          cm_parameters *parameters)
{
    if (counts->labels.other_addresses < CM_LABELS_MIN) {
        parameters->ip_other_m = base->ip_other_m;
        parameters->ip_other_u = base->ip_other_u;
    }
    for (size_t i = 0; i < CM_TRAIT_COUNT; i++)
        if (counts->labels.traits[i] < CM_LABELS_MIN)
            parameters->probabilistic.traits[i] = base->probabilistic.traits[i];
    if (parameters->probabilistic.repeat == REPEAT_TO_SEE_NEWER)
        parameters->probabilistic.repeat = base->probabilistic.repeat;
    if (!counts->layers[CM_WEIGH_FINGERPRINT].is_used && base->fingerprint.delay_u == NULL) {
        free(parameters->fingerprint.delay_u);
        parameters->fingerprint.delay_u = NULL;
    }
}

/* ---- samples ---- */

/* The model as it is now. */
static cm_status make_model(struct learning *learning, cm_error *error)
{
    cm_model_destroy(learning->model);
    learning->model = NULL;
    cm_trained_round(learning->trained);
    return cm_trained_model(learning->trained, &learning->model, error);
}

/* Make an engine with the clicks, or give it to the one there is. */
static cm_status set_model(struct learning *learning, cm_error *error)
{
    const cm_learn_task *task = learning->task;
    const cm_options options = {.hash_seed = task->hash_seed};
    const cm_records_pass pass = {.threads = task->threads, .interrupted = task->interrupted};
    cm_status status = make_model(learning, error);
    if (status != CM_OK || learning->engine != NULL)
        return status == CM_OK ? cm_engine_set_model(learning->engine, learning->model, error)
                               : status;
    status = cm_engine_create(&options, learning->model, &learning->engine, error);
    return status == CM_OK ? cm_records_load(task->records, &pass, learning->engine, error)
                           : status;
}

static cm_status take_samples(struct learning *learning, cm_error *error)
{
    const cm_learn_task *task = learning->task;
    cm_training_set_destroy(&learning->set);
    cm_status status = set_model(learning, error);
    const cm_sampling sampling = {.records = task->records,
                                  .held_out = task->held_out,
                                  .truth = task->truth,
                                  .engine = learning->engine,
                                  .threads = task->threads,
                                  .interrupted = task->interrupted};
    return status == CM_OK ? cm_training_set_sample(&sampling, &learning->set, error) : status;
}

/* The group of a section's conversions: its place among the model's parameters. */
static uint32_t group_of(const struct learning *learning, size_t section)
{
    const char *type = learning->trained->sections[section].device_type;
    return cm_model_parameters_of(learning->model, (cm_slice){0}, cm_slice_of(type, strlen(type)));
}

/* ---- a layer ---- */

static cm_status estimate(struct learning *learning, uint32_t group, enum cm_weighed_layer layer,
                          cm_parameters *parameters, cm_mixture_counts *counts, cm_error *error)
{
    const cm_mixture_task task = {.set = &learning->set,
                                  .model = learning->model,
                                  .group = group,
                                  .layer = layer,
                                  .threads = learning->task->threads,
                                  .steps = STEPS,
                                  .interrupted = learning->task->interrupted};
    return cm_mixture_estimate(&task, parameters, counts, error);
}

static cm_status learn_layer_2(struct learning *learning, uint32_t group, double weight,
                               cm_parameters *parameters, cm_learn_counts *counts, cm_error *error)
{
    cm_status status = cm_labels_count(&learning->set, learning->model, group, weight,
                                       learning->task->threads, parameters, &counts->labels, error);
    return status == CM_OK ? estimate(learning, group, CM_WEIGH_FINGERPRINT, parameters,
                                      &counts->layers[CM_WEIGH_FINGERPRINT], error)
                           : status;
}

/* ---- fingerprints that were lost ---- */

/* How many of a device's clicks keep the fingerprint, all delays together. */
static double kept_share(const cm_trained *trained, const cm_parameters *parameters)
{
    double kept = 0, all = 0;
    for (size_t i = 0; i < trained->bin_count; i++) {
        all += parameters->delay_m[i];
        kept += parameters->delay_m[i] * parameters->fingerprint_m[i];
    }
    return kept / all;
}

/* Move fingerprint_m so that this share is kept, and the prior so that layer 2 finds as many as
 * before. */
static void set_kept_share(const struct learning *learning, double share, cm_parameters *parameters)
{
    const cm_trained *trained = learning->trained;
    double before = kept_share(trained, parameters);
    double odds = share / (1 - share) * (1 - before) / before;
    double reach = cm_unit_reach(learning->model, parameters, CM_WEIGH_FINGERPRINT);
    for (size_t i = 0; i < trained->bin_count; i++) {
        double m = parameters->fingerprint_m[i];
        parameters->fingerprint_m[i] = m * odds / (1 - m + m * odds);
    }
    parameters->fingerprint.prior *=
        reach / cm_unit_reach(learning->model, parameters, CM_WEIGH_FINGERPRINT);
    if (parameters->fingerprint.prior > PRIOR_MAX)
        parameters->fingerprint.prior = PRIOR_MAX;
}

/*
 * Labelled conversions kept more than their ids: who changed the browser lost both, so that labels
 * find too many fingerprints kept. Layer 3 finds devices that lost them, as many of these as kept
 * their address; with those that layer 2 finds they are all.
 */
static void correct_kept_share(const struct learning *learning, const cm_learn_counts *counts,
                               cm_parameters *parameters)
{
    double reach = cm_unit_reach(learning->model, parameters, CM_WEIGH_PROBABILISTIC);
    double lost = counts->layers[CM_WEIGH_PROBABILISTIC].own_different / reach;
    double kept = counts->layers[CM_WEIGH_FINGERPRINT].own;
    double share = kept / (kept + lost);
    set_kept_share(learning, share > KEPT_MAX ? KEPT_MAX : share, parameters);
}

/* The prior of those whose fingerprint is another one, as it was found, is that of all and the
 * chance of another one. No more than all have a click of their own. */
static void set_prior_of_all(const struct learning *learning, const cm_learn_counts *counts,
                             cm_parameters *parameters)
{
    double lost = 1 - kept_share(learning->trained, parameters);
    double prior = parameters->probabilistic.prior * (1 - parameters->fingerprint_u) / lost;
    bool is_known = counts->layers[CM_WEIGH_FINGERPRINT].is_used;
    double most = is_known ? parameters->fingerprint.prior : PRIOR_MAX;
    parameters->probabilistic.prior = prior < most ? prior : most;
}

static cm_status learn_layer_3(struct learning *learning, uint32_t group, cm_parameters *parameters,
                               cm_learn_counts *counts, cm_error *error)
{
    const cm_mixture_counts *layers = counts->layers;
    cm_status status = estimate(learning, group, CM_WEIGH_PROBABILISTIC, parameters,
                                &counts->layers[CM_WEIGH_PROBABILISTIC], error);
    if (status == CM_OK && layers[CM_WEIGH_PROBABILISTIC].is_used) {
        if (layers[CM_WEIGH_FINGERPRINT].is_used)
            correct_kept_share(learning, counts, parameters);
        set_prior_of_all(learning, counts, parameters);
    }
    return status == CM_OK
               ? cm_newer_estimate(&learning->set, learning->model, group, learning->task->threads,
                                   parameters, &counts->newer, error)
               : status;
}

/* ---- the whole, then sections ---- */

/* A section begins where the whole has come to. */
static cm_status learn_layer_2_of_all(struct learning *learning, cm_error *error)
{
    cm_trained *trained = learning->trained;
    cm_status status = learn_layer_2(learning, CM_NUMBER_NONE, OWN_WEIGHT, &trained->own,
                                     &learning->learned->own, error);
    for (size_t i = 0; i < trained->section_count && status == CM_OK; i++) {
        uint32_t group = group_of(learning, i);
        status = cm_trained_reset(trained, &trained->sections[i].parameters, error);
        if (status == CM_OK)
            status =
                learn_layer_2(learning, group, SECTION_WEIGHT, &trained->sections[i].parameters,
                              &learning->learned->sections[i], error);
    }
    return status;
}

/* What layer 3 learns without labels begins where the whole has come to. */
static void take_layer_3(const cm_parameters *from, size_t bin_count, cm_parameters *to)
{
    const cm_layer_model counted = to->probabilistic;
    cm_layer_model *layer = &to->probabilistic;
    if (counted.delay_u != NULL)
        memcpy(counted.delay_u, from->probabilistic.delay_u, bin_count * sizeof *counted.delay_u);
    *layer = from->probabilistic;
    layer->user_agent_m = counted.user_agent_m;
    for (size_t i = 0; i < CM_TRAIT_COUNT; i++)
        layer->traits[i].m = counted.traits[i].m;
    layer->delay_u = counted.delay_u;
    to->fingerprint_u = from->fingerprint_u;
}

/* Nothing was learned of it. */
static bool is_unknown(const cm_learn_counts *counts)
{
    return counts->labels.labels < CM_LABELS_MIN && !counts->layers[CM_WEIGH_FINGERPRINT].is_used &&
           !counts->layers[CM_WEIGH_PROBABILISTIC].is_used;
}

static cm_status learn_layer_3_of_all(struct learning *learning, cm_error *error)
{
    cm_trained *trained = learning->trained;
    cm_learned *learned = learning->learned;
    const cm_parameters *base = &trained->base->parameters[0];
    cm_status status = learn_layer_3(learning, CM_NUMBER_NONE, &trained->own, &learned->own, error);
    for (size_t i = 0; i < trained->section_count && status == CM_OK; i++) {
        cm_parameters *parameters = &trained->sections[i].parameters;
        take_layer_3(&trained->own, trained->bin_count, parameters);
        status = learn_layer_3(learning, group_of(learning, i), parameters, &learned->sections[i],
                               error);
        forget_unseen(&learned->own, base, parameters);
    }
    forget_unseen(&learned->own, base, &trained->own);
    for (size_t i = 0; i < trained->section_count && status == CM_OK; i++)
        if (is_unknown(&learned->sections[i]))
            status = cm_trained_reset(trained, &trained->sections[i].parameters, error);
    return status;
}

static cm_status learn(struct learning *learning, cm_error *error)
{
    cm_trained *trained = learning->trained;
    bool ready = begin_parameters(trained, &trained->own, learning->task->has_traits);
    for (size_t i = 0; i < trained->section_count; i++)
        ready = ready && begin_parameters(trained, &trained->sections[i].parameters,
                                          learning->task->has_traits);
    cm_status status = ready ? take_samples(learning, error)
                             : cm_error_memory(error, "delays", trained->bin_count);
    if (status == CM_OK)
        status = learn_layer_2_of_all(learning, error);
    /* Anew: which conversions layer 2 leaves open, and what is newer than its answers, goes by what
     * was learned. */
    if (status == CM_OK)
        status = take_samples(learning, error);
    if (status == CM_OK)
        status = learn_layer_3_of_all(learning, error);
    /* The engine stays as it was sampled with: what it holds goes by the traits that it had. */
    if (status == CM_OK)
        status = make_model(learning, error);
    return status == CM_OK
               ? cm_own_clicks_list(&learning->set, learning->model, learning->task->records,
                                    learning->engine, &learning->learned->own_clicks, error)
               : status;
}

cm_status cm_learn(const cm_learn_task *task, cm_trained *trained, cm_learned *learned,
                   cm_error *error)
{
    struct learning learning = {.task = task, .trained = trained, .learned = learned};
    *learned =
        (cm_learned){.sections = calloc(trained->section_count + 1, sizeof *learned->sections)};
    cm_status status = CM_OK;
    if (learned->sections == NULL)
        status = cm_error_memory(error, "counts", trained->section_count);
    if (status == CM_OK)
        status = learn(&learning, error);
    cm_trained_round(trained);
    cm_training_set_destroy(&learning.set);
    cm_engine_destroy(learning.engine);
    cm_model_destroy(learning.model);
    return status;
}

void cm_learned_destroy(cm_learned *learned)
{
    free(learned->sections);
    cm_own_clicks_destroy(&learned->own_clicks);
    *learned = (cm_learned){0};
}

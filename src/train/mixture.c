#include <math.h>
#include <stdlib.h>

#include "train/mixture_parts.h"
#include "train/older.h"
#include "train/sums.h"
#include "train/unit_weight.h"

#define LABEL_WEIGHT 50.0  /* own clicks that what labels say of user agents counts as */
#define DELAY_WEIGHT 400.0 /* own clicks that what labels say of delays counts as */
#define LR_DELAY_MIN 1e-9  /* a bin where own clicks never are: what is divided by it is 0 */
#define PRIOR_MIN 0.001
#define PRIOR_MAX 0.98
#define STRANGERS_MIN 50.0 /* fewer tell nothing of how strangers compare */
#define CHANCE_MIN 0.001
#define CHANCE_MAX 0.98

static double clamp(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

/* Layer 3 learns from what layer 2 left open. */
static bool takes_part(const cm_mixture *mixture, const cm_train_conversion *conversion)
{
    const cm_mixture_task *task = mixture->task;
    if (conversion->is_held_out || !conversion->is_open ||
        !conversion->layers[task->layer].is_attempted ||
        (task->group != CM_NUMBER_NONE && task->group != conversion->group))
        return false;
    return task->layer == CM_WEIGH_FINGERPRINT ||
           !conversion->layers[CM_WEIGH_FINGERPRINT].is_accepted;
}

/* ---- maximisation ---- */

static double share(double part, double whole, double before)
{
    return whole < STRANGERS_MIN ? before : clamp(part / whole, CHANCE_MIN, CHANCE_MAX);
}

/* Own clicks that kept the key, over how many keep it, are all own clicks. Conversions that lost
 * their ids came at other delays than those that kept them. */
static void maximise_delays(cm_mixture *mixture, const double *sums)
{
    const cm_model *model = mixture->task->model;
    cm_parameters *parameters = mixture->parameters;
    double whole = 0.0, before = 0.0;
    for (size_t i = 0; i < mixture->bins_within; i++) {
        whole += sums[CM_SUM_COUNT + i] / parameters->fingerprint_m[i];
        before += mixture->delay_m[i];
    }
    for (size_t i = 0; i < mixture->bins_within; i++) {
        double own = sums[CM_SUM_COUNT + i] / parameters->fingerprint_m[i];
        parameters->delay_m[i] =
            (own + DELAY_WEIGHT * mixture->delay_m[i]) / (whole + DELAY_WEIGHT * before) * before;
    }
    mixture->reach = cm_unit_reach(model, parameters, mixture->task->layer);
}

static void maximise_stranger_delays(cm_mixture *mixture, const double *sums)
{
    const double *strangers = sums + CM_SUM_COUNT + mixture->task->model->bin_count;
    double whole = 0.0, before = 0.0;
    for (size_t i = 0; i < mixture->bins_within; i++) {
        whole += strangers[i];
        before += mixture->delay_u[i];
    }
    for (size_t i = 0; i < mixture->bins_within; i++)
        mixture->layer->delay_u[i] =
            (strangers[i] + DELAY_WEIGHT * mixture->delay_u[i]) / (whole + DELAY_WEIGHT * before);
}

/* Layer 3 finds devices that look different, and those among them that kept their ids, often
 * because they did not change their browser, tell little of the others. */
static void maximise_user_agent(cm_mixture *mixture, const double *sums)
{
    double weight = LABEL_WEIGHT;
    mixture->layer->user_agent_m =
        clamp((sums[CM_SUM_OWN_EQUAL_USER_AGENTS] + weight * mixture->user_agent_m) /
                  (sums[CM_SUM_OWN_USER_AGENTS] + weight),
              CHANCE_MIN, CHANCE_MAX);
}

static void maximise(cm_mixture *mixture, const double *sums)
{
    cm_parameters *parameters = mixture->parameters;
    cm_layer_model *layer = mixture->layer;
    if (sums[CM_SUM_CONVERSIONS] > 0)
        layer->prior = clamp(sums[CM_SUM_OWN] / sums[CM_SUM_CONVERSIONS] / mixture->reach,
                             PRIOR_MIN, PRIOR_MAX);
    layer->user_agent_u =
        share(sums[CM_SUM_EQUAL_USER_AGENTS], sums[CM_SUM_USER_AGENTS], layer->user_agent_u);
    for (size_t i = 0; i < CM_TRAIT_COUNT; i++)
        if (layer->traits[i].m > 0)
            layer->traits[i].u =
                share(sums[CM_SUM_EQUAL_TRAITS + i], sums[CM_SUM_TRAITS + i], layer->traits[i].u);
    if (mixture->task->layer == CM_WEIGH_FINGERPRINT)
        maximise_delays(mixture, sums);
    if (mixture->task->layer == CM_WEIGH_PROBABILISTIC)
        maximise_user_agent(mixture, sums);
    if (layer->delay_u != NULL)
        maximise_stranger_delays(mixture, sums);
    if (mixture->task->layer == CM_WEIGH_PROBABILISTIC)
        parameters->fingerprint_u =
            share(sums[CM_SUM_EQUAL_EVIDENCE], sums[CM_SUM_EVIDENCE], parameters->fingerprint_u);
    else if (parameters->ip_other_m > 0)
        parameters->ip_other_u =
            share(sums[CM_SUM_OTHER_FAMILY], sums[CM_SUM_EVIDENCE] - sums[CM_SUM_EQUAL_EVIDENCE],
                  parameters->ip_other_u);
    mixture->w0 = 1 - layer->prior * mixture->reach;
}

/* ---- the whole ---- */

static bool make_room(cm_mixture *mixture)
{
    size_t chunks = mixture->task->set->chunk_count;
    size_t bin_count = mixture->task->model->bin_count;
    mixture->sums = calloc(CM_SUM_COUNT + 2 * bin_count, sizeof *mixture->sums);
    mixture->delay_m = calloc(bin_count, sizeof *mixture->delay_m);
    mixture->lr_delay = calloc(bin_count, sizeof *mixture->lr_delay);
    mixture->delay_u = calloc(bin_count, sizeof *mixture->delay_u);
    mixture->x = calloc(chunks + 1, sizeof *mixture->x);
    mixture->takes = calloc(chunks + 1, sizeof *mixture->takes);
    bool ready = mixture->sums != NULL && mixture->delay_m != NULL && mixture->lr_delay != NULL &&
                 mixture->delay_u != NULL && mixture->x != NULL && mixture->takes != NULL;
    for (size_t i = 0; i < chunks && ready; i++) {
        mixture->x[i] =
            malloc((mixture->task->set->chunks[i].look_count + 1) * sizeof **mixture->x);
        mixture->takes[i] = malloc(mixture->task->set->chunks[i].count + 1);
        ready = mixture->x[i] != NULL && mixture->takes[i] != NULL;
    }
    return ready;
}

static void free_room(cm_mixture *mixture)
{
    for (size_t i = 0; i < mixture->task->set->chunk_count; i++) {
        if (mixture->x != NULL)
            free(mixture->x[i]);
        if (mixture->takes != NULL)
            free(mixture->takes[i]);
    }
    free(mixture->x);
    free(mixture->takes);
    free(mixture->sums);
    free(mixture->delay_m);
    free(mixture->lr_delay);
    free(mixture->delay_u);
}

/* Note where everything begins, and who takes part. */
static void begin(cm_mixture *mixture)
{
    mixture->user_agent_m = mixture->layer->user_agent_m;
    const cm_model *model = mixture->task->model;
    memcpy(mixture->delay_m, mixture->parameters->delay_m,
           model->bin_count * sizeof *mixture->delay_m);
    if (mixture->layer->delay_u != NULL)
        memcpy(mixture->delay_u, mixture->layer->delay_u,
               model->bin_count * sizeof *mixture->delay_u);
    while (mixture->bins_within < model->bin_count &&
           model->delay_hours[mixture->bins_within] <= cm_unit_window(model, mixture->task->layer))
        mixture->bins_within++;
    for (size_t at = 0; at < mixture->task->set->chunk_count; at++) {
        const cm_train_chunk *chunk = &mixture->task->set->chunks[at];
        for (size_t i = 0; i < chunk->count; i++)
            mixture->takes[at][i] = takes_part(mixture, &chunk->conversions[i]);
    }
}

/* What x is made of, before it is made. */
static void prepare(cm_mixture *mixture)
{
    const cm_mixture_task *task = mixture->task;
    const cm_parameters *parameters = mixture->parameters;
    const double *m =
        task->layer == CM_WEIGH_FINGERPRINT ? parameters->fingerprint_m : parameters->ip_m;
    double older = 0.0; /* strangers' delays, from the oldest on */
    mixture->pair_reach = 0.0;
    for (size_t i = task->model->bin_count; i-- > 0;) {
        double delay_u = cm_unit_delay_u(task->model, parameters, task->layer, i);
        mixture->lr_delay[i] = fmax(parameters->delay_m[i] / delay_u, LR_DELAY_MIN);
        if (i >= mixture->bins_within)
            continue;
        mixture->pair_reach += parameters->delay_m[i] * m[i] * (older + delay_u * m[i] / 2);
        older += delay_u * m[i];
    }
}

static cm_status step(cm_mixture *mixture, bool is_first, cm_mixture_counts *counts,
                      cm_error *error)
{
    static const double coarse[] = {3.0, 1.7, 1.25}, fine[] = {1.25, 1.08, 1.02};
    size_t count = CM_SUM_COUNT + 2 * mixture->task->model->bin_count;
    double *sums = mixture->sums;
    prepare(mixture);
    cm_status status = cm_sum_chunks(mixture->task->set, mixture->task->threads, cm_mixture_expect,
                                     mixture, sums, count, error);
    if (status != CM_OK)
        return status;
    counts->conversions = (uint64_t)sums[CM_SUM_CONVERSIONS];
    counts->own = sums[CM_SUM_OWN];
    counts->own_different = sums[CM_SUM_OWN_DIFFERENT];
    counts->strangers = sums[CM_SUM_STRANGERS];
    counts->is_used = sums[CM_SUM_CONVERSIONS] >= CM_MIXTURE_CONVERSIONS_MIN &&
                      sums[CM_SUM_OWN] >= CM_MIXTURE_OWN_MIN;
    if (!counts->is_used)
        return CM_OK;
    maximise(mixture, sums);
    if (mixture->task->layer == CM_WEIGH_FINGERPRINT) {
        status =
            cm_older_estimate(mixture->task->set, mixture->task->model, mixture->task->group,
                              mixture->delay_m, mixture->task->threads, mixture->parameters, error);
        mixture->repeat = mixture->layer->repeat;
    }
    if (status == CM_OK)
        status =
            cm_mixture_search(mixture, is_first ? coarse : fine, 3, &counts->log_likelihood, error);
    mixture->layer->rivals = mixture->rivals;
    return status;
}

cm_status cm_mixture_estimate(const cm_mixture_task *task, cm_parameters *parameters,
                              cm_mixture_counts *counts, cm_error *error)
{
    bool is_fingerprint = task->layer == CM_WEIGH_FINGERPRINT;
    cm_mixture mixture = {
        .task = task,
        .parameters = parameters,
        .layer = is_fingerprint ? &parameters->fingerprint : &parameters->probabilistic,
        .reach = cm_unit_reach(task->model, parameters, task->layer),
    };
    *counts = (cm_mixture_counts){0};
    mixture.w0 = 1 - mixture.layer->prior * mixture.reach;
    mixture.rivals = mixture.layer->rivals;
    mixture.repeat = is_fingerprint ? mixture.layer->repeat : 0.0;
    cm_status status = CM_OK;
    if (make_room(&mixture)) {
        begin(&mixture);
        for (unsigned i = 0; i < task->steps && status == CM_OK && (i == 0 || counts->is_used); i++)
            status = step(&mixture, i == 0, counts, error);
    } else {
        status = cm_error_memory(error, "an estimate", task->set->count * sizeof(double));
    }
    free_room(&mixture);
    return status;
}

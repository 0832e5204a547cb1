#include "train/mixture.h"

#include <math.h>
#include <stdlib.h>

#include "train/sums.h"
#include "train/unit_weight.h"

/* What is searched for: a layer's rivals and repeat. */
struct point {
    double rivals, repeat;
};

struct mixture {
    const cm_mixture_task *task;
    cm_parameters *parameters;
    cm_layer_model *layer;
    double reach;              /* of the layer: own devices that kept the key */
    double user_agent_m;       /* as it was to begin with */
    double stranger_reach;     /* how many would keep it at strangers' delays */
    double *lr_delay;          /* by delay bin, as it was in x; above 0 */
    double *delay_m, *delay_u; /* as they were to begin with */
    size_t bins_within;        /* the layer's window */
    double w0;
    double **x;         /* by chunk and look: a candidate's weight without prior and r */
    bool **takes;       /* by chunk and conversion: does it take part? */
    double *sums;       /* of an expectation step */
    struct point point; /* that likelihood is asked for */
};

/* Sums of an expectation step. */
enum {
    SUM_CONVERSIONS,
    SUM_OWN,
    SUM_STRANGERS,
    SUM_OWN_USER_AGENTS, /* own clicks that show one */
    SUM_OWN_EQUAL_USER_AGENTS,
    SUM_OWN_DIFFERENT, /* own clicks with another fingerprint (layer 3) */
    SUM_USER_AGENTS,   /* strangers that show one */
    SUM_EQUAL_USER_AGENTS,
    SUM_EVIDENCE, /* strangers with an address (layer 2) or a fingerprint (layer 3) */
    SUM_EQUAL_EVIDENCE,
    SUM_OTHER_FAMILY,
    SUM_TRAITS,
    SUM_EQUAL_TRAITS = SUM_TRAITS + CM_TRAIT_COUNT,
    SUM_COUNT = SUM_EQUAL_TRAITS + CM_TRAIT_COUNT /* then own clicks by delay bin, and strangers' */
};

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

static const cm_train_chunk *chunk_at(const struct mixture *mixture, size_t chunk)
{
    return &mixture->task->set->chunks[chunk];
}

/* ---- who takes part ---- */

/* Layer 3 learns from what layer 2 left open. */
static bool takes_part(const struct mixture *mixture, const cm_train_conversion *conversion)
{
    const cm_mixture_task *task = mixture->task;
    if (conversion->is_held_out || !conversion->is_open ||
        !conversion->layers[task->layer].is_attempted ||
        (task->group != CM_NUMBER_NONE && task->group != conversion->group))
        return false;
    return task->layer == CM_WEIGH_FINGERPRINT ||
           !conversion->layers[CM_WEIGH_FINGERPRINT].is_accepted;
}

/* ---- expectation ---- */

/* Layer 3 learns from conversions whose own click layer 2 has not found, mostly since it has another
 * fingerprint: strangers have that, too, and it tells nothing. How many lost theirs is then found
 * without presuming it. */
static double without_fingerprint(const struct mixture *mixture, const cm_train_look *look,
                                  double x)
{
    const cm_parameters *parameters = mixture->parameters;
    bool is_lost =
        mixture->task->layer == CM_WEIGH_PROBABILISTIC && look->evidence == CM_COMPARE_DIFFERENT;
    return is_lost
               ? x * (1 - parameters->fingerprint_u) / (1 - parameters->fingerprint_m[look->bin])
               : x;
}

static void weigh_units(const struct mixture *mixture, const cm_train_chunk *chunk,
                        const cm_train_layer *layer, double *x)
{
    const cm_mixture_task *task = mixture->task;
    for (uint32_t i = layer->first; i < layer->first + layer->count; i++)
        x[i] = without_fingerprint(mixture, &chunk->looks[i],
                                   cm_unit_weight(task->model, mixture->parameters, task->layer,
                                                  &chunk->looks[i], layer->u));
}

static void add_pair(unsigned comparison, double stranger, double *known, double *equal)
{
    *known += comparison != CM_COMPARE_MISSING ? stranger : 0.0;
    *equal += comparison == CM_COMPARE_EQUAL ? stranger : 0.0;
}

static void add_stranger(const cm_train_look *look, double stranger, double *sums)
{
    sums[SUM_STRANGERS] += stranger;
    add_pair(look->user_agent, stranger, &sums[SUM_USER_AGENTS], &sums[SUM_EQUAL_USER_AGENTS]);
    add_pair(look->evidence, stranger, &sums[SUM_EVIDENCE], &sums[SUM_EQUAL_EVIDENCE]);
    sums[SUM_OTHER_FAMILY] += look->evidence == CM_COMPARE_OTHER_FAMILY ? stranger : 0.0;
    for (cm_trait i = 0; i < CM_TRAIT_COUNT; i++)
        add_pair(cm_train_trait(look, i), stranger, &sums[SUM_TRAITS + i],
                 &sums[SUM_EQUAL_TRAITS + i]);
}

/* What makes weights of unit weights: of a candidate alone, and of an older one beside a newer. */
struct factors {
    double alone, older;
};

static struct factors factors_of(const struct mixture *mixture, const cm_train_layer *layer,
                                 struct point point)
{
    double prior = mixture->layer->prior;
    double r = point.rivals + (double)(layer->count - 1 + layer->left);
    return (struct factors){prior / r, layer->count > 1 ? point.repeat / prior * r / (r - 1) : 0.0};
}

/* The sum of all ways in which candidates are the device's: one alone, or one with an older one. */
static double weigh(const struct mixture *mixture, const cm_train_chunk *chunk,
                    const cm_train_layer *layer, const double *x, struct point point)
{
    struct factors factors = factors_of(mixture, layer, point);
    double older = 0.0, sum = 0.0;
    for (uint32_t i = layer->count; i-- > 0;) {
        double alone = factors.alone * x[layer->first + i];
        sum += alone * (1 + factors.older * older);
        older += alone / mixture->lr_delay[chunk->looks[layer->first + i].bin];
    }
    return sum;
}

/* Each candidate is the device's newest click with some chance, an older one of it with some, and
 * else a stranger's. */
static void expect_one(const struct mixture *mixture, const cm_train_chunk *chunk,
                       const cm_train_layer *layer, const double *x, double *sums)
{
    struct factors factors = factors_of(mixture, layer, mixture->point);
    double total = mixture->w0 + weigh(mixture, chunk, layer, x, mixture->point);
    double *own = sums + SUM_COUNT, *strangers = own + mixture->task->model->bin_count;
    double newer = 0.0, older = 0.0;
    for (uint32_t i = 0; i < layer->count; i++)
        older += factors.alone * x[layer->first + i] /
                 mixture->lr_delay[chunk->looks[layer->first + i].bin];
    for (uint32_t i = 0; i < layer->count; i++) {
        const cm_train_look *look = &chunk->looks[layer->first + i];
        double alone = factors.alone * x[layer->first + i];
        older -= alone / mixture->lr_delay[look->bin];
        double newest = alone * (1 + factors.older * older) / total;
        double another = alone / mixture->lr_delay[look->bin] * factors.older * newer / total;
        newer += alone;
        if (look->whose != CM_WHOSE_UNKNOWN) {
            newest = look->whose == CM_WHOSE_NEWEST;
            another = look->whose == CM_WHOSE_OLDER;
        }
        double stranger = 1 - newest - another;
        sums[SUM_OWN] += newest;
        own[look->bin] += newest;
        sums[SUM_OWN_DIFFERENT] += look->evidence == CM_COMPARE_DIFFERENT ? newest : 0.0;
        add_pair(look->user_agent, newest, &sums[SUM_OWN_USER_AGENTS],
                 &sums[SUM_OWN_EQUAL_USER_AGENTS]);
        strangers[look->bin] += stranger;
        add_stranger(look, stranger, sums);
    }
}

static void expect(void *context, size_t at, double *sums)
{
    const struct mixture *mixture = context;
    const cm_train_chunk *chunk = chunk_at(mixture, at);
    for (size_t i = 0; i < chunk->count; i++) {
        const cm_train_layer *layer = &chunk->conversions[i].layers[mixture->task->layer];
        if (!mixture->takes[at][i])
            continue;
        sums[SUM_CONVERSIONS] += 1;
        weigh_units(mixture, chunk, layer, mixture->x[at]);
        if (layer->count > 0)
            expect_one(mixture, chunk, layer, mixture->x[at], sums);
    }
}

/* ---- maximisation ---- */

static double share(double part, double whole, double before)
{
    return whole < STRANGERS_MIN ? before : clamp(part / whole, CHANCE_MIN, CHANCE_MAX);
}

/* Own clicks that kept the key, over how many keep it, are all own clicks. Conversions that lost
 * their ids came at other delays than those that kept them. */
static void maximise_delays(struct mixture *mixture, const double *sums)
{
    const cm_model *model = mixture->task->model;
    cm_parameters *parameters = mixture->parameters;
    double whole = 0.0, before = 0.0;
    for (size_t i = 0; i < mixture->bins_within; i++) {
        whole += sums[SUM_COUNT + i] / parameters->fingerprint_m[i];
        before += mixture->delay_m[i];
    }
    for (size_t i = 0; i < mixture->bins_within; i++) {
        double own = sums[SUM_COUNT + i] / parameters->fingerprint_m[i];
        parameters->delay_m[i] =
            (own + DELAY_WEIGHT * mixture->delay_m[i]) / (whole + DELAY_WEIGHT * before) * before;
    }
    mixture->reach = cm_unit_reach(model, parameters, mixture->task->layer);
}

static void maximise_stranger_delays(struct mixture *mixture, const double *sums)
{
    const double *strangers = sums + SUM_COUNT + mixture->task->model->bin_count;
    double whole = 0.0, before = 0.0;
    for (size_t i = 0; i < mixture->bins_within; i++) {
        whole += strangers[i];
        before += mixture->delay_u[i];
    }
    for (size_t i = 0; i < mixture->bins_within; i++)
        mixture->layer->delay_u[i] =
            (strangers[i] + DELAY_WEIGHT * mixture->delay_u[i]) / (whole + DELAY_WEIGHT * before);
}

/* Layer 3 finds devices that look different, and those among them that kept their ids, often because
 * they did not change their browser, tell little of the others. */
static void maximise_user_agent(struct mixture *mixture, const double *sums)
{
    double weight = LABEL_WEIGHT;
    mixture->layer->user_agent_m =
        clamp((sums[SUM_OWN_EQUAL_USER_AGENTS] + weight * mixture->user_agent_m) /
                  (sums[SUM_OWN_USER_AGENTS] + weight),
              CHANCE_MIN, CHANCE_MAX);
}

static void maximise(struct mixture *mixture, const double *sums)
{
    cm_parameters *parameters = mixture->parameters;
    cm_layer_model *layer = mixture->layer;
    if (sums[SUM_CONVERSIONS] > 0)
        layer->prior =
            clamp(sums[SUM_OWN] / sums[SUM_CONVERSIONS] / mixture->reach, PRIOR_MIN, PRIOR_MAX);
    layer->user_agent_u =
        share(sums[SUM_EQUAL_USER_AGENTS], sums[SUM_USER_AGENTS], layer->user_agent_u);
    for (size_t i = 0; i < CM_TRAIT_COUNT; i++)
        if (layer->traits[i].m > 0)
            layer->traits[i].u =
                share(sums[SUM_EQUAL_TRAITS + i], sums[SUM_TRAITS + i], layer->traits[i].u);
    if (mixture->task->layer == CM_WEIGH_FINGERPRINT)
        maximise_delays(mixture, sums);
    if (mixture->task->layer == CM_WEIGH_PROBABILISTIC)
        maximise_user_agent(mixture, sums);
    if (layer->delay_u != NULL)
        maximise_stranger_delays(mixture, sums);
    if (mixture->task->layer == CM_WEIGH_PROBABILISTIC)
        parameters->fingerprint_u =
            share(sums[SUM_EQUAL_EVIDENCE], sums[SUM_EVIDENCE], parameters->fingerprint_u);
    else if (parameters->ip_other_m > 0)
        parameters->ip_other_u =
            share(sums[SUM_OTHER_FAMILY], sums[SUM_EVIDENCE] - sums[SUM_EQUAL_EVIDENCE],
                  parameters->ip_other_u);
    mixture->w0 = 1 - layer->prior * mixture->reach;
}

/*
 * How likely the candidates' comparisons are, given how many there are: over what they would be if
 * all were strangers, so that only the ratios matter. Each stranger's ratios are 1 on average, its
 * unit weight is the layer's reach.
 */
static void add_likelihood(void *context, size_t at, double *sums)
{
    const struct mixture *mixture = context;
    const cm_train_chunk *chunk = chunk_at(mixture, at);
    for (size_t i = 0; i < chunk->count; i++) {
        const cm_train_layer *layer = &chunk->conversions[i].layers[mixture->task->layer];
        if (!mixture->takes[at][i] || layer->count == 0)
            continue;
        struct factors factors = factors_of(mixture, layer, mixture->point);
        double n = layer->count, e = factors.alone * mixture->reach;
        double another = factors.alone * mixture->stranger_reach;
        double mean = n * e + factors.older * e * another * n * (n - 1) / 2;
        double sum = weigh(mixture, chunk, layer, mixture->x[at], mixture->point);
        sums[0] += log((mixture->w0 + sum) / (mixture->w0 + mean));
    }
}

static cm_status likelihood_at(struct mixture *mixture, struct point point, double *likelihood,
                               cm_error *error)
{
    mixture->point = point;
    return cm_sum_chunks(mixture->task->set, mixture->task->threads, add_likelihood, mixture,
                         likelihood, 1, error);
}

#define RIVALS_MIN 1e-4
#define RIVALS_MAX 100.0
#define REPEAT_MIN 1e-4
#define REPEAT_MAX 50.0

static struct point moved(struct point point, bool is_repeat, double factor)
{
    if (is_repeat)
        point.repeat = clamp(point.repeat * factor, REPEAT_MIN, REPEAT_MAX);
    else
        point.rivals = clamp(point.rivals * factor, RIVALS_MIN, RIVALS_MAX);
    return point;
}

/* Uphill along one coordinate, as far as it goes. */
static cm_status climb(struct mixture *mixture, bool is_repeat, double factor, struct point *best,
                       double *height, bool *has_moved, cm_error *error)
{
    cm_status status = CM_OK;
    for (double way = factor; status == CM_OK; way = 1 / factor) {
        for (int step = 0; step < 8 && status == CM_OK; step++) {
            struct point next = moved(*best, is_repeat, way);
            double reached = 0.0;
            status = likelihood_at(mixture, next, &reached, error);
            if (status != CM_OK || !(reached > *height + 1e-9 * fabs(*height)))
                break;
            *best = next;
            *height = reached;
            *has_moved = true;
        }
        if (way != factor)
            break;
    }
    return status;
}

/* Rivals and repeat by coordinate ascent, with steps that get smaller. */
static cm_status search(struct mixture *mixture, const double *factors, size_t factor_count,
                        double *height, cm_error *error)
{
    struct point best = mixture->point;
    bool has_repeat = mixture->task->layer == CM_WEIGH_FINGERPRINT;
    cm_status status = likelihood_at(mixture, best, height, error);
    for (size_t i = 0; i < factor_count && status == CM_OK; i++) {
        bool has_moved = true;
        for (int round = 0; round < 4 && has_moved && status == CM_OK; round++) {
            has_moved = false;
            status = climb(mixture, false, factors[i], &best, height, &has_moved, error);
            if (status == CM_OK && has_repeat)
                status = climb(mixture, true, factors[i], &best, height, &has_moved, error);
        }
    }
    mixture->point = best;
    return status;
}

/* ---- the whole ---- */

static bool make_room(struct mixture *mixture)
{
    size_t chunks = mixture->task->set->chunk_count;
    size_t bin_count = mixture->task->model->bin_count;
    mixture->sums = calloc(SUM_COUNT + 2 * bin_count, sizeof *mixture->sums);
    mixture->delay_m = calloc(bin_count, sizeof *mixture->delay_m);
    mixture->lr_delay = calloc(bin_count, sizeof *mixture->lr_delay);
    mixture->delay_u = calloc(bin_count, sizeof *mixture->delay_u);
    mixture->x = calloc(chunks + 1, sizeof *mixture->x);
    mixture->takes = calloc(chunks + 1, sizeof *mixture->takes);
    bool ready = mixture->sums != NULL && mixture->delay_m != NULL && mixture->lr_delay != NULL &&
                 mixture->delay_u != NULL && mixture->x != NULL && mixture->takes != NULL;
    for (size_t i = 0; i < chunks && ready; i++) {
        mixture->x[i] = malloc((chunk_at(mixture, i)->look_count + 1) * sizeof **mixture->x);
        mixture->takes[i] = malloc(chunk_at(mixture, i)->count + 1);
        ready = mixture->x[i] != NULL && mixture->takes[i] != NULL;
    }
    return ready;
}

static void free_room(struct mixture *mixture)
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
static void begin(struct mixture *mixture)
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
        const cm_train_chunk *chunk = chunk_at(mixture, at);
        for (size_t i = 0; i < chunk->count; i++)
            mixture->takes[at][i] = takes_part(mixture, &chunk->conversions[i]);
    }
}

/* What x is made of, before it is made. */
static void prepare(struct mixture *mixture)
{
    const cm_mixture_task *task = mixture->task;
    const cm_parameters *parameters = mixture->parameters;
    const double *m =
        task->layer == CM_WEIGH_FINGERPRINT ? parameters->fingerprint_m : parameters->ip_m;
    mixture->stranger_reach = 0.0;
    for (size_t i = 0; i < task->model->bin_count; i++) {
        double delay_u = cm_unit_delay_u(task->model, parameters, task->layer, i);
        mixture->lr_delay[i] = fmax(parameters->delay_m[i] / delay_u, LR_DELAY_MIN);
        mixture->stranger_reach += i < mixture->bins_within ? delay_u * m[i] : 0.0;
    }
}

static cm_status step(struct mixture *mixture, bool is_first, cm_mixture_counts *counts,
                      cm_error *error)
{
    static const double coarse[] = {3.0, 1.7, 1.25}, fine[] = {1.25, 1.08, 1.02};
    size_t count = SUM_COUNT + 2 * mixture->task->model->bin_count;
    double *sums = mixture->sums;
    prepare(mixture);
    cm_status status = cm_sum_chunks(mixture->task->set, mixture->task->threads, expect, mixture,
                                     sums, count, error);
    if (status != CM_OK)
        return status;
    counts->conversions = (uint64_t)sums[SUM_CONVERSIONS];
    counts->own = sums[SUM_OWN];
    counts->own_different = sums[SUM_OWN_DIFFERENT];
    counts->strangers = sums[SUM_STRANGERS];
    counts->is_used =
        sums[SUM_CONVERSIONS] >= CM_MIXTURE_CONVERSIONS_MIN && sums[SUM_OWN] >= CM_MIXTURE_OWN_MIN;
    if (!counts->is_used)
        return CM_OK;
    maximise(mixture, sums);
    status = search(mixture, is_first ? coarse : fine, 3, &counts->log_likelihood, error);
    mixture->layer->rivals = mixture->point.rivals;
    mixture->layer->repeat = mixture->task->layer == CM_WEIGH_FINGERPRINT ? mixture->point.repeat
                                                                          : mixture->layer->repeat;
    return status;
}

cm_status cm_mixture_estimate(const cm_mixture_task *task, cm_parameters *parameters,
                              cm_mixture_counts *counts, cm_error *error)
{
    bool is_fingerprint = task->layer == CM_WEIGH_FINGERPRINT;
    struct mixture mixture = {
        .task = task,
        .parameters = parameters,
        .layer = is_fingerprint ? &parameters->fingerprint : &parameters->probabilistic,
        .reach = cm_unit_reach(task->model, parameters, task->layer),
    };
    *counts = (cm_mixture_counts){0};
    mixture.w0 = 1 - mixture.layer->prior * mixture.reach;
    mixture.point = (struct point){mixture.layer->rivals, is_fingerprint ? 0.05 : 0.0};
    cm_status status = CM_OK;
    if (!make_room(&mixture))
        status = cm_error_memory(error, "an estimate", task->set->count * sizeof(double));
    if (status == CM_OK)
        begin(&mixture);
    for (unsigned i = 0; i < task->steps && status == CM_OK && (i == 0 || counts->is_used); i++)
        status = step(&mixture, i == 0, counts, error);
    free_room(&mixture);
    return status;
}

#include "eval/paired.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "eval/draws.h"
#include "util/parallel.h"

const char *cm_paired_name(cm_paired_metric metric)
{
    static const char *const names[CM_PAIRED_METRIC_COUNT] = {
        [CM_PAIRED_PRECISION] = "precision", [CM_PAIRED_RECALL] = "recall",
        [CM_PAIRED_F_HALF] = "f_half",       [CM_PAIRED_CORRECT] = "correct",
        [CM_PAIRED_LOG_LOSS] = "log_loss",   [CM_PAIRED_BRIER] = "brier",
    };
    return names[metric];
}

double cm_mcnemar_mid_p(uint64_t one, uint64_t other)
{
    uint64_t count = one + other;
    uint64_t least = one < other ? one : other;
    double log_chance = -(double)count * log(2); /* of exactly `least` of `count` */
    for (uint64_t i = 1; i <= least; i++)
        log_chance += log((double)(count - least + i) / (double)i);
    double chance = exp(log_chance);
    double below = 0;
    double term = chance;
    for (uint64_t k = least; k > 0 && term > 0; k--) {
        term *= (double)k / (double)(count - k + 1);
        below += term;
    }
    return one == other ? 1 : fmin(1, 2 * below + chance);
}

/* ---- what is summed up: a device's conversions, or a round's devices ---- */

/* Numbers of conversions are whole: exact as doubles, and cheap to add up by the round. */
typedef struct sums {
    double conversions, with_click, both_weighed;
    double attributed[2], right_click[2], correct[2], log_loss[2], brier[2];
} sums;

static bool is_right_click(const cm_judged *judged)
{
    return judged->verdict == CM_VERDICT_RIGHT_CLICK;
}

static bool is_correct(const cm_judged *judged)
{
    return judged->has_click ? judged->accepted != 0 && is_right_click(judged)
                             : judged->accepted == 0;
}

static void add_answer(sums *of, size_t side, const cm_judged *judged, bool both_weighed)
{
    of->attributed[side] += judged->accepted != 0;
    of->right_click[side] += judged->accepted != 0 && is_right_click(judged);
    of->correct[side] += is_correct(judged);
    if (!both_weighed)
        return;
    double miss = judged->probability - (is_right_click(judged) ? 1 : 0);
    of->log_loss[side] += cm_log_loss(judged->probability, is_right_click(judged));
    of->brier[side] += miss * miss;
}

static void add_pair(sums *of, const cm_judged *first, const cm_judged *second)
{
    bool both_weighed = first->weighed != 0 && second->weighed != 0;
    of->conversions++;
    of->with_click += first->has_click;
    of->both_weighed += both_weighed;
    add_answer(of, 0, first, both_weighed);
    add_answer(of, 1, second, both_weighed);
}

static void add_times(sums *of, const sums *device, double times)
{
    of->conversions += times * device->conversions;
    of->with_click += times * device->with_click;
    of->both_weighed += times * device->both_weighed;
    for (size_t side = 0; side < 2; side++) {
        of->attributed[side] += times * device->attributed[side];
        of->right_click[side] += times * device->right_click[side];
        of->correct[side] += times * device->correct[side];
        of->log_loss[side] += times * device->log_loss[side];
        of->brier[side] += times * device->brier[side];
    }
}

/* A share of nothing is NaN. */
static void set_values(const sums *of, size_t side, double *values)
{
    double right = of->right_click[side];
    values[CM_PAIRED_PRECISION] = right / of->attributed[side];
    values[CM_PAIRED_RECALL] = right / of->with_click;
    /* Nothing attributed though there is something to find: as figures have it. */
    values[CM_PAIRED_F_HALF] =
        of->attributed[side] == 0 && of->with_click > 0
            ? 0
            : cm_f_half(values[CM_PAIRED_PRECISION], values[CM_PAIRED_RECALL]);
    values[CM_PAIRED_CORRECT] = of->correct[side] / of->conversions;
    values[CM_PAIRED_LOG_LOSS] = of->log_loss[side] / of->both_weighed;
    values[CM_PAIRED_BRIER] = of->brier[side] / of->both_weighed;
}

/* ---- rounds ---- */

struct rounds {
    const sums *devices;
    size_t device_count;
    const cm_figures_options *options;
    double *differences; /* by metric and round */
    atomic_size_t next;
    atomic_bool failed;
};

static void run_round(const struct rounds *all, size_t round, uint16_t *times)
{
    sums drawn = {0};
    double values[2][CM_PAIRED_METRIC_COUNT];
    cm_draws_make(all->options->seed, round, times, all->device_count);
    for (size_t i = 0; i < all->device_count; i++)
        if (times[i] > 0)
            add_times(&drawn, &all->devices[i], times[i]);
    for (size_t side = 0; side < 2; side++)
        set_values(&drawn, side, values[side]);
    for (size_t metric = 0; metric < CM_PAIRED_METRIC_COUNT; metric++)
        all->differences[metric * all->options->rounds + round] =
            values[1][metric] - values[0][metric];
}

static void run_rounds(void *context, unsigned worker)
{
    (void)worker;
    struct rounds *all = context;
    size_t round;
    uint16_t *times = malloc((all->device_count + 1) * sizeof *times);
    while (times != NULL && (round = atomic_fetch_add(&all->next, 1)) < all->options->rounds)
        run_round(all, round, times);
    if (times == NULL)
        atomic_store(&all->failed, true);
    free(times);
}

static double p_of(const double *differences, size_t count)
{
    size_t at_most = 0, at_least = 0;
    for (size_t i = 0; i < count; i++) {
        at_most += differences[i] <= 0;
        at_least += differences[i] >= 0;
    }
    size_t fewer = at_most < at_least ? at_most : at_least;
    return fmin(1, 2 * ((double)fewer + 1) / ((double)count + 1));
}

static cm_status bootstrap(struct rounds *all, cm_paired *paired, cm_error *error)
{
    size_t rounds = all->options->rounds;
    all->differences = malloc((CM_PAIRED_METRIC_COUNT * rounds + 1) * sizeof *all->differences);
    if (all->differences == NULL)
        return cm_error_memory(error, "the bootstrap", rounds * sizeof(double));
    cm_parallel(all->options->threads == 0 ? 1 : all->options->threads, run_rounds, all);
    bool failed = atomic_load(&all->failed);
    for (size_t metric = 0; metric < CM_PAIRED_METRIC_COUNT && !failed; metric++) {
        cm_paired_figure *figure = &paired->figures[metric];
        double *differences = all->differences + metric * rounds;
        size_t count = cm_draws_interval(differences, rounds, &figure->low, &figure->high);
        if (count > 0)
            figure->p = p_of(differences, count);
    }
    free(all->differences);
    return failed ? cm_error_memory(error, "the bootstrap", all->device_count * sizeof(uint16_t))
                  : CM_OK;
}

/* ---- all together ---- */

static void set_figures(const sums *whole, cm_paired *paired)
{
    double values[2][CM_PAIRED_METRIC_COUNT];
    for (size_t side = 0; side < 2; side++) {
        set_values(whole, side, values[side]);
        paired->attributed[side] = (uint64_t)whole->attributed[side];
        paired->right_click[side] = (uint64_t)whole->right_click[side];
        paired->correct[side] = (uint64_t)whole->correct[side];
    }
    paired->organic = (uint64_t)(whole->conversions - whole->with_click);
    paired->both_weighed = (uint64_t)whole->both_weighed;
    for (size_t metric = 0; metric < CM_PAIRED_METRIC_COUNT; metric++)
        paired->figures[metric] =
            (cm_paired_figure){.values = {values[0][metric], values[1][metric]},
                               .difference = values[1][metric] - values[0][metric],
                               .low = (double)NAN,
                               .high = (double)NAN,
                               .p = (double)NAN};
    paired->mcnemar_p = cm_mcnemar_mid_p(paired->correct_alone[0], paired->correct_alone[1]);
}

cm_status cm_paired_make(const cm_judged *first, const cm_judged *second, const uint32_t *devices,
                         size_t count, size_t device_count, const cm_figures_options *options,
                         cm_paired *paired, cm_error *error)
{
    sums whole = {0};
    sums *by_device = calloc(device_count + 1, sizeof *by_device);
    *paired = (cm_paired){.conversions = count, .devices = device_count};
    if (by_device == NULL)
        return cm_error_memory(error, "devices", device_count * sizeof *by_device);
    for (size_t i = 0; i < count; i++) {
        bool is_first = is_correct(&first[i]);
        bool is_second = is_correct(&second[i]);
        add_pair(&by_device[devices[i]], &first[i], &second[i]);
        paired->correct_alone[0] += is_first && !is_second;
        paired->correct_alone[1] += is_second && !is_first;
    }
    for (size_t i = 0; i < device_count; i++)
        add_times(&whole, &by_device[i], 1);
    set_figures(&whole, paired);
    struct rounds all = {.devices = by_device, .device_count = device_count, .options = options};
    cm_status status = CM_OK;
    if (options->rounds > 0 && device_count > 0)
        status = bootstrap(&all, paired, error);
    free(by_device);
    return status;
}

/* Figures of all conversions, and of as many drawn again and again: the bootstrap. */
#include "eval/figures.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "eval/draws.h"
#include "eval/scored.h"
#include "util/parallel.h"

#define BINS_DEFAULT 10

const char *cm_metric_name(cm_metric metric)
{
    static const char *const names[CM_METRIC_COUNT] = {
        [CM_METRIC_PRECISION] = "precision",
        [CM_METRIC_RECALL] = "recall",
        [CM_METRIC_F_HALF] = "f_half",
        [CM_METRIC_LOG_LOSS] = "log_loss",
        [CM_METRIC_BRIER] = "brier",
        [CM_METRIC_ECE] = "calibration_error",
        [CM_METRIC_ECE_SWEEP] = "calibration_error_sweep",
        [CM_METRIC_ACCEPTED_LOG_LOSS] = "accepted_log_loss",
        [CM_METRIC_ACCEPTED_BRIER] = "accepted_brier",
        [CM_METRIC_ACCEPTED_ECE] = "accepted_calibration_error",
        [CM_METRIC_ACCEPTED_ECE_SWEEP] = "accepted_calibration_error_sweep",
        [CM_METRIC_EXPECTED_ERROR] = "expected_error",
        [CM_METRIC_OTHER_CLICK] = "other_click",
        [CM_METRIC_OTHER_DEVICE] = "other_device",
        [CM_METRIC_ORGANIC] = "organic",
        [CM_METRIC_ORGANIC_MATCHED] = "organic_matched",
        [CM_METRIC_DEVICE_PRECISION] = "device_precision",
        [CM_METRIC_DEVICE_RECALL] = "device_recall",
        [CM_METRIC_AD_PRECISION] = "ad_precision",
        [CM_METRIC_AD_RECALL] = "ad_recall",
        [CM_METRIC_CAMPAIGN_PRECISION] = "campaign_precision",
        [CM_METRIC_CAMPAIGN_RECALL] = "campaign_recall",
    };
    return names[metric];
}

/* ---- the bootstrap: each round draws as many conversions as there are, with replacement ---- */

struct bootstrap {
    const cm_scored *scored;
    size_t count;
    const cm_figures_options *options;
    size_t bins;
    double *values; /* by scope, metric and round */
    atomic_size_t next_round;
    atomic_bool failed;
};

static double *values_of(const struct bootstrap *all, cm_scope scope, cm_metric metric)
{
    return all->values + ((size_t)scope * CM_METRIC_COUNT + metric) * all->options->rounds;
}

static bool run_round(const struct bootstrap *all, size_t round, cm_tally_room *room,
                      uint16_t *times, cm_figures *figures)
{
    cm_draws_make(all->options->seed, round, times, all->count);
    cm_tally_all(room, all->scored, times, all->count);
    for (unsigned scope = 0; scope < CM_SCOPE_COUNT; scope++) {
        if (!cm_tally_figures(room, (cm_scope)scope, all->bins, figures))
            return false;
        for (unsigned metric = 0; metric < CM_METRIC_COUNT; metric++)
            values_of(all, (cm_scope)scope, (cm_metric)metric)[round] = figures->values[metric];
    }
    return true;
}

static void run_rounds(void *context, unsigned worker)
{
    (void)worker;
    struct bootstrap *all = context;
    cm_tally_room room;
    uint16_t *times = malloc((all->count + 1) * sizeof *times);
    cm_figures *figures = malloc(sizeof *figures);
    bool ready = cm_tally_room_init(&room, all->count) && times != NULL && figures != NULL;
    size_t round;
    while (ready && (round = atomic_fetch_add(&all->next_round, 1)) < all->options->rounds)
        ready = run_round(all, round, &room, times, figures);
    if (!ready)
        atomic_store(&all->failed, true);
    cm_tally_room_destroy(&room);
    free(figures);
    free(times);
}

/* The percentile interval, 95 %, of the rounds in which the metric exists. */
static void set_interval(const struct bootstrap *all, cm_scope scope, cm_metric metric,
                         cm_figures *figures)
{
    (void)cm_draws_interval(values_of(all, scope, metric), all->options->rounds,
                            &figures->low[metric], &figures->high[metric]);
}

static cm_status bootstrap(struct bootstrap *all, cm_figures *figures, cm_error *error)
{
    size_t bytes = all->options->rounds * CM_SCOPE_COUNT * CM_METRIC_COUNT * sizeof(double);
    all->values = malloc(bytes + 1);
    if (all->values == NULL)
        return cm_error_memory(error, "the bootstrap", bytes);
    unsigned threads = all->options->threads == 0 ? 1 : all->options->threads;
    cm_parallel(threads, run_rounds, all);
    bool failed = atomic_load(&all->failed);
    for (unsigned scope = 0; scope < CM_SCOPE_COUNT && !failed; scope++)
        for (unsigned metric = 0; metric < CM_METRIC_COUNT; metric++)
            set_interval(all, (cm_scope)scope, (cm_metric)metric, &figures[scope]);
    free(all->values);
    if (failed)
        return cm_error_memory(error, "the bootstrap", all->count * sizeof(cm_scored));
    return CM_OK;
}

/* ---- all together ---- */

static bool set_values(const cm_scored *scored, size_t count, size_t bins, cm_figures *figures)
{
    cm_tally_room room;
    bool ready = cm_tally_room_init(&room, count);
    if (ready)
        cm_tally_all(&room, scored, NULL, count);
    for (unsigned scope = 0; scope < CM_SCOPE_COUNT && ready; scope++) {
        ready = cm_tally_figures(&room, (cm_scope)scope, bins, &figures[scope]);
        for (unsigned metric = 0; metric < CM_METRIC_COUNT; metric++)
            figures[scope].low[metric] = figures[scope].high[metric] = (double)NAN;
    }
    cm_tally_room_destroy(&room);
    return ready;
}

cm_status cm_figures_make(const cm_judged *judged, size_t count, const cm_figures_options *options,
                          cm_figures *figures, cm_error *error)
{
    size_t bins = options->bins == 0 ? BINS_DEFAULT : options->bins;
    cm_scored *scored = cm_scored_make(judged, count);
    if (scored == NULL)
        return cm_error_memory(error, "conversions to judge", count * sizeof *scored);
    cm_status status = CM_OK;
    if (!set_values(scored, count, bins, figures))
        status = cm_error_memory(error, "figures", count * sizeof *scored);
    struct bootstrap all = {.scored = scored, .count = count, .options = options, .bins = bins};
    if (status == CM_OK && options->rounds > 0 && count > 0)
        status = bootstrap(&all, figures, error);
    free(scored);
    return status;
}

#include "eval/scored.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PROBABILITY_MIN 1e-15

double cm_log_loss(double probability, bool right)
{
    double p = right ? probability : 1 - probability;
    return -log(fmin(fmax(p, PROBABILITY_MIN), 1 - PROBABILITY_MIN));
}

static uint32_t pattern_of(const cm_judged *judged)
{
    return (uint32_t)judged->weighed << CM_PATTERN_WEIGHED |
           (uint32_t)judged->accepted << CM_PATTERN_ACCEPTED |
           (uint32_t)judged->verdict << CM_PATTERN_VERDICT |
           (uint32_t)judged->has_click << CM_PATTERN_HAS_CLICK |
           (uint32_t)judged->same_ad << CM_PATTERN_SAME_AD |
           (uint32_t)judged->same_campaign << CM_PATTERN_SAME_CAMPAIGN;
}

static bool is_right(uint32_t pattern)
{
    return cm_pattern_bits(pattern, CM_PATTERN_VERDICT, 3) == CM_VERDICT_RIGHT_CLICK;
}

static int compare(const void *left, const void *right)
{
    const cm_scored *a = left;
    const cm_scored *b = right;
    int order = (a->probability > b->probability) - (a->probability < b->probability);
    return order != 0 ? order : (a->pattern > b->pattern) - (a->pattern < b->pattern);
}

cm_scored *cm_scored_make(const cm_judged *judged, size_t count)
{
    cm_scored *scored = malloc((count + 1) * sizeof *scored);
    if (scored == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        double p = judged[i].probability;
        uint32_t pattern = pattern_of(&judged[i]);
        double miss = p - (is_right(pattern) ? 1 : 0);
        scored[i] = (cm_scored){p, cm_log_loss(p, is_right(pattern)), miss * miss, pattern};
    }
    qsort(scored, count, sizeof *scored, compare);
    return scored;
}

bool cm_tally_room_init(cm_tally_room *room, size_t count)
{
    *room = (cm_tally_room){0};
    for (size_t i = 0; i < CM_SET_COUNT; i++) {
        room->sets[i].runs = malloc((count + 1) * sizeof *room->sets[i].runs);
        if (room->sets[i].runs == NULL)
            return false;
    }
    return true;
}

void cm_tally_room_destroy(cm_tally_room *room)
{
    for (size_t i = 0; i < CM_SET_COUNT; i++)
        free(room->sets[i].runs);
    cm_sweep_room_destroy(&room->sweep);
}

/* ---- summing up ---- */

static void add_forecast(cm_forecasts *set, const cm_scored *one, uint64_t times)
{
    cm_run_of_equal *last = &set->runs[set->run_count - (set->run_count > 0)];
    if (set->run_count == 0 || last->probability != one->probability) {
        last = &set->runs[set->run_count++];
        *last = (cm_run_of_equal){.probability = one->probability};
    }
    last->count += times;
    last->right += is_right(one->pattern) ? times : 0;
    set->count += times;
    set->log_loss += (double)times * one->log_loss;
    set->brier += (double)times * one->brier;
    set->doubt += (double)times * (1 - one->probability);
}

/* A layer, 2 or 3, as a scope. */
static cm_scope scope_of(unsigned layer)
{
    return layer == 2 ? CM_SCOPE_LAYER_2 : CM_SCOPE_LAYER_3;
}

void cm_tally_all(cm_tally_room *room, const cm_scored *scored, const uint16_t *times, size_t count)
{
    memset(room->patterns, 0, sizeof room->patterns);
    for (size_t i = 0; i < CM_SET_COUNT; i++)
        room->sets[i] = (cm_forecasts){.runs = room->sets[i].runs};
    for (size_t i = 0; i < count; i++) {
        uint64_t n = times == NULL ? 1 : times[i];
        if (n == 0)
            continue;
        const cm_scored *one = &scored[i];
        unsigned weighed = cm_pattern_bits(one->pattern, CM_PATTERN_WEIGHED, 2);
        unsigned accepted = cm_pattern_bits(one->pattern, CM_PATTERN_ACCEPTED, 2);
        room->patterns[one->pattern] += n;
        if (weighed == 0)
            continue;
        add_forecast(&room->sets[scope_of(weighed)], one, n);
        add_forecast(&room->sets[CM_SCOPE_BOTH], one, n);
        if (accepted == 0)
            continue;
        add_forecast(&room->sets[CM_SCOPE_COUNT + scope_of(accepted)], one, n);
        add_forecast(&room->sets[CM_SCOPE_COUNT + CM_SCOPE_BOTH], one, n);
    }
}

/* ---- figures out of sums ---- */

static bool is_in(cm_scope scope, unsigned layer)
{
    return layer != 0 && (scope == CM_SCOPE_BOTH || scope == scope_of(layer));
}

static void count_pattern(cm_scope scope, uint32_t pattern, uint64_t n, cm_tallies *tallies)
{
    unsigned accepted = cm_pattern_bits(pattern, CM_PATTERN_ACCEPTED, 2);
    bool has_click = cm_pattern_bits(pattern, CM_PATTERN_HAS_CLICK, 1) == 1;
    tallies->with_click += has_click ? n : 0;
    tallies->organic += has_click ? 0 : n;
    /* What layer 2 attributes never comes to layer 3. */
    tallies->conversions += scope == CM_SCOPE_LAYER_3 && accepted == 2 ? 0 : n;
    tallies->weighed += is_in(scope, cm_pattern_bits(pattern, CM_PATTERN_WEIGHED, 2)) ? n : 0;
    if (!is_in(scope, accepted))
        return;
    tallies->attributed += n;
    tallies->by_verdict[cm_pattern_bits(pattern, CM_PATTERN_VERDICT, 3)] += n;
    tallies->same_ad += cm_pattern_bits(pattern, CM_PATTERN_SAME_AD, 1) == 1 ? n : 0;
    tallies->same_campaign += cm_pattern_bits(pattern, CM_PATTERN_SAME_CAMPAIGN, 1) == 1 ? n : 0;
}

static double share(uint64_t part, uint64_t whole)
{
    return whole == 0 ? (double)NAN : (double)part / (double)whole;
}

double cm_f_half(double precision, double recall)
{
    double weighted = 0.25 * precision + recall;
    return weighted == 0 ? 0 : 1.25 * precision * recall / weighted;
}

static void set_shares(const cm_tallies *t, double *values)
{
    uint64_t right = t->by_verdict[CM_VERDICT_RIGHT_CLICK];
    uint64_t other_click = t->by_verdict[CM_VERDICT_OTHER_CLICK];
    uint64_t organic = t->by_verdict[CM_VERDICT_ORGANIC];
    values[CM_METRIC_PRECISION] = share(right, t->attributed);
    values[CM_METRIC_RECALL] = share(right, t->with_click);
    /* Nothing attributed: no precision, but if there was anything to find, nothing is what this
     * model is worth. */
    values[CM_METRIC_F_HALF] =
        t->attributed == 0 && t->with_click > 0
            ? 0
            : cm_f_half(values[CM_METRIC_PRECISION], values[CM_METRIC_RECALL]);
    values[CM_METRIC_OTHER_CLICK] = share(other_click, t->attributed);
    values[CM_METRIC_OTHER_DEVICE] = share(t->by_verdict[CM_VERDICT_OTHER_DEVICE], t->attributed);
    values[CM_METRIC_ORGANIC] = share(organic, t->attributed);
    values[CM_METRIC_ORGANIC_MATCHED] = share(organic, t->organic);
    values[CM_METRIC_DEVICE_PRECISION] = share(right + other_click, t->attributed);
    values[CM_METRIC_DEVICE_RECALL] = share(right + other_click, t->with_click);
    values[CM_METRIC_AD_PRECISION] = share(t->same_ad, t->attributed);
    values[CM_METRIC_AD_RECALL] = share(t->same_ad, t->with_click);
    values[CM_METRIC_CAMPAIGN_PRECISION] = share(t->same_campaign, t->attributed);
    values[CM_METRIC_CAMPAIGN_RECALL] = share(t->same_campaign, t->with_click);
}

/* Log-loss, Brier score and both calibration errors, from `first` on. */
static bool set_losses(const cm_forecasts *set, cm_sweep_room *sweep, size_t bins, double *first,
                       size_t *sweep_bins)
{
    first[0] = set->log_loss / (double)set->count; /* NaN for none */
    first[1] = set->brier / (double)set->count;
    first[2] = cm_calibration_error(set->runs, set->run_count, bins);
    return cm_calibration_sweep(set->runs, set->run_count, sweep, sweep_bins, &first[3]);
}

bool cm_tally_figures(cm_tally_room *room, cm_scope scope, size_t bins, cm_figures *figures)
{
    const cm_forecasts *weighed = &room->sets[scope];
    const cm_forecasts *accepted = &room->sets[CM_SCOPE_COUNT + scope];
    double *values = figures->values;
    figures->tallies = (cm_tallies){0};
    for (uint32_t pattern = 0; pattern < CM_PATTERN_COUNT; pattern++)
        if (room->patterns[pattern] > 0)
            count_pattern(scope, pattern, room->patterns[pattern], &figures->tallies);
    set_shares(&figures->tallies, values);
    values[CM_METRIC_EXPECTED_ERROR] = accepted->doubt / (double)accepted->count;
    return set_losses(weighed, &room->sweep, bins, &values[CM_METRIC_LOG_LOSS],
                      &figures->sweep_bins) &&
           set_losses(accepted, &room->sweep, bins, &values[CM_METRIC_ACCEPTED_LOG_LOSS],
                      &figures->accepted_sweep_bins);
}

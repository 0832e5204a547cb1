#include "eval/calibration.h"

#include <math.h>
#include <stdlib.h>

#include "util/grow.h"

#define NORMAL_975 1.959963984540054 /* the normal distribution's 97.5 % point */

void cm_wilson_interval(uint64_t right, uint64_t count, double *low, double *high)
{
    double n = (double)count;
    double share = (double)right / n; /* NaN for none */
    double z2 = NORMAL_975 * NORMAL_975;
    double centre = (share + z2 / (2 * n)) / (1 + z2 / n);
    double half = NORMAL_975 / (1 + z2 / n) * sqrt(share * (1 - share) / n + z2 / (4 * n * n));
    *low = count == 0 ? (double)NAN : fmax(0, centre - half);
    *high = count == 0 ? (double)NAN : fmin(1, centre + half);
}

/* ---- bins ---- */

static uint64_t total_of(const cm_run_of_equal *runs, size_t run_count)
{
    uint64_t total = 0;
    for (size_t i = 0; i < run_count; i++)
        total += runs[i].count;
    return total;
}

static void close_bin(cm_bin *bin)
{
    bin->mean /= (double)bin->count;
    bin->share = (double)bin->right / (double)bin->count;
    cm_wilson_interval(bin->right, bin->count, &bin->low, &bin->high);
}

size_t cm_bins_make(const cm_run_of_equal *runs, size_t run_count, size_t bin_count, cm_bin *bins)
{
    uint64_t total = total_of(runs, run_count);
    uint64_t before = 0;
    size_t made = 0;
    size_t next = 1; /* the bin ends at next / bin_count of all */
    cm_bin bin = {0};
    for (size_t i = 0; i < run_count; i++) {
        if (bin.count == 0)
            bin.from = runs[i].probability;
        bin.to = runs[i].probability;
        bin.mean += runs[i].probability * (double)runs[i].count;
        bin.count += runs[i].count;
        bin.right += runs[i].right;
        before += runs[i].count;
        if (before * bin_count < next * total)
            continue;
        close_bin(&bin);
        bins[made++] = bin;
        bin = (cm_bin){0};
        next = before * bin_count / total + 1;
    }
    return made;
}

double cm_calibration_error(const cm_run_of_equal *runs, size_t run_count, size_t bin_count)
{
    cm_bin bins[CM_BINS_MAX];
    size_t made = cm_bins_make(runs, run_count, bin_count, bins);
    double sum = 0;
    uint64_t total = 0;
    for (size_t i = 0; i < made; i++) {
        sum += (double)bins[i].count * fabs(bins[i].share - bins[i].mean);
        total += bins[i].count;
    }
    return total == 0 ? (double)NAN : sum / (double)total;
}

/* ---- the sweep ---- */

struct cm_sweep_sum {
    double probability;
    uint64_t count, right;
};

void cm_sweep_room_destroy(cm_sweep_room *room)
{
    free(room->sums);
    free(room->run_of);
    *room = (cm_sweep_room){0};
}

static bool reserve(cm_sweep_room *room, size_t run_count, uint64_t total)
{
    struct cm_sweep_sum *sums =
        cm_grow(room->sums, &room->sum_capacity, run_count + 1, sizeof *sums);
    if (sums == NULL)
        return false;
    room->sums = sums;
    uint32_t *run_of = cm_grow(room->run_of, &room->run_of_capacity, total, sizeof *run_of);
    if (run_of == NULL)
        return false;
    room->run_of = run_of;
    return true;
}

static void fill(cm_sweep_room *room, const cm_run_of_equal *runs, size_t run_count)
{
    struct cm_sweep_sum sum = {0};
    for (size_t i = 0; i < run_count; i++) {
        room->sums[i] = sum;
        for (uint64_t j = 0; j < runs[i].count; j++)
            room->run_of[sum.count + j] = (uint32_t)i;
        sum.probability += runs[i].probability * (double)runs[i].count;
        sum.count += runs[i].count;
        sum.right += runs[i].right;
    }
    room->sums[run_count] = sum;
}

/* Where the bin that begins before run `from` ends, for bins of 1 / bin_count of all. */
static size_t bin_end(const cm_sweep_room *room, size_t from, size_t bin_count, uint64_t total)
{
    uint64_t next = room->sums[from].count * bin_count / total + 1;
    uint64_t needed = (next * total + bin_count - 1) / bin_count; /* forecasts until its end */
    return room->run_of[needed - 1] + (size_t)1;
}

/* Shares of bins rise: right_a / count_a <= right_b / count_b. */
static bool rises(const struct cm_sweep_sum *begin, const struct cm_sweep_sum *middle,
                  const struct cm_sweep_sum *end)
{
    return (middle->right - begin->right) * (end->count - middle->count) <=
           (end->right - middle->right) * (middle->count - begin->count);
}

static bool all_rise(const cm_sweep_room *room, size_t run_count, size_t bin_count)
{
    uint64_t total = room->sums[run_count].count;
    size_t begin = 0;
    size_t middle = bin_end(room, 0, bin_count, total);
    while (middle < run_count) {
        size_t end = bin_end(room, middle, bin_count, total);
        if (!rises(&room->sums[begin], &room->sums[middle], &room->sums[end]))
            return false;
        begin = middle;
        middle = end;
    }
    return true;
}

static double error_of(const cm_sweep_room *room, size_t run_count, size_t bin_count)
{
    uint64_t total = room->sums[run_count].count;
    double sum = 0;
    for (size_t at = 0, end; at < run_count; at = end) {
        end = bin_end(room, at, bin_count, total);
        double right = (double)(room->sums[end].right - room->sums[at].right);
        sum += fabs(right - (room->sums[end].probability - room->sums[at].probability));
    }
    return sum / (double)total;
}

/* Where the runs by themselves rise, whatever is made of neighbours rises, too. */
static bool runs_rise(const cm_sweep_room *room, size_t run_count)
{
    for (size_t i = 2; i <= run_count; i++)
        if (!rises(&room->sums[i - 2], &room->sums[i - 1], &room->sums[i]))
            return false;
    return true;
}

bool cm_calibration_sweep(const cm_run_of_equal *runs, size_t run_count, cm_sweep_room *room,
                          size_t *bin_count, double *error)
{
    uint64_t total = total_of(runs, run_count);
    *bin_count = 0;
    *error = (double)NAN;
    if (total == 0)
        return true;
    if (!reserve(room, run_count, total))
        return false;
    fill(room, runs, run_count);
    size_t limit = total < CM_SWEEP_BINS_MAX ? (size_t)total : CM_SWEEP_BINS_MAX;
    size_t bins = 1;
    if (runs_rise(room, run_count))
        bins = limit;
    while (bins < limit && all_rise(room, run_count, bins + 1))
        bins++;
    *bin_count = bins;
    *error = error_of(room, run_count, bins);
    return true;
}

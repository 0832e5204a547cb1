/*
 * Does 0.8 come true eight times in ten? Forecasts (a probability and whether it came true) are
 * given as runs: equal probabilities together, in rising order. A bin never splits a run, so that
 * no figure depends on the order of equal forecasts.
 */
#ifndef CM_EVAL_CALIBRATION_H
#define CM_EVAL_CALIBRATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CM_BINS_MAX 100        /* of a reliability table */
#define CM_SWEEP_BINS_MAX 1000 /* of the sweep: it goes no further */

/** Equal probabilities. */
typedef struct cm_run_of_equal {
    double probability;
    uint64_t count; /* at least 1 */
    uint64_t right; /* of them came true */
} cm_run_of_equal;

/** A bin of a reliability table. */
typedef struct cm_bin {
    double from, to; /* least and largest probability in it */
    uint64_t count, right;
    double mean;      /* probability */
    double share;     /* right / count */
    double low, high; /* of share: Wilson's interval, 95 % */
} cm_bin;

/**
 * Cut runs into bins of equal mass: the i-th of b ends with the first run that makes up i / b of
 * all forecasts. Where runs are large there are fewer bins.
 *
 * @param bin_count  1 to CM_BINS_MAX
 * @param bins       receives them
 * @return how many there are
 */
size_t cm_bins_make(const cm_run_of_equal *runs, size_t run_count, size_t bin_count, cm_bin *bins);

/**
 * Expected calibration error: the mean of |share right - mean probability| over bins, by their
 * number of forecasts (Naeini, Cooper and Hauskrecht 2015, with bins of equal mass).
 *
 * @return NaN where there are no forecasts
 */
double cm_calibration_error(const cm_run_of_equal *runs, size_t run_count, size_t bin_count);

/** Room for the sweep. Zero-initialised is empty; one thread. */
typedef struct cm_sweep_room {
    struct cm_sweep_sum *sums; /* before each run, and of all */
    uint32_t *run_of;          /* the run that each forecast belongs to */
    size_t sum_capacity, run_of_capacity;
} cm_sweep_room;

void cm_sweep_room_destroy(cm_sweep_room *room);

/**
 * The same error with as many bins as still rise: bins of equal mass from 1 on, until the first
 * number of them whose shares do not rise (Roelofs, Cain, Shlens and Mozer 2022, "Mitigating bias
 * in calibration error estimation", algorithm 1), or CM_SWEEP_BINS_MAX.
 *
 * @param bin_count  receives the number of bins
 * @param error      receives the error; NaN where there are no forecasts
 * @return false when memory is short
 */
bool cm_calibration_sweep(const cm_run_of_equal *runs, size_t run_count, cm_sweep_room *room,
                          size_t *bin_count, double *error);

/** Wilson's interval of a share, 95 % (Wilson 1927). NaN both where count is 0. */
void cm_wilson_interval(uint64_t right, uint64_t count, double *low, double *high);

#endif

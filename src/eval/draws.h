/*
 * The bootstrap's draws, with replacement, and the intervals of what they come to. A round's draws
 * depend on the seed and on its number alone, so that rounds may be shared out among threads.
 */
#ifndef CM_EVAL_DRAWS_H
#define CM_EVAL_DRAWS_H

#include <stddef.h>
#include <stdint.h>

/** Draw `count` times one of as many, at most 2^32. @param times  receives how often each came */
void cm_draws_make(uint64_t seed, size_t round, uint16_t *times, size_t count);

/**
 * The percentile interval, 95 %, of the values of the rounds (Efron 1979), interpolated between the
 * two nearest.
 *
 * @param values  those that are NaN do not count; gets sorted
 * @param low, high  receive the interval; left as they are where no value counts
 * @return how many values count: they are the first now
 */
size_t cm_draws_interval(double *values, size_t count, double *low, double *high);

#endif

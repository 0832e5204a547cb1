#include "eval/draws.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint64_t next_random(uint64_t *state)
{
    /* splitmix64: Steele, Lea and Flood 2014. */
    uint64_t z = (*state += 0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
}

void cm_draws_make(uint64_t seed, size_t round, uint16_t *times, size_t count)
{
    uint64_t state = seed;
    state = next_random(&state) + round;
    memset(times, 0, count * sizeof *times);
    for (size_t i = 0; i < count; i++) {
        size_t at = (size_t)((next_random(&state) >> 32) * count >> 32);
        times[at]++;
    }
}

static int compare(const void *left, const void *right)
{
    const double *a = left;
    const double *b = right;
    return (*a > *b) - (*a < *b);
}

/* Between the two nearest of sorted values, as most programs have it. */
static double quantile(const double *values, size_t count, double share)
{
    double place = share * (double)(count - 1);
    size_t at = (size_t)place;
    if (at + 1 >= count)
        return values[count - 1];
    return values[at] + (place - (double)at) * (values[at + 1] - values[at]);
}

size_t cm_draws_interval(double *values, size_t count, double *low, double *high)
{
    size_t counting = 0;
    for (size_t i = 0; i < count; i++)
        if (!isnan(values[i]))
            values[counting++] = values[i];
    if (counting == 0)
        return 0;
    qsort(values, counting, sizeof *values, compare);
    *low = quantile(values, counting, 0.025);
    *high = quantile(values, counting, 0.975);
    return counting;
}

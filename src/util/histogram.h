/*
 * How often each value came, by value: log-linear, as HdrHistogram has it. A value below 256 has a
 * counter of its own; above, each power of two is cut into 128 equal parts, so that no value is
 * told wrong by more than 1/128 of itself. Recording is a few instructions, never allocates and
 * never fails.
 */
#ifndef CM_UTIL_HISTOGRAM_H
#define CM_UTIL_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define CM_HISTOGRAM_PART_BITS 7
#define CM_HISTOGRAM_PARTS (1u << CM_HISTOGRAM_PART_BITS)
#define CM_HISTOGRAM_SLOTS ((64 - CM_HISTOGRAM_PART_BITS + 1) * CM_HISTOGRAM_PARTS)

/** Zero-initialised is empty. About 60 KB. Owned by one thread. */
typedef struct cm_histogram {
    uint64_t counts[CM_HISTOGRAM_SLOTS];
    uint64_t total;
    uint64_t max; /* as recorded, not rounded */
} cm_histogram;

/** The counter of a value. */
static inline uint32_t cm_histogram_slot(uint64_t value)
{
    if (value < 2 * CM_HISTOGRAM_PARTS)
        return (uint32_t)value;
    uint32_t shift = 63 - (uint32_t)__builtin_clzll(value) - CM_HISTOGRAM_PART_BITS;
    return shift * CM_HISTOGRAM_PARTS + (uint32_t)(value >> shift);
}

static inline void cm_histogram_record_many(cm_histogram *histogram, uint64_t value, uint64_t count)
{
    histogram->counts[cm_histogram_slot(value)] += count;
    histogram->total += count;
    if (count > 0 && value > histogram->max)
        histogram->max = value;
}

static inline void cm_histogram_record(cm_histogram *histogram, uint64_t value)
{
    cm_histogram_record_many(histogram, value, 1);
}

/**
 * The value that a share of all values does not exceed.
 *
 * @param share  0.99 for the 99th percentile; 1 gives the maximum
 * @return the largest value that its counter stands for, but at most the maximum; 0 where nothing
 * was recorded
 */
uint64_t cm_histogram_quantile(const cm_histogram *histogram, double share);

/**
 * How many values are at most so large, for several bounds at once. Values within 1/128 below a
 * bound may count as larger.
 *
 * @param bounds  rising
 * @param count   number of bounds
 * @param counts  receives a number for each
 */
void cm_histogram_cumulate(const cm_histogram *histogram, const uint64_t *bounds, size_t count,
                           uint64_t *counts);

/** Add what another one has counted. */
void cm_histogram_add(cm_histogram *histogram, const cm_histogram *other);

#endif

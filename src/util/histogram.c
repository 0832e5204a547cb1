#include "util/histogram.h"

/* The largest value of a counter. */
static uint64_t top_of(uint32_t slot)
{
    if (slot < 2 * CM_HISTOGRAM_PARTS)
        return slot;
    uint32_t shift = slot / CM_HISTOGRAM_PARTS - 1;
    uint64_t part = CM_HISTOGRAM_PARTS + slot % CM_HISTOGRAM_PARTS;
    return (part << shift) + ((UINT64_C(1) << shift) - 1);
}

/* The number of values that must not exceed the quantile, rounded up: at least one, at most all. */
static uint64_t rank_of(uint64_t total, double share)
{
    double exact = share * (double)total;
    uint64_t rank = (uint64_t)exact;
    if ((double)rank < exact)
        rank++;
    if (rank < 1)
        rank = 1;
    return rank > total ? total : rank;
}

uint64_t cm_histogram_quantile(const cm_histogram *histogram, double share)
{
    if (histogram->total == 0)
        return 0;
    uint64_t rank = rank_of(histogram->total, share);
    uint64_t seen = 0;
    uint32_t slot = 0;
    while ((seen += histogram->counts[slot]) < rank)
        slot++;
    uint64_t top = top_of(slot);
    return top < histogram->max ? top : histogram->max;
}

void cm_histogram_cumulate(const cm_histogram *histogram, const uint64_t *bounds, size_t count,
                           uint64_t *counts)
{
    uint64_t seen = 0;
    uint32_t slot = 0;
    for (size_t i = 0; i < count; i++) {
        /* The counter that the bound lies in counts where no value of it can be larger. */
        uint32_t end = cm_histogram_slot(bounds[i]);
        end += top_of(end) <= bounds[i];
        while (slot < end)
            seen += histogram->counts[slot++];
        counts[i] = histogram->max <= bounds[i] ? histogram->total : seen;
    }
}

void cm_histogram_add(cm_histogram *histogram, const cm_histogram *other)
{
    for (uint32_t slot = 0; slot < CM_HISTOGRAM_SLOTS; slot++)
        histogram->counts[slot] += other->counts[slot];
    histogram->total += other->total;
    if (other->max > histogram->max)
        histogram->max = other->max;
}

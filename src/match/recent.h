/* recent(list, W) of docs/matching.md, over the union of the lists that a conversion's key leads
 * to. */
#ifndef CM_MATCH_RECENT_H
#define CM_MATCH_RECENT_H

#include "index/click_index.h"

/** The lists of one key. Borrowed from the index. */
typedef struct cm_list_set {
    const cm_list *lists[2]; /* the lists, where there are at most two */
    size_t count;
    uint32_t bucket_head; /* else 0: or all groups of a bucket, from this one on */
} cm_list_set;

/** Number of clicks with t - window < click_timestamp <= t. */
uint64_t cm_recent_count(const cm_click_index *index, const cm_list_set *set, int64_t t,
                         int64_t window_us);

/**
 * The newest of them.
 *
 * @param clicks  receives at most limit numbers, newest first
 * @param limit   at most CM_MAX_CANDIDATES_LIMIT
 * @return how many
 */
size_t cm_recent_first(const cm_click_index *index, const cm_list_set *set, int64_t t,
                       int64_t window_us, size_t limit, uint32_t *clicks);

#endif

/* recent(list, W) of docs/matching.md, over the lists that a conversion's key leads to. */
#ifndef CM_MATCH_RECENT_H
#define CM_MATCH_RECENT_H

#include "index/click_index.h"

/** The clicks of one key. Borrowed from the index. */
typedef struct cm_view {
    const cm_lists *lists; /* what both live in */
    cm_list list[2];
    unsigned count;      /* of lists, none to two */
    bool is_filtered;    /* of one short list only the clicks of these two whos count */
    uint32_t whos[2];    /* CM_NUMBER_NONE: no click has it */
    int64_t window_us;   /* of begin and end; 0: they are not known */
    uint32_t begin, end; /* ranks in the only list: t - window_us and t */
} cm_view;

/** A view of one list. */
static inline cm_view cm_view_of(const cm_lists *lists, cm_list list)
{
    return (cm_view){.lists = lists, .list = {list}, .count = 1};
}

/** Number of clicks with t - window < click_timestamp <= t. */
uint64_t cm_recent_count(const cm_view *view, int64_t t, int64_t window_us);

/**
 * A number that is not above cm_recent_count and mostly near it, for less: of a view of one list
 * that is not filtered.
 */
uint64_t cm_recent_count_at_least(const cm_view *view, int64_t t, int64_t window_us);

/**
 * The newest of them.
 *
 * @param clicks  receives at most limit numbers, newest first
 * @param limit   at most CM_MAX_CANDIDATES_LIMIT
 * @param total   receives what cm_recent_count gives
 * @return how many
 */
size_t cm_recent_first(const cm_view *view, int64_t t, int64_t window_us, size_t limit,
                       uint32_t *clicks, uint64_t *total);

/** Ask the memory for the clicks of lists that are walked. */
void cm_view_prefetch_clicks(const cm_view *view);

/** Find begin and end of a view of one list that is searched, and ask the memory for what
 * cm_recent_first will give. */
void cm_view_find_range(cm_view *view, int64_t t, int64_t window_us, uint32_t limit);

#endif

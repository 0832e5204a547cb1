#include "match/recent.h"

#include "util/prefetch.h"

static int64_t time_of(const cm_view *view, uint32_t click)
{
    return cm_click_store_time(view->lists->store, click);
}

static bool is_wanted(const cm_view *view, uint32_t click)
{
    if (!view->is_filtered)
        return true;
    uint32_t who = cm_click_store_row(view->lists->store, click)->who;
    return who == view->whos[0] || who == view->whos[1];
}

/* One short list, from its end. */
static size_t walk(const cm_view *view, int64_t t, int64_t window_us, size_t limit,
                   uint32_t *clicks, uint64_t *total)
{
    const cm_list *list = &view->list[0];
    size_t count = 0;
    *total = 0;
    cm_cursor cursor = cm_list_walk(view->lists, list, list->count);
    for (;;) {
        uint32_t click = cm_cursor_next(view->lists, &cursor);
        if (click == CM_NUMBER_NONE)
            return count;
        int64_t time = time_of(view, click);
        if (time > t)
            continue;
        if (time <= t - window_us)
            return count;
        if (!is_wanted(view, click))
            continue;
        ++*total;
        if (count < limit)
            clicks[count++] = click;
    }
}

static bool is_walked(const cm_view *view)
{
    return view->count == 1 && !cm_list_is_searched(&view->list[0]);
}

/* The ranks of the clicks of a list in the time. */
static uint32_t range_of(const cm_view *view, unsigned at, int64_t t, int64_t window_us,
                         uint32_t *end)
{
    if (view->window_us == window_us) { /* of none nothing is known, and nothing is in it */
        *end = view->end;
        return view->begin;
    }
    *end = cm_list_rank(view->lists, &view->list[at], t);
    return *end == 0 ? 0 : cm_list_rank(view->lists, &view->list[at], t - window_us);
}

uint64_t cm_recent_count(const cm_view *view, int64_t t, int64_t window_us)
{
    uint64_t count = 0;
    if (is_walked(view)) {
        walk(view, t, window_us, 0, NULL, &count);
        return count;
    }
    for (unsigned at = 0; at < view->count; at++) {
        uint32_t end;
        uint32_t begin = range_of(view, at, t, window_us, &end);
        count += end - begin;
    }
    return count;
}

uint64_t cm_recent_count_at_least(const cm_view *view, int64_t t, int64_t window_us)
{
    uint32_t end = cm_list_rank_at_least(view->lists, &view->list[0], t);
    uint32_t begin = cm_list_rank_at_most(view->lists, &view->list[0], t - window_us);
    return end > begin ? end - begin : 0;
}

/* Of one list, a block at a time. */
static void copy(const cm_lists *lists, cm_cursor *cursor, size_t count, uint32_t *clicks)
{
    for (size_t i = 0; i < count;) {
        clicks[i++] = cm_cursor_next(lists, cursor);
        for (; i < count && cursor->left > 0; i++)
            clicks[i] = cursor->numbers[--cursor->left];
    }
}

static void prefetch_before(const cm_view *view, unsigned at, uint32_t rank, uint32_t count)
{
    cm_cursor cursor = cm_list_walk(view->lists, &view->list[at], rank);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t click = cm_cursor_next(view->lists, &cursor);
        if (click == CM_NUMBER_NONE)
            break;
        cm_prefetch(cm_click_store_row(view->lists->store, click));
    }
}

/* What is left of one of two lists. */
struct side {
    cm_cursor cursor;
    uint32_t left;
    uint32_t click; /* the newest of what is left; CM_NUMBER_NONE: nothing */
};

static void step(const cm_lists *lists, struct side *side)
{
    side->click = side->left == 0 ? CM_NUMBER_NONE : cm_cursor_next(lists, &side->cursor);
    side->left -= side->left > 0;
}

static size_t merge(const cm_view *view, struct side sides[2], size_t limit, uint32_t *clicks)
{
    size_t count = 0;
    while (count < limit) {
        unsigned newer = 0;
        if (sides[0].click == CM_NUMBER_NONE ||
            (sides[1].click != CM_NUMBER_NONE &&
             cm_click_store_is_older(view->lists->store, sides[0].click, sides[1].click)))
            newer = 1;
        if (sides[newer].click == CM_NUMBER_NONE)
            break;
        clicks[count++] = sides[newer].click;
        step(view->lists, &sides[newer]);
    }
    return count;
}

static size_t first_of_one(const cm_view *view, int64_t t, int64_t window_us, size_t limit,
                           uint32_t *clicks, uint64_t *total)
{
    uint32_t end;
    uint32_t begin = range_of(view, 0, t, window_us, &end);
    size_t count = end - begin < limit ? end - begin : limit;
    cm_cursor cursor = cm_list_walk(view->lists, &view->list[0], end);
    copy(view->lists, &cursor, count, clicks);
    *total = end - begin;
    return count;
}

size_t cm_recent_first(const cm_view *view, int64_t t, int64_t window_us, size_t limit,
                       uint32_t *clicks, uint64_t *total)
{
    struct side sides[2] = {{.click = CM_NUMBER_NONE}, {.click = CM_NUMBER_NONE}};
    if (is_walked(view))
        return walk(view, t, window_us, limit, clicks, total);
    if (view->count == 1)
        return first_of_one(view, t, window_us, limit, clicks, total);
    *total = 0;
    for (unsigned at = 0; at < view->count; at++) {
        uint32_t end;
        uint32_t begin = range_of(view, at, t, window_us, &end);
        *total += end - begin;
        sides[at].cursor = cm_list_walk(view->lists, &view->list[at], end);
        sides[at].left = end - begin;
        /* Merging waits for one click after the other: let them come together. */
        prefetch_before(view, at, end, end - begin < limit ? end - begin : (uint32_t)limit);
    }
    for (unsigned at = 0; at < view->count; at++)
        step(view->lists, &sides[at]);
    return merge(view, sides, limit, clicks);
}

void cm_view_prefetch_clicks(const cm_view *view)
{
    for (unsigned at = 0; at < view->count; at++)
        if (!cm_list_is_searched(&view->list[at]))
            prefetch_before(view, at, view->list[at].count, CM_LIST_WALKED_MAX);
}

void cm_view_find_range(cm_view *view, int64_t t, int64_t window_us, uint32_t limit)
{
    view->begin = range_of(view, 0, t, window_us, &view->end);
    view->window_us = window_us;
    uint32_t count = view->end - view->begin;
    prefetch_before(view, 0, view->end, count < limit ? count : limit);
}

#include "match/recent.h"

/* One list after another: those of the set, or the groups of a bucket. */
struct list_walk {
    const cm_click_index *index;
    const cm_list_set *set;
    size_t next;
    uint32_t group;
};

static struct list_walk walk_lists(const cm_click_index *index, const cm_list_set *set)
{
    return (struct list_walk){.index = index, .set = set, .group = set->bucket_head};
}

static const cm_list *next_list(struct list_walk *walk)
{
    if (walk->next < walk->set->count)
        return walk->set->lists[walk->next++];
    if (walk->group == 0)
        return NULL;
    const cm_address_group *group = cm_address_group_at(&walk->index->addresses, walk->group);
    walk->group = group->next;
    return &group->list;
}

/* The ranks of the clicks with t - window < click_timestamp <= t. */
static uint32_t range_of(const cm_lists *lists, const cm_list *list, int64_t t, int64_t window_us,
                         uint32_t *end)
{
    *end = cm_list_rank(lists, list, t);
    return *end == 0 ? 0 : cm_list_rank(lists, list, t - window_us);
}

uint64_t cm_recent_count(const cm_click_index *index, const cm_list_set *set, int64_t t,
                         int64_t window_us)
{
    uint64_t count = 0;
    struct list_walk walk = walk_lists(index, set);
    for (const cm_list *list; (list = next_list(&walk)) != NULL;) {
        uint32_t end;
        uint32_t begin = range_of(&index->lists, list, t, window_us, &end);
        count += end - begin;
    }
    return count;
}

static size_t first_of_one(const cm_click_index *index, const cm_list *list, int64_t t,
                           int64_t window_us, size_t limit, uint32_t *clicks)
{
    uint32_t end;
    uint32_t begin = range_of(&index->lists, list, t, window_us, &end);
    size_t count = end - begin < limit ? end - begin : limit;
    cm_cursor cursor = cm_list_walk(&index->lists, list, end);
    for (size_t i = 0; i < count; i++)
        clicks[i] = cm_cursor_next(&index->lists, &cursor);
    return count;
}

/* ---- several lists: the newest are kept in a heap whose root is the oldest of them ---- */

struct heap {
    const cm_click_store *store;
    uint32_t *clicks;
    size_t count;
};

static void swap(uint32_t *a, uint32_t *b)
{
    uint32_t kept = *a;
    *a = *b;
    *b = kept;
}

static void sink(struct heap *heap, size_t at)
{
    for (;;) {
        size_t oldest = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < heap->count; child++)
            if (cm_click_store_is_older(heap->store, heap->clicks[child], heap->clicks[oldest]))
                oldest = child;
        if (oldest == at)
            return;
        swap(&heap->clicks[at], &heap->clicks[oldest]);
        at = oldest;
    }
}

static void rise(struct heap *heap, size_t at)
{
    while (at > 0) {
        size_t parent = (at - 1) / 2;
        if (!cm_click_store_is_older(heap->store, heap->clicks[at], heap->clicks[parent]))
            return;
        swap(&heap->clicks[at], &heap->clicks[parent]);
        at = parent;
    }
}

/* Offer a click; false where it, and so all older ones of its list, cannot be among the newest. */
static bool offer(struct heap *heap, size_t limit, uint32_t click)
{
    if (heap->count < limit) {
        heap->clicks[heap->count] = click;
        rise(heap, heap->count++);
        return true;
    }
    if (!cm_click_store_is_older(heap->store, heap->clicks[0], click))
        return false;
    heap->clicks[0] = click;
    sink(heap, 0);
    return true;
}

static void sort_newest_first(struct heap *heap)
{
    while (heap->count > 1) {
        heap->count--;
        swap(&heap->clicks[0], &heap->clicks[heap->count]);
        sink(heap, 0);
    }
}

size_t cm_recent_first(const cm_click_index *index, const cm_list_set *set, int64_t t,
                       int64_t window_us, size_t limit, uint32_t *clicks)
{
    if (set->count == 1 && set->bucket_head == 0)
        return first_of_one(index, set->lists[0], t, window_us, limit, clicks);
    struct heap heap = {.store = &index->store, .clicks = clicks};
    struct list_walk walk = walk_lists(index, set);
    for (const cm_list *list; (list = next_list(&walk)) != NULL;) {
        uint32_t end;
        uint32_t left = range_of(&index->lists, list, t, window_us, &end);
        left = end - left;
        cm_cursor cursor = cm_list_walk(&index->lists, list, end);
        while (left-- > 0 && offer(&heap, limit, cm_cursor_next(&index->lists, &cursor)))
            ;
    }
    size_t count = heap.count;
    sort_newest_first(&heap);
    return count;
}

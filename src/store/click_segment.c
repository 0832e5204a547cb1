/* Segments of clicks: they are made, filled, dismantled and freed. */
#include <sys/mman.h>

#include "store/click_store.h"
#include "util/check.h"

#define ROWS_BYTES (CM_SEGMENT_ROWS * sizeof(cm_click_row)) /* 2 MiB */

void cm_click_store_init(cm_click_store *store, int64_t window_us)
{
    *store = (cm_click_store){.window_us = window_us, .findable_floor = INT64_MAX};
}

static void destroy_segment(cm_segment *segment)
{
    if (segment == NULL)
        return;
    free(segment->rows);
    free(segment->heap);
    if (segment->own_expiries != NULL)
        free(segment->own_expiries->times);
    free(segment->own_expiries);
    free(segment);
}

void cm_click_store_destroy(cm_click_store *store)
{
    for (size_t i = 0; i < store->segment_count; i++)
        destroy_segment(store->segments[i]);
    for (size_t i = 0; i < CM_SEGMENT_SPARES; i++)
        destroy_segment(store->spares[i]);
    free(store->segments);
    free(store->rows);
    cm_click_store_init(store, store->window_us);
}

static bool may_die(const cm_segment *segment)
{
    return segment != NULL && !segment->is_taken && !segment->is_dying && segment->count > 0;
}

static void count_closed(cm_click_store *store)
{
    store->closed_rows = store->closed_bytes = 0;
    for (size_t i = 0; i < store->segment_count; i++) {
        const cm_segment *segment = store->segments[i];
        if (segment == NULL || segment->is_taken)
            continue;
        store->closed_rows += segment->count;
        store->closed_bytes += segment->heap_size;
    }
}

/* With each segment that is taken, given back or dies; they are few. */
static void find_floor(cm_click_store *store)
{
    count_closed(store);
    store->findable_floor = INT64_MAX;
    for (size_t i = 0; i < store->segment_count; i++)
        if (may_die(store->segments[i]) &&
            store->segments[i]->last_findable < store->findable_floor)
            store->findable_floor = store->segments[i]->last_findable;
}

/* Room for the texts of a segment like the last full one, so that they need not be copied again and
 * again while it fills; what is not used goes back with the last click. */
static void reserve_heap(const cm_click_store *store, cm_segment *segment)
{
    for (size_t i = store->segment_count; i-- > 0;) {
        const cm_segment *full = store->segments[i];
        if (full == NULL || full->is_taken || full->count < CM_SEGMENT_ROWS)
            continue;
        size_t capacity = full->heap_size + full->heap_size / 16;
        segment->heap = malloc(capacity);
        if (segment->heap != NULL)
            segment->heap_capacity = capacity;
        return;
    }
}

static cm_segment *create_segment(bool is_first)
{
    cm_segment *segment = calloc(1, sizeof *segment);
    if (segment == NULL)
        return NULL;
    segment->last_findable = INT64_MIN;
    segment->rows = aligned_alloc(ROWS_BYTES, ROWS_BYTES);
    if (segment->rows == NULL) {
        free(segment);
        return NULL;
    }
    /* Random reads of rows then need a large page each, not a small one. The first segment does
     * without: a small engine stays small. */
    if (!is_first)
        (void)madvise(segment->rows, ROWS_BYTES, MADV_HUGEPAGE);
    return segment;
}

/* ---- spares ---- */

/* Empty, with the memory that it has. */
static void clear_segment(cm_segment *segment)
{
    cm_own_expiries *own = segment->own_expiries;
    segment->count = segment->unlisted = segment->forgotten = 0;
    atomic_store(&segment->duplicates, 0);
    segment->is_taken = segment->is_ahead = segment->is_dying = false;
    segment->last_findable = INT64_MIN;
    segment->heap_size = 0;
    if (own == NULL)
        return;
    memset(own->bits, 0, sizeof own->bits);
    own->count = 0;
}

static void keep_or_destroy(cm_click_store *store, cm_segment *segment)
{
    for (size_t i = 0; i < CM_SEGMENT_SPARES; i++) {
        if (store->spares[i] != NULL)
            continue;
        clear_segment(segment);
        store->spares[i] = segment;
        return;
    }
    destroy_segment(segment);
}

static cm_segment *take_spare(cm_click_store *store)
{
    for (size_t i = CM_SEGMENT_SPARES; i-- > 0;) {
        cm_segment *spare = store->spares[i];
        store->spares[i] = NULL;
        if (spare != NULL)
            return spare;
    }
    return NULL;
}

/* A new segment for a place. NULL when memory is short. */
static cm_segment *make_segment(cm_click_store *store, size_t place)
{
    cm_segment *segment = take_spare(store);
    if (segment != NULL)
        return segment;
    segment = create_segment(place == 0);
    if (segment != NULL)
        reserve_heap(store, segment);
    return segment;
}

static bool create_lists(cm_click_store *store)
{
    if (store->segments == NULL)
        store->segments = calloc(CM_SEGMENT_COUNT_MAX, sizeof *store->segments);
    if (store->rows == NULL)
        store->rows = calloc(CM_SEGMENT_COUNT_MAX, sizeof *store->rows);
    return store->segments != NULL && store->rows != NULL;
}

static bool has_room(const cm_segment *segment, bool is_ahead)
{
    return !segment->is_taken && !segment->is_dying && segment->is_ahead == is_ahead &&
           segment->count < CM_SEGMENT_ROWS;
}

/* The last segment that has room, or the first place for one. */
static size_t find_place(const cm_click_store *store, bool is_ahead)
{
    size_t free_place = store->segment_count;
    for (size_t i = store->segment_count; i-- > 0;) {
        const cm_segment *segment = store->segments[i];
        if (segment == NULL)
            free_place = i;
        else if (has_room(segment, is_ahead))
            return i;
    }
    return free_place;
}

static void take(cm_click_store *store, size_t place, cm_segment *segment, cm_click_writer *writer)
{
    segment->is_taken = true;
    segment->is_ahead = writer->is_ahead;
    find_floor(store);
    store->live_count += store->segments[place] == NULL;
    store->segments[place] = segment;
    store->rows[place] = segment->rows;
    if (place >= store->segment_count)
        store->segment_count = place + 1;
    writer->segment = segment;
    writer->base = (uint32_t)place << CM_SEGMENT_BITS;
}

cm_status cm_click_store_open(cm_click_store *store, cm_click_writer *writer, cm_error *error)
{
    cm_click_store_close(store, writer);
    if (!create_lists(store))
        return cm_error_memory(error, "the list of segments",
                               CM_SEGMENT_COUNT_MAX * sizeof *store->segments);
    size_t place = find_place(store, writer->is_ahead);
    if (place >= CM_SEGMENT_COUNT_MAX)
        return cm_error_set(error, CM_ERROR_CAPACITY,
                            "more than 2,147,418,112 clicks; use a shorter period");
    cm_segment *segment = store->segments[place];
    if (segment == NULL) {
        segment = make_segment(store, place);
        if (segment == NULL)
            return cm_error_memory(error, "a segment of clicks", ROWS_BYTES);
        segment->generation = store->next_generation++;
    }
    take(store, place, segment, writer);
    return CM_OK;
}

cm_status cm_click_store_open_at(cm_click_store *store, size_t place, size_t heap_bytes,
                                 uint32_t generation, cm_click_writer *writer, cm_error *error)
{
    cm_click_store_close(store, writer);
    if (!create_lists(store))
        return cm_error_memory(error, "the list of segments",
                               CM_SEGMENT_COUNT_MAX * sizeof *store->segments);
    CM_CHECK(place < CM_SEGMENT_COUNT_MAX && store->segments[place] == NULL);
    cm_segment *segment = create_segment(place == 0);
    if (segment == NULL)
        return cm_error_memory(error, "a segment of clicks", ROWS_BYTES);
    segment->heap = malloc(heap_bytes);
    segment->own_expiries = calloc(1, sizeof *segment->own_expiries);
    if (segment->heap == NULL || segment->own_expiries == NULL) {
        destroy_segment(segment);
        return cm_error_memory(error, "the texts of clicks", heap_bytes);
    }
    segment->heap_capacity = heap_bytes;
    segment->generation = generation;
    if (generation >= store->next_generation)
        store->next_generation = generation + 1;
    take(store, place, segment, writer);
    return CM_OK;
}

/* A full segment keeps no more room for texts than it needs, but for little: one that is used again
 * then has room for what comes, nearly always. If it grew and shrank each time, the heap would
 * become one of holes. */
static void trim(cm_segment *segment)
{
    size_t size = segment->heap_size, room = size + size / 128;
    if (segment->heap_capacity <= size + size / 64)
        return;
    char *heap = realloc(segment->heap, room);
    if (heap != NULL) {
        segment->heap = heap;
        segment->heap_capacity = room;
    }
}

void cm_click_store_close(cm_click_store *store, cm_click_writer *writer)
{
    if (writer->segment == NULL)
        return;
    if (writer->segment->count == CM_SEGMENT_ROWS)
        trim(writer->segment);
    writer->segment->is_taken = false;
    *writer = (cm_click_writer){.is_ahead = writer->is_ahead};
    find_floor(store);
}

void cm_click_store_free_segment(cm_click_store *store, size_t segment)
{
    if (store->segments[segment]->pins > 0)
        return;
    keep_or_destroy(store, store->segments[segment]);
    store->segments[segment] = NULL;
    store->rows[segment] = NULL;
    store->live_count--;
    store->freed_count++;
    find_floor(store);
}

void cm_click_store_pin(cm_click_store *store, size_t segment)
{
    store->segments[segment]->pins++;
}

void cm_click_store_unpin(cm_click_store *store, size_t segment)
{
    cm_segment *pinned = store->segments[segment];
    CM_CHECK(pinned->pins > 0);
    pinned->pins--;
    if (pinned->is_dying && pinned->unlisted == pinned->count)
        cm_click_store_free_segment(store, segment);
}

/* Which of two dies first. Time decides, so that it does not depend on the segments' places. */
static bool dies_before(const cm_segment *a, const cm_segment *b)
{
    if (a->last_findable != b->last_findable)
        return a->last_findable < b->last_findable;
    return a->generation < b->generation;
}

uint32_t cm_click_store_take_dead(cm_click_store *store, int64_t horizon)
{
    uint32_t found = CM_NUMBER_NONE;
    for (uint32_t i = 0; i < store->segment_count; i++)
        if (may_die(store->segments[i]) && store->segments[i]->last_findable <= horizon &&
            (found == CM_NUMBER_NONE || dies_before(store->segments[i], store->segments[found])))
            found = i;
    if (found == CM_NUMBER_NONE)
        return found;
    store->segments[found]->is_dying = true;
    find_floor(store);
    return found;
}

uint32_t cm_click_store_oldest_generation(const cm_click_store *store)
{
    uint32_t oldest = store->next_generation;
    for (size_t i = 0; i < store->segment_count; i++)
        if (store->segments[i] != NULL && !store->segments[i]->is_ahead &&
            store->segments[i]->generation < oldest)
            oldest = store->segments[i]->generation;
    return oldest;
}

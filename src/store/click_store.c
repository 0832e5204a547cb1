#include "store/click_store.h"

#include <sys/mman.h>

#include "store/click_text.h"
#include "util/check.h"
#include "util/grow.h"

#define ROWS_BYTES (CM_SEGMENT_ROWS * sizeof(cm_click_row)) /* 2 MiB */

void cm_click_store_init(cm_click_store *store, int64_t window_us)
{
    *store = (cm_click_store){.window_us = window_us};
}

static void free_segment(cm_segment *segment)
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
        free_segment(store->segments[i]);
    free(store->segments);
    free(store->rows);
    *store = (cm_click_store){0};
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

static bool create_lists(cm_click_store *store)
{
    if (store->segments == NULL)
        store->segments = calloc(CM_SEGMENT_COUNT_MAX, sizeof *store->segments);
    if (store->rows == NULL)
        store->rows = calloc(CM_SEGMENT_COUNT_MAX, sizeof *store->rows);
    return store->segments != NULL && store->rows != NULL;
}

/* The first segment that has room, or the first place for one. */
static size_t find_place(const cm_click_store *store)
{
    size_t free_place = store->segment_count;
    for (size_t i = store->segment_count; i-- > 0;) {
        const cm_segment *segment = store->segments[i];
        if (segment == NULL)
            free_place = i;
        else if (!segment->is_taken && segment->count < CM_SEGMENT_ROWS)
            return i;
    }
    return free_place;
}

cm_status cm_click_store_open(cm_click_store *store, cm_click_writer *writer, cm_error *error)
{
    cm_click_store_close(writer);
    if (!create_lists(store))
        return cm_error_memory(error, "the list of segments",
                               CM_SEGMENT_COUNT_MAX * sizeof *store->segments);
    size_t place = find_place(store);
    if (place >= CM_SEGMENT_COUNT_MAX)
        return cm_error_set(error, CM_ERROR_CAPACITY,
                            "more than 2,147,418,112 clicks; use a shorter period");
    cm_segment *segment = store->segments[place];
    if (segment == NULL) {
        segment = create_segment(place == 0);
        if (segment == NULL)
            return cm_error_memory(error, "a segment of clicks", ROWS_BYTES);
        reserve_heap(store, segment);
    }
    segment->is_taken = true;
    store->segments[place] = segment;
    store->rows[place] = segment->rows;
    if (place == store->segment_count)
        store->segment_count++;
    *writer = (cm_click_writer){segment, (uint32_t)place << CM_SEGMENT_BITS};
    return CM_OK;
}

/* A full segment keeps no more room for texts than it needs. */
static void trim(cm_segment *segment)
{
    char *heap = realloc(segment->heap, segment->heap_size);
    if (heap != NULL) {
        segment->heap = heap;
        segment->heap_capacity = segment->heap_size;
    }
}

void cm_click_store_close(cm_click_writer *writer)
{
    if (writer->segment == NULL)
        return;
    if (writer->segment->count == CM_SEGMENT_ROWS)
        trim(writer->segment);
    writer->segment->is_taken = false;
    *writer = (cm_click_writer){0};
}

static bool reserve_expiry(cm_segment *segment)
{
    if (segment->own_expiries == NULL)
        segment->own_expiries = calloc(1, sizeof *segment->own_expiries);
    cm_own_expiries *own = segment->own_expiries;
    if (own == NULL)
        return false;
    int64_t *times = cm_grow(own->times, &own->capacity, own->count + 1, sizeof *times);
    if (times != NULL)
        own->times = times;
    return times != NULL;
}

cm_status cm_click_writer_reserve(cm_click_writer *writer, const cm_click_texts *texts,
                                  cm_error *error)
{
    cm_segment *segment = writer->segment;
    CM_ASSERT(!cm_click_writer_is_full(writer));
    size_t needed = segment->heap_size + cm_click_text_room(texts);
    char *heap = cm_grow(segment->heap, &segment->heap_capacity, needed, 1);
    if (heap == NULL)
        return cm_error_memory(error, "the texts of clicks", needed);
    segment->heap = heap;
    if (!reserve_expiry(segment))
        return cm_error_memory(error, "expiry times", sizeof *segment->own_expiries);
    return CM_OK;
}

static void append_expiry(cm_own_expiries *own, uint32_t row, int64_t expires_at)
{
    own->bits[row / 64] |= (uint64_t)1 << row % 64;
    own->times[own->count++] = expires_at;
}

/* Note where a row's text begins in the heap. Rows follow one another. */
static void set_place(cm_segment *segment, uint32_t row, size_t place)
{
    cm_text_places *places = &segment->places[row / CM_PLACE_ROWS];
    if (row % CM_PLACE_ROWS == 0)
        places->base = (uint32_t)place;
    CM_CHECK(place - places->base <= UINT16_MAX);
    places->offset[row % CM_PLACE_ROWS] = (uint16_t)(place - places->base);
}

uint32_t cm_click_writer_append(cm_click_writer *writer, int64_t window_us, const cm_click_row *row,
                                const cm_click_texts *texts, int64_t expires_at,
                                int64_t findable_end)
{
    cm_segment *segment = writer->segment;
    uint32_t at = segment->count++;
    cm_click_row stored = *row;
    set_place(segment, at, segment->heap_size);
    segment->heap_size += cm_click_text_write(segment->heap + segment->heap_size, texts);
    if (at % 64 == 0)
        segment->own_expiries->before[at / 64] = (uint16_t)segment->own_expiries->count;
    if (expires_at != cm_click_row_time(row) + window_us) {
        append_expiry(segment->own_expiries, at, expires_at);
        stored.time |= CM_ROW_OWN_EXPIRY;
        if (expires_at < cm_click_row_time(row) + window_us)
            stored.time |= CM_ROW_EXPIRES_EARLY;
    }
    segment->rows[at] = stored;
    if (findable_end > segment->last_findable)
        segment->last_findable = findable_end;
    return writer->base + at;
}

void cm_click_store_drop(cm_click_store *store, uint32_t number)
{
    cm_click_store_row_to_set(store, number)->time |= CM_ROW_DUPLICATE;
    atomic_fetch_add(&store->segments[number >> CM_SEGMENT_BITS]->duplicates, 1);
}

void cm_click_store_free_segment(cm_click_store *store, size_t segment)
{
    free_segment(store->segments[segment]);
    store->segments[segment] = NULL;
    store->rows[segment] = NULL;
}

cm_click_texts cm_click_store_texts(const cm_click_store *store, uint32_t number)
{
    return cm_click_text_read(cm_click_store_text(store, number));
}

cm_slice cm_click_store_id(const cm_click_store *store, uint32_t number)
{
    return cm_click_text_id(cm_click_store_text(store, number));
}

int64_t cm_click_store_own_expiry(const cm_click_store *store, uint32_t number)
{
    const cm_own_expiries *own = store->segments[number >> CM_SEGMENT_BITS]->own_expiries;
    uint32_t row = number & (CM_SEGMENT_ROWS - 1);
    uint64_t below = own->bits[row / 64] & (((uint64_t)1 << row % 64) - 1);
    return own->times[own->before[row / 64] + (unsigned)__builtin_popcountll(below)];
}

size_t cm_click_store_count(const cm_click_store *store)
{
    size_t count = 0;
    for (size_t i = 0; i < store->segment_count; i++)
        if (store->segments[i] != NULL)
            count += store->segments[i]->count - store->segments[i]->duplicates;
    return count;
}

cm_store_memory cm_click_store_memory(const cm_click_store *store)
{
    cm_store_memory memory = {0};
    if (store->segments == NULL)
        return memory;
    memory.other = CM_SEGMENT_COUNT_MAX * (sizeof *store->segments + sizeof *store->rows);
    for (size_t i = 0; i < store->segment_count; i++) {
        const cm_segment *segment = store->segments[i];
        if (segment == NULL)
            continue;
        memory.rows += ROWS_BYTES;
        memory.places += sizeof segment->places;
        memory.other += sizeof *segment - sizeof segment->places;
        memory.texts += segment->heap_capacity;
        if (segment->own_expiries != NULL)
            memory.expiries +=
                sizeof *segment->own_expiries + segment->own_expiries->capacity * sizeof(int64_t);
    }
    return memory;
}

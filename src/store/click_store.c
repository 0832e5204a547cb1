#include "store/click_store.h"

#include "store/click_text.h"
#include "util/check.h"
#include "util/grow.h"

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

static size_t count_clicks(const cm_segment *segment)
{
    return segment == NULL ? 0 : segment->count - segment->duplicates - segment->forgotten;
}

size_t cm_click_store_count(const cm_click_store *store)
{
    size_t count = 0;
    for (size_t i = 0; i < store->segment_count; i++)
        count += count_clicks(store->segments[i]);
    return count;
}

size_t cm_click_store_count_ahead(const cm_click_store *store)
{
    size_t count = 0;
    for (size_t i = 0; i < store->segment_count; i++)
        if (store->segments[i] != NULL && store->segments[i]->is_ahead)
            count += count_clicks(store->segments[i]);
    return count;
}

static void add_memory(const cm_segment *segment, cm_store_memory *memory)
{
    if (segment == NULL)
        return;
    memory->rows += CM_SEGMENT_ROWS * sizeof *segment->rows;
    memory->places += sizeof segment->places;
    memory->other += sizeof *segment - sizeof segment->places;
    memory->texts += segment->heap_capacity;
    if (segment->own_expiries != NULL)
        memory->expiries +=
            sizeof *segment->own_expiries + segment->own_expiries->capacity * sizeof(int64_t);
}

cm_store_memory cm_click_store_memory(const cm_click_store *store)
{
    cm_store_memory memory = {0};
    if (store->segments == NULL)
        return memory;
    memory.other = CM_SEGMENT_COUNT_MAX * (sizeof *store->segments + sizeof *store->rows);
    for (size_t i = 0; i < store->segment_count; i++)
        add_memory(store->segments[i], &memory);
    for (size_t i = 0; i < CM_SEGMENT_SPARES; i++)
        add_memory(store->spares[i], &memory);
    return memory;
}

#include "store/click_store.h"

#include "util/check.h"
#include "util/grow.h"

/*
 * A click's text in the heap: one byte of flags, the sizes of what is there, then the bytes. Sizes
 * are one byte each, or two (little-endian) where any is over 255.
 */
#define HAS_FBCLID 1u
#define HAS_GCLID 2u
#define HAS_REFERENCE 4u
#define WIDE 8u
#define HEADER_BYTES_MAX ((size_t)9)
#define TEXT_BYTES_MAX (HEADER_BYTES_MAX + 3 * 1020 + 255)

void cm_click_store_init(cm_click_store *store, int64_t window_us)
{
    *store = (cm_click_store){.window_us = window_us};
}

static void free_segment(cm_segment *segment)
{
    if (segment == NULL)
        return;
    free(segment->text_at);
    for (size_t i = 0; i < CM_HEAP_BLOCKS_MAX && segment->heap[i] != NULL; i++)
        free(segment->heap[i]);
    free(segment->expiries);
    free(segment);
}

void cm_click_store_destroy(cm_click_store *store)
{
    for (size_t i = 0; i < store->segment_count; i++)
        free_segment(store->segments[i]);
    free(store->segments);
    *store = (cm_click_store){0};
}

static cm_segment *create_segment(void)
{
    cm_segment *segment = malloc(sizeof *segment + CM_SEGMENT_ROWS * sizeof(cm_click_row));
    if (segment == NULL)
        return NULL;
    memset(segment, 0, sizeof *segment);
    segment->last_findable = INT64_MIN;
    segment->text_at = malloc(CM_SEGMENT_ROWS * sizeof *segment->text_at);
    if (segment->text_at == NULL) {
        free(segment);
        return NULL;
    }
    return segment;
}

static size_t free_place(const cm_click_store *store)
{
    size_t place = 0;
    while (place < store->segment_count && store->segments[place] != NULL)
        place++;
    return place;
}

static cm_status open_segment(cm_click_store *store, cm_error *error)
{
    size_t place = free_place(store);
    if (store->segments == NULL)
        store->segments = calloc(CM_SEGMENT_COUNT_MAX, sizeof(cm_segment *));
    if (store->segments == NULL)
        return cm_error_memory(error, "the list of segments",
                               CM_SEGMENT_COUNT_MAX * sizeof(cm_segment *));
    if (place >= CM_SEGMENT_COUNT_MAX)
        return cm_error_set(error, CM_ERROR_CAPACITY,
                            "more than 4,294,901,760 clicks; use a shorter period");
    cm_segment *segment = create_segment();
    if (segment == NULL)
        return cm_error_memory(error, "a segment of clicks",
                               CM_SEGMENT_ROWS * sizeof(cm_click_row));
    store->segments[place] = segment;
    if (place == store->segment_count)
        store->segment_count++;
    store->current = place;
    return CM_OK;
}

static cm_segment *current_segment(const cm_click_store *store)
{
    return store->current < store->segment_count ? store->segments[store->current] : NULL;
}

/* A text lies in one block whole: what is left of a block that is too small for it stays empty. */
static cm_status reserve_text(cm_segment *segment, const cm_click_texts *texts, cm_error *error)
{
    size_t bytes = HEADER_BYTES_MAX + texts->click_id.size + texts->fbclid.size +
                   texts->gclid.size + texts->reference.size;
    CM_CHECK(bytes <= TEXT_BYTES_MAX);
    size_t used = segment->heap_size & (CM_HEAP_BLOCK_BYTES - 1);
    if (used > 0 && used + bytes <= CM_HEAP_BLOCK_BYTES)
        return CM_OK;
    size_t next = (segment->heap_size + CM_HEAP_BLOCK_BYTES - 1) >> CM_HEAP_BLOCK_BITS;
    CM_CHECK(next < CM_HEAP_BLOCKS_MAX);
    if (segment->heap[next] == NULL && (segment->heap[next] = malloc(CM_HEAP_BLOCK_BYTES)) == NULL)
        return cm_error_memory(error, "the texts of clicks", CM_HEAP_BLOCK_BYTES);
    segment->heap_size = next << CM_HEAP_BLOCK_BITS;
    return CM_OK;
}

cm_status cm_click_store_reserve(cm_click_store *store, const cm_click_texts *texts,
                                 cm_error *error)
{
    cm_status status;
    cm_segment *segment = current_segment(store);
    if (segment == NULL || segment->count == CM_SEGMENT_ROWS) {
        status = open_segment(store, error);
        if (status != CM_OK)
            return status;
        segment = current_segment(store);
    }
    status = reserve_text(segment, texts, error);
    if (status != CM_OK)
        return status;
    int64_t *expiries = cm_grow(segment->expiries, &segment->expiry_capacity,
                                segment->expiry_count + 1, sizeof *expiries);
    if (expiries == NULL)
        return cm_error_memory(error, "expiry times", segment->expiry_capacity * sizeof *expiries);
    segment->expiries = expiries;
    return CM_OK;
}

static uint8_t flags_of(const cm_click_texts *texts)
{
    unsigned flags = 0;
    if (texts->fbclid.size > 0)
        flags |= HAS_FBCLID;
    if (texts->gclid.size > 0)
        flags |= HAS_GCLID;
    if (texts->reference.size > 0)
        flags |= HAS_REFERENCE;
    if (texts->click_id.size > 255 || texts->fbclid.size > 255 || texts->gclid.size > 255)
        flags |= WIDE;
    return (uint8_t)flags;
}

static uint8_t *write_size(uint8_t *at, unsigned flags, size_t size)
{
    CM_CHECK(size <= UINT16_MAX);
    *at++ = (uint8_t)size;
    if (flags & WIDE)
        *at++ = (uint8_t)(size >> 8);
    return at;
}

static uint8_t *write_bytes(uint8_t *at, cm_slice text)
{
    if (text.size > 0)
        memcpy(at, text.data, text.size);
    return at + text.size;
}

static uint8_t *heap_at(const cm_segment *segment, uint32_t place)
{
    return (uint8_t *)segment->heap[place >> CM_HEAP_BLOCK_BITS] +
           (place & (CM_HEAP_BLOCK_BYTES - 1));
}

static void append_texts(cm_segment *segment, const cm_click_texts *texts)
{
    uint8_t *start = heap_at(segment, (uint32_t)segment->heap_size);
    uint8_t *at = start;
    unsigned flags = flags_of(texts);
    *at++ = (uint8_t)flags;
    at = write_size(at, flags, texts->click_id.size);
    if (flags & HAS_FBCLID)
        at = write_size(at, flags, texts->fbclid.size);
    if (flags & HAS_GCLID)
        at = write_size(at, flags, texts->gclid.size);
    if (flags & HAS_REFERENCE)
        at = write_size(at, flags, texts->reference.size);
    at = write_bytes(at, texts->click_id);
    at = write_bytes(at, texts->fbclid);
    at = write_bytes(at, texts->gclid);
    at = write_bytes(at, texts->reference);
    segment->text_at[segment->count] = (uint32_t)segment->heap_size;
    segment->heap_size += (size_t)(at - start);
}

uint32_t cm_click_store_append(cm_click_store *store, const cm_click_row *row,
                               const cm_click_texts *texts, int64_t expires_at, bool is_valid,
                               int64_t findable_end)
{
    cm_segment *segment = current_segment(store);
    append_texts(segment, texts);
    cm_click_row stored = *row;
    stored.expiry = 0;
    if (expires_at != row->click_timestamp + store->window_us) {
        segment->expiries[segment->expiry_count++] = expires_at;
        stored.expiry = (uint32_t)segment->expiry_count;
    }
    if (!is_valid)
        stored.expiry |= CM_EXPIRY_INVALID;
    segment->rows[segment->count] = stored;
    if (findable_end > segment->last_findable)
        segment->last_findable = findable_end;
    store->count++;
    return (uint32_t)(store->current << CM_SEGMENT_BITS) + segment->count++;
}

void cm_click_store_free_segment(cm_click_store *store, size_t segment)
{
    store->count -= store->segments[segment]->count;
    free_segment(store->segments[segment]);
    store->segments[segment] = NULL;
    if (store->current == segment)
        store->current = CM_SEGMENT_COUNT_MAX;
}

static const uint8_t *read_size(const uint8_t *at, unsigned flags, size_t *size)
{
    *size = *at++;
    if (flags & WIDE)
        *size |= (size_t)*at++ << 8;
    return at;
}

static const uint8_t *text_of(const cm_click_store *store, uint32_t number)
{
    const cm_segment *segment = store->segments[number >> CM_SEGMENT_BITS];
    return heap_at(segment, segment->text_at[number & (CM_SEGMENT_ROWS - 1)]);
}

cm_click_texts cm_click_store_texts(const cm_click_store *store, uint32_t number)
{
    cm_click_texts texts = {0};
    const uint8_t *at = text_of(store, number);
    unsigned flags = *at++;
    at = read_size(at, flags, &texts.click_id.size);
    if (flags & HAS_FBCLID)
        at = read_size(at, flags, &texts.fbclid.size);
    if (flags & HAS_GCLID)
        at = read_size(at, flags, &texts.gclid.size);
    if (flags & HAS_REFERENCE)
        at = read_size(at, flags, &texts.reference.size);
    texts.click_id.data = (const char *)at;
    texts.fbclid.data = texts.click_id.data + texts.click_id.size;
    texts.gclid.data = texts.fbclid.data + texts.fbclid.size;
    texts.reference.data = texts.gclid.data + texts.gclid.size;
    return texts;
}

cm_slice cm_click_store_id(const cm_click_store *store, uint32_t number)
{
    const uint8_t *at = text_of(store, number);
    unsigned flags = *at++;
    size_t size;
    at = read_size(at, flags, &size);
    unsigned others =
        (unsigned)__builtin_popcount(flags & (HAS_FBCLID | HAS_GCLID | HAS_REFERENCE));
    at += flags & WIDE ? 2 * others : others;
    return cm_slice_of((const char *)at, size);
}

size_t cm_click_store_memory(const cm_click_store *store)
{
    size_t bytes = store->segment_count * sizeof(cm_segment *);
    for (size_t i = 0; i < store->segment_count; i++) {
        const cm_segment *segment = store->segments[i];
        if (segment != NULL)
            bytes += sizeof *segment + CM_SEGMENT_ROWS * (sizeof(cm_click_row) + sizeof(uint32_t)) +
                     ((segment->heap_size + CM_HEAP_BLOCK_BYTES - 1) & ~(CM_HEAP_BLOCK_BYTES - 1)) +
                     segment->expiry_capacity * sizeof(int64_t);
    }
    return bytes;
}

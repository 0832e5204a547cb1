#include "store/cluster.h"

#include "store/click_text.h"
#include "util/check.h"
#include "util/grow.h"
#include "util/sort.h"

/* A part of a segment being put in another order. */
typedef struct clustering {
    cm_segment *segment;
    uint32_t from, count;         /* rows */
    cm_sort_entry *order, *spare; /* value: a row's place, counted from `from` */
    cm_click_row *rows;           /* as they were */
    int64_t *expires_at;
    char *heap; /* the texts in their new order */
    size_t heap_from, heap_size;
} clustering;

/* The parts one after another, those of the largest items first: all are aligned. */
static bool allocate(clustering *c, cm_cluster_room *room)
{
    c->heap_size = c->segment->heap_size - c->heap_from;
    size_t needed =
        c->count * (sizeof *c->rows + 2 * sizeof *c->order + sizeof *c->expires_at) + c->heap_size;
    char *bytes = cm_grow(room->bytes, &room->capacity, needed, 1);
    if (bytes == NULL)
        return false;
    room->bytes = bytes;
    c->rows = (cm_click_row *)(void *)bytes;
    c->order = (cm_sort_entry *)(void *)(c->rows + c->count);
    c->spare = c->order + c->count;
    c->expires_at = (int64_t *)(void *)(c->spare + c->count);
    c->heap = (char *)(c->expires_at + c->count);
    if (c->segment->moved == NULL)
        c->segment->moved = malloc(CM_SEGMENT_ROWS * sizeof *c->segment->moved);
    return c->segment->moved != NULL;
}

void cm_cluster_room_destroy(cm_cluster_room *room)
{
    free(room->bytes);
    *room = (cm_cluster_room){0};
}

/* Two bytes of the key are enough: what falls together by chance does no harm. */
static void sort_rows(clustering *c)
{
    for (uint32_t i = 0; i < c->count; i++)
        c->order[i] = (cm_sort_entry){c->rows[i].fingerprint >> 16, i};
    c->order = cm_sort(c->order, c->spare, c->count);
}

/* The expiries of the rows, of which those of their own lie in the order of the rows. */
static void read_expiries(clustering *c, const cm_click_store *store, uint32_t base)
{
    for (uint32_t i = 0; i < c->count; i++)
        c->expires_at[i] = c->rows[i].time & CM_ROW_OWN_EXPIRY
                               ? cm_click_store_own_expiry(store, base + c->from + i)
                               : 0;
}

static void write_expiries(const clustering *c)
{
    cm_own_expiries *own = c->segment->own_expiries;
    uint32_t first = c->from;
    uint64_t below = own->bits[first / 64] & (((uint64_t)1 << first % 64) - 1);
    own->bits[first / 64] = below;
    own->count = own->before[first / 64] + (unsigned)__builtin_popcountll(below);
    for (uint32_t i = 0; i < c->count; i++) {
        uint32_t row = first + i;
        if (row % 64 == 0) {
            own->bits[row / 64] = 0;
            own->before[row / 64] = (uint16_t)own->count;
        }
        if (c->segment->rows[row].time & CM_ROW_OWN_EXPIRY) {
            own->bits[row / 64] |= (uint64_t)1 << row % 64;
            own->times[own->count++] = c->expires_at[c->order[i].value];
        }
    }
}

/* Copy the texts in their new order. Their places still say where they are. */
static void copy_texts(clustering *c, const cm_click_store *store, uint32_t base)
{
    size_t at = 0;
    for (uint32_t i = 0; i < c->count; i++) {
        const char *text = cm_click_store_text(store, base + c->from + c->order[i].value);
        size_t size = cm_click_text_size(text);
        CM_CHECK(size <= c->heap_size - at);
        memcpy(c->heap + at, text, size);
        at += size;
    }
    CM_CHECK(at == c->heap_size);
}

static void place_texts(const clustering *c)
{
    size_t at = 0;
    for (uint32_t i = 0; i < c->count; i++) {
        cm_segment_set_place(c->segment, c->from + i, c->heap_from + at);
        at += cm_click_text_size(c->heap + at);
    }
    memcpy(c->segment->heap + c->heap_from, c->heap, c->heap_size);
}

static void move_rows(const clustering *c)
{
    cm_segment *segment = c->segment;
    for (uint32_t i = 0; i < c->count; i++) {
        uint32_t old = c->order[i].value;
        segment->rows[c->from + i] = c->rows[old];
        segment->moved[c->from + old] = (uint16_t)(c->from + i);
    }
}

cm_status cm_click_store_cluster(cm_click_store *store, size_t number, cm_cluster_room *room,
                                 cm_error *error)
{
    cm_segment *segment = store->segments[number];
    uint32_t base = (uint32_t)number << CM_SEGMENT_BITS;
    clustering c = {
        .segment = segment, .from = segment->settled, .count = segment->count - segment->settled};
    if (c.count == 0)
        return CM_OK;
    c.heap_from = (size_t)(cm_click_store_text(store, base + c.from) - segment->heap);
    if (!allocate(&c, room))
        return cm_error_memory(error, "ordering a segment of clicks", c.count * sizeof *c.rows);
    memcpy(c.rows, segment->rows + c.from, c.count * sizeof *c.rows);
    sort_rows(&c);
    read_expiries(&c, store, base);
    copy_texts(&c, store, base);
    move_rows(&c);
    place_texts(&c);
    write_expiries(&c);
    return CM_OK;
}

void cm_click_store_settle(cm_click_store *store, size_t number)
{
    cm_segment *segment = store->segments[number];
    segment->settled = segment->count;
    free(segment->moved);
    segment->moved = NULL;
}

/*
 * The clicks, by number. A click's number is where it stands: segment * 65,536 + row. What matching
 * reads of a click is one row of 32 bytes, two to a cache line; its texts lie apart, in the
 * segment's heap.
 *
 *     segment 0                      segment 1                      ...
 *     rows     65,536 x 32 bytes     click_timestamp, tenant, fingerprint, address, user agent,
 *                                    campaign, expiry
 *     text_at  65,536 x 4 bytes      where the click's text begins in the heap
 *     heap     blocks of 64 KiB      click id, fbclid, gclid, reference
 *     expiries                       only those that differ from click_timestamp + window
 *
 * Nothing that a reader of earlier clicks follows ever moves: one thread may append while another
 * reads rows and ids of clicks that were there before.
 *
 * A segment whose clicks are all beyond finding is freed whole, and its numbers are used again:
 * lists are ordered by time, not by number.
 */
#ifndef CM_STORE_CLICK_STORE_H
#define CM_STORE_CLICK_STORE_H

#include "util/error.h"
#include "util/slice.h"
#include "util/table.h"

#define CM_SEGMENT_BITS 16
#define CM_SEGMENT_ROWS (1u << CM_SEGMENT_BITS)
#define CM_SEGMENT_COUNT_MAX 65535u
#define CM_HEAP_BLOCK_BITS 16
#define CM_HEAP_BLOCK_BYTES ((size_t)1 << CM_HEAP_BLOCK_BITS)
#define CM_HEAP_BLOCKS_MAX 4096u /* 65,536 texts of the greatest size fit */

/* expiry: the top bit flags an invalid click; the rest is 0 for the window's end, else 1 + place in
 * the segment's list. */
#define CM_EXPIRY_INVALID (1u << 31)

typedef struct cm_click_row {
    int64_t click_timestamp; /* us since 1970 */
    uint32_t tenant;         /* number in the tenants' dictionary */
    uint32_t fingerprint;    /* group in the fingerprint index; 0: missing */
    uint32_t address;        /* group in the address index, or cm_address_missing(device type) */
    uint32_t user_agent;     /* number in the user agents' dictionary; 0: missing */
    uint32_t campaign;       /* number in the campaigns' dictionary */
    uint32_t expiry;
} cm_click_row;

/** The texts of one click; borrowed from the store. */
typedef struct cm_click_texts {
    cm_slice click_id, fbclid, gclid, reference;
} cm_click_texts;

typedef struct cm_segment {
    uint32_t count;        /* rows used */
    int64_t last_findable; /* nobody at or after this time can find any of its clicks */
    uint32_t *text_at;     /* CM_SEGMENT_ROWS */
    size_t heap_size;      /* up to the last block's used bytes */
    char *heap[CM_HEAP_BLOCKS_MAX];
    int64_t *expiries;
    size_t expiry_count, expiry_capacity;
    cm_click_row rows[]; /* CM_SEGMENT_ROWS */
} cm_segment;

/** One writer, or any number of readers. */
typedef struct cm_click_store {
    int64_t window_us;     /* the model's */
    cm_segment **segments; /* CM_SEGMENT_COUNT_MAX, made with the first; NULL where one was freed */
    size_t segment_count;
    size_t current; /* the segment being filled; segment_count where there is none */
    size_t count;   /* clicks stored */
} cm_click_store;

void cm_click_store_init(cm_click_store *store, int64_t window_us);
void cm_click_store_destroy(cm_click_store *store);

/**
 * Make room for one click with these texts and expiry: the next append of them cannot fail.
 *
 * @return CM_OK, CM_ERROR_MEMORY or CM_ERROR_CAPACITY
 */
cm_status cm_click_store_reserve(cm_click_store *store, const cm_click_texts *texts,
                                 cm_error *error);

/**
 * Append a click; room must have been reserved.
 *
 * @param row         its expiry field is set here
 * @param expires_at  us since 1970
 * @param findable_end  nobody at or after this time can find it
 * @return the click's number
 */
uint32_t cm_click_store_append(cm_click_store *store, const cm_click_row *row,
                               const cm_click_texts *texts, int64_t expires_at, bool is_valid,
                               int64_t findable_end);

/** Free a segment whose clicks are in no index any more. */
void cm_click_store_free_segment(cm_click_store *store, size_t segment);

/** The texts of a click. */
cm_click_texts cm_click_store_texts(const cm_click_store *store, uint32_t number);

/** The click's id alone. */
cm_slice cm_click_store_id(const cm_click_store *store, uint32_t number);

size_t cm_click_store_memory(const cm_click_store *store);

static inline const cm_click_row *cm_click_store_row(const cm_click_store *store, uint32_t number)
{
    return &store->segments[number >> CM_SEGMENT_BITS]->rows[number & (CM_SEGMENT_ROWS - 1)];
}

static inline bool cm_click_row_is_valid(const cm_click_row *row)
{
    return (row->expiry & CM_EXPIRY_INVALID) == 0;
}

/** The row, to set what is known only later: fingerprint and address. */
static inline cm_click_row *cm_click_store_row_to_set(cm_click_store *store, uint32_t number)
{
    return &store->segments[number >> CM_SEGMENT_BITS]->rows[number & (CM_SEGMENT_ROWS - 1)];
}

/** When a click expires. */
static inline int64_t cm_click_store_expires_at(const cm_click_store *store, uint32_t number)
{
    const cm_segment *segment = store->segments[number >> CM_SEGMENT_BITS];
    const cm_click_row *row = &segment->rows[number & (CM_SEGMENT_ROWS - 1)];
    uint32_t at = row->expiry & ~CM_EXPIRY_INVALID;
    return at == 0 ? row->click_timestamp + store->window_us : segment->expiries[at - 1];
}

/** The order of lists: by time, and among equals the smaller click id last (it counts as the
 * newer). */
static inline bool cm_click_store_is_older(const cm_click_store *store, uint32_t a, uint32_t b)
{
    int64_t time_a = cm_click_store_row(store, a)->click_timestamp;
    int64_t time_b = cm_click_store_row(store, b)->click_timestamp;
    if (time_a != time_b)
        return time_a < time_b;
    return cm_slice_compare(cm_click_store_id(store, a), cm_click_store_id(store, b)) > 0;
}

#endif

/*
 * The clicks, by number. A click's number is where it stands: segment * 65,536 + row. What matching
 * reads of a click is its row (click_row.h); its texts lie apart, in the segment's heap.
 *
 *     segment 0                      segment 1                      ...
 *     rows      65,536 x 32 bytes    2 MiB, aligned to 2 MiB: one large page
 *     places    65,536 x 2.25 bytes  where the click's text begins in the heap
 *     heap                           click id, fbclid, gclid, reference
 *     expiries                       only those that differ from click_timestamp + window
 *
 * Several writers may fill a segment each: they take it, append to it alone and give it back.
 *
 * A segment whose clicks are all beyond finding is dismantled, a few clicks at a time; with the
 * last its memory goes, and its numbers are used again: lists are ordered by time, not by number.
 * Whoever still reads its rows and texts (to write them to a file) pins it: its memory then stays
 * until it is unpinned.
 *
 * Clicks that must be held for longer than others, their time being ahead of all others', have
 * segments of their own: a segment lives as long as the last of its clicks.
 */
#ifndef CM_STORE_CLICK_STORE_H
#define CM_STORE_CLICK_STORE_H

#include <stdatomic.h>

#include "store/click_row.h"
#include "util/error.h"
#include "util/prefetch.h"
#include "util/slice.h"
#include "util/table.h"

#ifndef CM_SEGMENT_BITS /* smaller in make torture-stream, where many must come and go */
#define CM_SEGMENT_BITS 16
#endif
#define CM_SEGMENT_ROWS (1u << CM_SEGMENT_BITS)
#define CM_SEGMENT_COUNT_MAX 32767u /* numbers have 31 bits */
#define CM_SEGMENT_SPARES 2u        /* fresh memory costs more than what is written to it */
#define CM_PLACE_ROWS 16u
#define CM_TEXT_USUAL 48 /* bytes of a click's texts, most of the time not more */

/** Where the texts of 16 rows begin. Texts are at most 3,324 bytes, so that 16 bits are enough. */
typedef struct cm_text_places {
    uint32_t base;
    uint16_t offset[CM_PLACE_ROWS];
} cm_text_places;

/** The texts of one click; borrowed from the store. fbclid and gclid are as keys have them. */
typedef struct cm_click_texts {
    cm_slice click_id, fbclid, gclid, reference;
} cm_click_texts;

/** Which clicks have an expiry of their own: a bit each, and how many come before each word. */
typedef struct cm_own_expiries {
    uint64_t bits[CM_SEGMENT_ROWS / 64];
    uint16_t before[CM_SEGMENT_ROWS / 64];
    int64_t *times;
    size_t count, capacity;
} cm_own_expiries;

typedef struct cm_segment {
    cm_click_row *rows;  /* CM_SEGMENT_ROWS */
    uint32_t count;      /* rows used */
    uint32_t unlisted;   /* of these, how many were dismantled, from the first on */
    uint32_t forgotten;  /* of those, how many are no duplicates */
    uint32_t generation; /* counted up with each segment that is made */
    uint32_t pins;
    atomic_uint duplicates;
    bool is_taken;         /* a writer fills it */
    bool is_ahead;         /* of clicks ahead of the others */
    bool is_dying;         /* it is being dismantled, or has been */
    int64_t last_findable; /* nobody at or after this time can find any of its clicks */
    char *heap;
    size_t heap_size, heap_capacity;
    cm_own_expiries *own_expiries; /* made with the segment's first click */
    cm_text_places places[CM_SEGMENT_ROWS / CM_PLACE_ROWS];
} cm_segment;

/** Writers of different segments, or any number of readers. */
typedef struct cm_click_store {
    int64_t window_us;     /* the model's */
    cm_segment **segments; /* CM_SEGMENT_COUNT_MAX, made with the first; NULL where one was freed */
    cm_click_row **rows;   /* of the same segments */
    size_t segment_count;
    cm_segment *spares[CM_SEGMENT_SPARES]; /* freed, for those made next; NULL */
    size_t live_count;                     /* of segments that are there */
    size_t freed_count;                    /* of segments, ever */
    uint32_t next_generation;
    uint64_t closed_rows;   /* of segments that no writer fills, */
    uint64_t closed_bytes;  /* and of their texts */
    int64_t findable_floor; /* the earliest last_findable of segments that no writer fills and
                               that are not being dismantled; INT64_MAX: there are none */
} cm_click_store;

/** One writer's segment. Zero-initialised has none yet. */
typedef struct cm_click_writer {
    cm_segment *segment;
    uint32_t base; /* number of its first row */
    bool is_ahead; /* which kind of segment it takes; to be set before the first is opened */
} cm_click_writer;

void cm_click_store_init(cm_click_store *store, int64_t window_us);
void cm_click_store_destroy(cm_click_store *store);

/** Does the writer need another segment? */
static inline bool cm_click_writer_is_full(const cm_click_writer *writer)
{
    return writer->segment == NULL || writer->segment->count == CM_SEGMENT_ROWS;
}

/**
 * Give a writer a segment with room: one that was given back, or a new one. One thread at a time.
 *
 * @return CM_OK, CM_ERROR_MEMORY or CM_ERROR_CAPACITY
 */
cm_status cm_click_store_open(cm_click_store *store, cm_click_writer *writer, cm_error *error);

/**
 * Give a writer a new segment at a place where none is, for clicks that were stored before. One
 * thread at a time.
 *
 * @param place       below CM_SEGMENT_COUNT_MAX
 * @param heap_bytes  room for texts; not 0
 * @param generation  as it was; those of segments that are made later are greater
 * @return CM_OK or CM_ERROR_MEMORY
 */
cm_status cm_click_store_open_at(cm_click_store *store, size_t place, size_t heap_bytes,
                                 uint32_t generation, cm_click_writer *writer, cm_error *error);

/** Give the writer's segment back, full or not. One thread at a time. */
void cm_click_store_close(cm_click_store *store, cm_click_writer *writer);

/**
 * Make room for one click with these texts in a writer's segment, which is not full: the next
 * append of them cannot fail.
 *
 * @return CM_OK or CM_ERROR_MEMORY
 */
cm_status cm_click_writer_reserve(cm_click_writer *writer, const cm_click_texts *texts,
                                  cm_error *error);

/**
 * Append a click; room must have been reserved.
 *
 * @param row          flags CM_ROW_OWN_EXPIRY and CM_ROW_EXPIRES_EARLY are set here
 * @param expires_at   us since 1970
 * @param findable_end nobody at or after this time can find it
 * @return the click's number
 */
uint32_t cm_click_writer_append(cm_click_writer *writer, int64_t window_us, const cm_click_row *row,
                                const cm_click_texts *texts, int64_t expires_at,
                                int64_t findable_end);

/** Mark a click as a duplicate of one that came before. Threads may mark different clicks. */
void cm_click_store_drop(cm_click_store *store, uint32_t number);

/** Free a segment whose clicks are in no index any more; a pinned one, when it is unpinned. */
void cm_click_store_free_segment(cm_click_store *store, size_t segment);

/** Hold a segment's memory: its rows and texts stay readable though its clicks are forgotten. Each
 * pin needs an unpin, which may free the segment. Writers only, as with all that changes. */
void cm_click_store_pin(cm_click_store *store, size_t segment);
void cm_click_store_unpin(cm_click_store *store, size_t segment);

/**
 * Choose the segment to dismantle next of those whose clicks nobody at or after a time can find:
 * the one of which that has been true longest. It takes no more clicks. One that a writer has is
 * not chosen.
 *
 * @return its number; CM_NUMBER_NONE: there is none
 */
uint32_t cm_click_store_take_dead(cm_click_store *store, int64_t horizon);

/** The earliest generation of the segments that are there, those of clicks ahead left out;
 * next_generation where there are none. */
uint32_t cm_click_store_oldest_generation(const cm_click_store *store);

/** What names that a writer's next rows use are to be stamped with: no segment but those of clicks
 * ahead keeps an older one. The writer has a segment. */
static inline uint32_t cm_click_writer_generation(const cm_click_store *store,
                                                  const cm_click_writer *writer)
{
    return writer->is_ahead ? store->next_generation : writer->segment->generation;
}

/** Is there one for cm_click_store_take_dead? */
static inline bool cm_click_store_has_dead(const cm_click_store *store, int64_t horizon)
{
    return store->findable_floor != INT64_MAX && store->findable_floor <= horizon;
}

/** Can nobody at or after a time find any click of the segment that a writer fills? */
static inline bool cm_click_writer_is_dead(const cm_click_writer *writer, int64_t horizon)
{
    const cm_segment *segment = writer->segment;
    return segment != NULL && segment->count > 0 && segment->last_findable <= horizon;
}

/** The texts of a click. */
cm_click_texts cm_click_store_texts(const cm_click_store *store, uint32_t number);

/** The click's id alone. */
cm_slice cm_click_store_id(const cm_click_store *store, uint32_t number);

/** Clicks stored, duplicates and forgotten ones not counted. */
size_t cm_click_store_count(const cm_click_store *store);

/** Those of them that are in segments of clicks ahead. */
size_t cm_click_store_count_ahead(const cm_click_store *store);

/** Bytes by column. */
typedef struct cm_store_memory {
    size_t rows, places, texts, expiries, other;
} cm_store_memory;

cm_store_memory cm_click_store_memory(const cm_click_store *store);

static inline cm_click_row *cm_click_store_row_to_set(const cm_click_store *store, uint32_t number)
{
    return &store->rows[number >> CM_SEGMENT_BITS][number & (CM_SEGMENT_ROWS - 1)];
}

static inline const cm_click_row *cm_click_store_row(const cm_click_store *store, uint32_t number)
{
    return cm_click_store_row_to_set(store, number);
}

static inline int64_t cm_click_store_time(const cm_click_store *store, uint32_t number)
{
    return cm_click_row_time(cm_click_store_row(store, number));
}

/** Where a click's text begins. */
static inline const char *cm_click_store_text(const cm_click_store *store, uint32_t number)
{
    const cm_segment *segment = store->segments[number >> CM_SEGMENT_BITS];
    uint32_t row = number & (CM_SEGMENT_ROWS - 1);
    const cm_text_places *places = &segment->places[row / CM_PLACE_ROWS];
    return segment->heap + places->base + places->offset[row % CM_PLACE_ROWS];
}

/** Ask the memory for where a click's text is named, then (later) for the text. */
static inline void cm_click_store_prefetch_place(const cm_click_store *store, uint32_t number)
{
    uint32_t row = number & (CM_SEGMENT_ROWS - 1);
    const cm_text_places *places =
        &store->segments[number >> CM_SEGMENT_BITS]->places[row / CM_PLACE_ROWS];
    cm_prefetch(places);
    cm_prefetch(&places->offset[row % CM_PLACE_ROWS]);
}

static inline void cm_click_store_prefetch_text(const cm_click_store *store, uint32_t number)
{
    const char *text = cm_click_store_text(store, number);
    cm_prefetch(text);
    cm_prefetch(text + CM_TEXT_USUAL);
}

int64_t cm_click_store_own_expiry(const cm_click_store *store, uint32_t number);

/** When a click expires. */
static inline int64_t cm_click_store_expires_at(const cm_click_store *store, uint32_t number)
{
    const cm_click_row *row = cm_click_store_row(store, number);
    if (row->time & CM_ROW_OWN_EXPIRY)
        return cm_click_store_own_expiry(store, number);
    return cm_click_row_time(row) + store->window_us;
}

/** The order of lists: by time, and among equals the smaller click id last (it counts as the
 * newer). */
static inline bool cm_click_store_is_older(const cm_click_store *store, uint32_t a, uint32_t b)
{
    int64_t time_a = cm_click_store_time(store, a);
    int64_t time_b = cm_click_store_time(store, b);
    if (time_a != time_b)
        return time_a < time_b;
    return cm_slice_compare(cm_click_store_id(store, a), cm_click_store_id(store, b)) > 0;
}

#endif

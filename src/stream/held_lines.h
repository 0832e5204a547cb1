/*
 * Events that wait, as the lines they came in, first come first out. They are read again when
 * their time comes: a line holds all that they point to.
 */
#ifndef CM_STREAM_HELD_LINES_H
#define CM_STREAM_HELD_LINES_H

#include <stddef.h>

#include "clickmatch.h"

/** One line; freed with free(). */
typedef struct cm_held_line {
    int64_t time_us; /* of the event */
    uint64_t line;   /* its number in the input, counted from 1 */
    bool has_seq;    /* of the event */
    uint64_t seq;
    uint64_t byte; /* its offset in the input, counted from 0 */
    bool is_late;  /* it came when the stream's time was past it */
    bool is_ready; /* it waits only for those before it, and nothing is kept for it */
    size_t size;
    char text[];
} cm_held_line;

/** Zero-initialised is empty. */
typedef struct cm_held_lines {
    cm_held_line **lines; /* a ring */
    size_t first, count, capacity;
    size_t bytes; /* of the lines' texts */
    /* Another ring: the times of lines that are not ready which no later line's time is below. Its
     * first is the least of all. */
    int64_t *minima;
    size_t minima_first, minima_count, minima_capacity;
} cm_held_lines;

/**
 * Copy a line behind the others.
 *
 * @param head  all but size
 * @return CM_OK or CM_ERROR_MEMORY: nothing has changed
 */
cm_status cm_held_lines_push(cm_held_lines *held, const cm_held_line *head, cm_slice text,
                             cm_error *error);

/** The first line; NULL: none. Owned by held. */
static inline const cm_held_line *cm_held_lines_first(const cm_held_lines *held)
{
    return held->count == 0 ? NULL : held->lines[held->first];
}

/** A line by its place, from 0. */
static inline const cm_held_line *cm_held_lines_at(const cm_held_lines *held, size_t place)
{
    return held->lines[(held->first + place) % held->capacity];
}

/** Take the first line, which must be there; the caller frees it. */
cm_held_line *cm_held_lines_pop(cm_held_lines *held);

/** The least event time of those that are not ready; INT64_MAX: there are none. */
static inline int64_t cm_held_lines_oldest(const cm_held_lines *held)
{
    return held->minima_count == 0 ? INT64_MAX : held->minima[held->minima_first];
}

void cm_held_lines_destroy(cm_held_lines *held);

#endif

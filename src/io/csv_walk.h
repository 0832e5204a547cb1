/*
 * Where CSV rows end: the one definition that the cutter and the row reader share, so that they
 * agree on any input.
 *
 * A row is good where its quotes fit and it ends within CM_ROW_BYTES_MAX bytes. Any other row is
 * broken, and is its first line, so that a lost closing quote costs one line. Looking for the end
 * of a broken row may pass many lines, each of which may again begin a broken row. To stay linear
 * the walk remembers how far such a search went and in what state it ended (horizon): as a broken
 * row is inside quotes at each of its line ends, a later row that is inside quotes at one of them
 * goes the same way, and jumps there.
 */
#ifndef CM_IO_CSV_WALK_H
#define CM_IO_CSV_WALK_H

#include <stdbool.h>
#include <stddef.h>

/** A longer row is rejected: it bounds the memory that one row can take. Line end not counted. */
#define CM_ROW_BYTES_MAX ((size_t)1 << 20)

typedef enum cm_csv_state {
    CM_CSV_PLAIN = 0,     /* outside quotes */
    CM_CSV_QUOTED,        /* inside a quoted field */
    CM_CSV_QUOTE_SEEN,    /* after a quote in a quoted field: its end, or the first of two */
    CM_CSV_QUOTE_SEEN_CR, /* after that and a CR: only a line end may follow */
    CM_CSV_BROKEN,        /* the quotes do not fit, or the row is too long */
    CM_CSV_SKIP,          /* broken before its first line end: on to that */
} cm_csv_state;

typedef enum cm_csv_end { CM_CSV_END_UNKNOWN, CM_CSV_END_GOOD, CM_CSV_END_BROKEN } cm_csv_end;

/** Zero-initialised stands at the start of a buffer. All positions are offsets in the caller's
 * buffer. */
typedef struct cm_csv_walk {
    size_t row;            /* first byte of the row */
    size_t at;             /* next byte to look at */
    size_t line_end;       /* no line end lies from `at` up to here */
    size_t first_line_end; /* just after the row's first line end, if inside quotes; else 0 */
    size_t horizon;        /* how far the last broken row was followed */
    cm_csv_state state, horizon_state;
} cm_csv_walk;

/**
 * Find the end of the row and step to the next one.
 *
 * @param buffer  the same bytes as in the last call, perhaps more of them
 * @param is_all  no more bytes come: the last row needs no line end
 * @param end     receives the offset of the line end that ends the row (size where it has none);
 *                walk->row is then the byte after it
 * @return CM_CSV_END_UNKNOWN where more bytes are needed; none is looked at twice then
 */
cm_csv_end cm_csv_walk_row(cm_csv_walk *walk, const char *buffer, size_t size, bool is_all,
                           size_t *end);

/** Forget bytes at the front of the buffer, at most walk->row of them. */
void cm_csv_walk_take(cm_csv_walk *walk, size_t bytes);

#endif

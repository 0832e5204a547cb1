/*
 * Events out of bytes: what `clickmatch stream` reads. NDJSON lines as in rows.h, each of which
 * says itself whether it is a click or a conversion:
 *
 *     {"event":"click","seq":7,"tenant_id":"shop-1","click_id":"k-1",...}
 *
 * Keys may come in any order; of a key that is there twice the last counts.
 */
#ifndef CM_IO_EVENT_READER_H
#define CM_IO_EVENT_READER_H

#include "io/rows.h"

/** Where cm_row.values holds what an event has besides the fields of field.h. The first
 * cm_field_count(kind) values are those of cm_click_build and cm_conversion_build. */
enum cm_event_field {
    CM_EVENT_CONVERSION_TYPE = CM_CONVERSION_FIELD_COUNT, /* of conversions */
    CM_EVENT_CONVERSION_VALUE,                            /* of conversions */
    CM_EVENT_KIND = CM_FIELD_COUNT_MAX - 2,               /* "event"; of both */
    CM_EVENT_SEQ,                                         /* "seq"; of both */
};

/** How the lines of either kind are read. Filled once, then read-only: any thread may use it. */
typedef struct cm_event_layouts {
    cm_layout of[2]; /* by cm_row_kind */
} cm_event_layouts;

/** Cannot fail; needs no destroy. */
void cm_event_layouts_init(cm_event_layouts *layouts);

/** One line. */
typedef struct cm_event {
    cm_row row; /* row.malformed: why the line is rejected, row.byte then where; row.start and
                   row.end: its bytes */
    const char *field; /* of a malformed line: "event" or "seq", if that is at fault; else NULL */
    cm_row_kind kind;  /* this and what follows: undefined where the line is malformed */
    bool has_seq;
    uint64_t seq; /* at most INT64_MAX */
} cm_event;

/** Reads the events of one block. Open struct so that it can live on the stack. */
typedef struct cm_event_reader {
    const cm_event_layouts *layouts;
    cm_row_kind kind;   /* what the next line is taken for where it does not begin with it */
    bool out_of_memory; /* as in cm_row_reader */
    cm_row_reader rows; /* rows.line: lines passed so far */
} cm_event_reader;

/** Start on a block of whole lines; of the last one the line end may be missing. Everything is
 * borrowed; values of events point into the block and the arena. */
void cm_event_reader_init(cm_event_reader *reader, const cm_event_layouts *layouts,
                          const char *block, size_t size, cm_arena *arena);

/** The next event, malformed ones included. False at the end of the block (and where memory ran
 * out: out_of_memory). Blank lines are skipped. */
bool cm_event_reader_next(cm_event_reader *reader, cm_event *event);

#endif

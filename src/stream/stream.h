/*
 * A stream of events through an engine, one at a time and in order: clicks into its window,
 * conversions matched against the clicks that came before them, what is too old forgotten.
 *
 *     event -> record -> its time -+-> ahead of the stream: waits (event_clock.h)
 *                                  +-> click: stored
 *                                  +-> conversion: known already? held for --grace? matched
 *
 * Clicks and conversions are dealt with some at a time, but so that each conversion has the result
 * that it would have alone: a click that came after it joins the same lot only if its time says
 * that the conversion cannot see it. What happens now and then (forgetting) happens after
 * whole numbers of events, so that results do not depend on how the input was cut into blocks.
 */
#ifndef CM_STREAM_STREAM_H
#define CM_STREAM_STREAM_H

#include "engine/engine.h"
#include "engine/pipeline.h"
#include "io/event_reader.h"
#include "io/reject_writer.h"
#include "stream/event_clock.h"
#include "stream/held_lines.h"
#include "stream/seen_ids.h"

/** Where an event came from. */
typedef struct cm_event_place {
    bool has_seq;
    uint64_t seq;
    uint64_t line; /* counted from 1 */
} cm_event_place;

/** A conversion on its way; everything is borrowed from the stream. */
typedef struct cm_stream_conversion {
    cm_event_place place;
    bool is_late;           /* it came when the stream's time was past it */
    const cm_value *values; /* of the event, where the listener needs them; else NULL */
    cm_slice text;          /* the event as it came */
} cm_stream_conversion;

/** Who is told what comes of events, in order. A failure ends the stream. Any may be NULL. */
typedef struct cm_stream_listener {
    /** A click that is good: stored, there already, or too old for that. values: of the event. */
    cm_status (*click)(void *context, const cm_event_place *place, const cm_click *click,
                       const cm_value *values, cm_slice text, cm_error *error);
    /** Results, in the order of their conversions. */
    cm_status (*results)(void *context, const cm_stream_conversion *from,
                         const cm_conversion *conversions, const cm_result *results, size_t count,
                         cm_error *error);
    /** A line that is no event, or an event with a malformed field. */
    cm_status (*reject)(void *context, const cm_event_place *place, const cm_event *event,
                        const cm_reject_line *reject, cm_error *error);
    bool needs_values; /* of conversions */
    void *context;
} cm_stream_listener;

typedef struct cm_stream_options {
    cm_clock_options clock;
    cm_build_options build;
    size_t line_bytes_max; /* longer lines are rejected; 0: CM_ROW_BYTES_MAX */
    /* By engine/load_limits.h; 0: no limit. */
    uint64_t click_bytes_max; /* beyond that the oldest segment is forgotten before its time */
    uint64_t name_bytes_max;  /* beyond that clicks are rejected */
    size_t tenants_max;       /* clicks of further ones are rejected */
    const char *source;       /* name of the input, for rejects */
    bool has_resume;
    uint64_t resume_seq; /* events up to this one were seen before the start */
    bool is_resumable; /* the same events may come in a later run: lines have the same place then */
} cm_stream_options;

/** What became of the events. */
typedef struct cm_stream_counts {
    cm_source_counts kinds[2]; /* clicks and conversions, by cm_row_kind */
    uint64_t malformed;        /* lines that are neither, as far as can be told */
    uint64_t seen_before;      /* by their seq */
    uint64_t disordered;       /* whose seq does not rise */
    uint64_t late;             /* conversions */
    uint64_t too_old;          /* clicks that nobody could find when they came */
    uint64_t waited;           /* events that were ahead of the stream */
    uint64_t refused;          /* clicks ahead of it, rejected as there were too many of them */
    uint64_t dropped;          /* clicks forgotten before their time: there was no room */
    int64_t dropped_us;        /* the latest click time of their segments */
    cm_match_counts matched;
} cm_stream_counts;

#define CM_STREAM_BATCH CM_MATCH_BATCH

/** Clicks and conversions that are dealt with together. */
typedef struct cm_stream_batch {
    cm_click clicks[CM_STREAM_BATCH];
    bool are_lasting[CM_STREAM_BATCH]; /* held for longer than others: in segments of their own */
    size_t click_count;
    cm_conversion conversions[CM_STREAM_BATCH];
    cm_stream_conversion from[CM_STREAM_BATCH];
    cm_value values[CM_STREAM_BATCH][CM_FIELD_COUNT_MAX];
    cm_result results[CM_STREAM_BATCH];
    size_t conversion_count;
    int64_t oldest_us, newest_us;         /* of the conversions */
    cm_held_line *lines[CM_STREAM_BATCH]; /* that they point into; owned */
    size_t line_count;
} cm_stream_batch;

/* Whoever writes clicks down needs segments whole: those that nobody can find from from_us on, or
 * from later. When it is their turn to be dismantled, they must be given up: what is forgotten when
 * depends on events alone. */
typedef struct cm_stream_keeper {
    int64_t from_us;
    /** Need none up to until_us: unless from_us is greater afterwards, nothing is forgotten. */
    void (*give_up)(void *context, int64_t until_us);
    void *context;
} cm_stream_keeper;

#define CM_KEEPS_NONE INT64_MAX
#define CM_KEEPS_ALL INT64_MIN /* the one that is being dismantled, too */

/** Made by cm_stream_create. One thread. */
typedef struct cm_stream {
    cm_stream_options options;
    cm_stream_listener listener;
    cm_engine *engine; /* borrowed */
    cm_event_clock clock;
    cm_held_lines waiting; /* ahead of the stream */
    cm_held_lines held;
    cm_held_lines unplaced; /* lines that cannot be read before the first event of this run */
    bool has_begun;         /* that has come */
    cm_event_place before; /* while they are told: where it stands, if no event has one before it */
    cm_seen_ids seen;
    cm_stream_counts counts;
    uint64_t ahead_count; /* clicks stored whose time has not come, */
    int64_t ahead_us;     /* and the latest time of them */
    uint64_t events;      /* since the stream began, in earlier runs, too */
    cm_event_place last;  /* of the event with the greatest seq so far */
    bool has_passed;      /* an event with a seq has come since the start, */
    uint64_t passed_seq;  /* and this is that of the last one, taken or not */
    bool names_are_full;
    cm_stream_keeper keeper;
    cm_arena arena; /* of the block that is read */
    cm_event_layouts layouts;
    cm_key_scratch scratch;
    cm_matcher matcher;
    cm_stream_batch batch;
} cm_stream;

/**
 * Make a stream.
 *
 * @param engine  borrowed; may hold clicks already
 * @param stream  receives it; freed with cm_stream_destroy. It must not be moved
 * @return CM_OK or CM_ERROR_MEMORY
 */
cm_status cm_stream_create(cm_engine *engine, const cm_stream_options *options,
                           const cm_stream_listener *listener, cm_stream **stream, cm_error *error);
void cm_stream_destroy(cm_stream *stream);

/**
 * Take a block of whole lines. When it returns, all that can be told of them has been told.
 *
 * @param line  number of its first line, counted from 1; receives that of the line after it
 * @param byte  offset of its first byte in the input
 * @return CM_OK, CM_ERROR_MEMORY, CM_ERROR_CAPACITY or what the listener returned
 */
cm_status cm_stream_take(cm_stream *stream, const char *bytes, size_t size, uint64_t *line,
                         uint64_t byte, cm_error *error);

/** Forget the oldest clicks at once where far more are there than options have room for: after
 * loading, when nothing was taken yet. */
void cm_stream_fit(cm_stream *stream);

/** Let what is held or waits go now: the input has ended, or nothing has come for long. */
cm_status cm_stream_let_go(cm_stream *stream, cm_error *error);

/**
 * Up to which seq all has been told that is to be told of events: those before what is held.
 *
 * @return false where no event had one, or there is none before what is held
 */
bool cm_stream_position(const cm_stream *stream, uint64_t *seq);

/** Score by another model from now on. CM_ERROR_MODEL where it differs in what the window is built
 * by: windows, retention, address prefixes. */
cm_status cm_stream_set_model(cm_stream *stream, const cm_model *model, cm_error *error);

/** Bytes allocated, the engine included. */
size_t cm_stream_memory(const cm_stream *stream);

#endif

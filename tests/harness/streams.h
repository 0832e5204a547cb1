/*
 * A stream in memory: events go in as text, what it tells comes out as text. Each run has an engine
 * and a listener of its own.
 */
#ifndef HARNESS_STREAMS_H
#define HARNESS_STREAMS_H

#include "stream/stream.h"
#include "util/buffer.h"

#define STREAMS_T0 ((int64_t)1772366400 * 1000000) /* 2026-03-01T12:00:00Z */
#define STREAMS_SECOND ((int64_t)1000000)
#define STREAMS_MINUTE (60 * STREAMS_SECOND)
#define STREAMS_HOUR (60 * STREAMS_MINUTE)
#define STREAMS_DAY (24 * STREAMS_HOUR)

typedef struct streams_run {
    cm_engine *engine;
    cm_stream *stream;
    cm_buffer results; /* NDJSON, as the command writes them */
    cm_buffer rejects; /* NDJSON */
    cm_buffer clicks;  /* click ids that the listener was told of, a line each */
    uint64_t line, byte;
    size_t results_count;
    cm_status refuses; /* CM_OK, or what the listener returns of results */
} streams_run;

/** Five minutes of lateness, no grace, an hour of future. */
cm_clock_options streams_clock(void);

/** Begin with an engine of its own. model_json: NULL for the default one. */
void streams_begin(streams_run *run, const cm_clock_options *clock, const char *model_json);

/** Take what was appended as one block, and empty it; fails the test where the stream fails. */
void streams_feed(streams_run *run, cm_buffer *text);

/** Take text as one block of whole lines; fails the test where the stream fails. */
void streams_take(streams_run *run, const char *text, size_t size);

/** The same, as far as the status. */
cm_status streams_try(streams_run *run, const char *text, size_t size);

/** Take text in blocks of at most so many lines. */
void streams_take_lines(streams_run *run, cm_slice text, size_t lines_max);

/** All that is held or waits. */
void streams_let_go(streams_run *run);

void streams_end(streams_run *run);

/** Fails the test where results or rejects of two runs differ, and shows the first line that does.
 */
void streams_assert_same(const streams_run *a, const streams_run *b);
void streams_assert_text(const cm_buffer *text, const char *wanted);

/** Ids of the conversions that have a result, in order: "a b c". At most 4 kB of them. */
void streams_assert_told(const streams_run *run, const char *wanted);

/** The result line of a conversion has some text, or has none of it; fails the test otherwise. */
void streams_assert_line(const streams_run *run, const char *id, const char *part, bool is_there);

/** Append an event: a click of tenant t at a time, a conversion that carries a click id (NULL:
 * none). `more` is JSON that stands before the end of the line: ",\"seq\":7", or "". */
void streams_click(cm_buffer *text, const char *id, int64_t time_us, const char *more);
void streams_conversion(cm_buffer *text, const char *id, const char *click_id, int64_t time_us,
                        const char *more);

#endif

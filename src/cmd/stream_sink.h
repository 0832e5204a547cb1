/* Results of a stream, its rejects and perhaps its clicks on their way to PostgreSQL. */
#ifndef CM_CMD_STREAM_SINK_H
#define CM_CMD_STREAM_SINK_H

#include "cmd/options.h"
#include "cmd/stream_figures.h"
#include "pg/pg_sink.h"
#include "stream/stream.h"
#include "util/buffer.h"

/** Zero-initialised writes nothing. */
typedef struct cm_stream_sink {
    cm_pg_sink *sink;
    bool stores_clicks;
    char run[40];        /* names this run, for events without seq */
    cm_buffer position;  /* of the event at hand, as text */
    uint64_t malformed;  /* lines that cannot be read, counted beside an event, */
    bool is_before;      /* before or after */
    uint64_t beside_seq; /* this one */
    /** Called while there is no room: all but reading goes on. A failure ends the waiting. */
    cm_status (*wait)(void *context, cm_error *error);
    void *context;
} cm_stream_sink;

/**
 * Connect.
 *
 * @param model  the stream's
 * @param seed   random; also names the run
 */
cm_status cm_stream_sink_open(cm_stream_sink *sink, const cm_settings *settings,
                              const cm_model *model, uint64_t seed, cm_error *error);

/** Hand over what the stream tells (cm_stream_listener); nothing where there is no sink. */
cm_status cm_stream_sink_click(cm_stream_sink *sink, const cm_event_place *place,
                               const cm_click *click, cm_slice text, cm_error *error);
cm_status cm_stream_sink_results(cm_stream_sink *sink, const cm_stream_conversion *from,
                                 const cm_conversion *conversions, const cm_result *results,
                                 size_t count, const char *model, uint32_t processing_ms,
                                 cm_error *error);
cm_status cm_stream_sink_reject(cm_stream_sink *sink, const cm_event_place *place,
                                const cm_event *event, const cm_reject_line *reject,
                                const cm_stream *stream, cm_error *error);

/** Nothing of the events up to this one is still to be handed over. */
void cm_stream_sink_settle(cm_stream_sink *sink, uint64_t seq);

/** Commit in time what was handed over. CM_OK, or why the sink has stopped for good. */
cm_status cm_stream_sink_tick(cm_stream_sink *sink, uint64_t now_ns, cm_error *error);

/** How it stands, for metrics. */
cm_sink_figures cm_stream_sink_figures(const cm_stream_sink *sink);

/** Is there anything to hand to the sink's thread? */
bool cm_stream_sink_is_pending(const cm_stream_sink *sink);

/** Has everything that was handed over before been committed? */
bool cm_stream_sink_has_settled(cm_stream_sink *sink, uint64_t rows_taken);

/** Rows handed over so far. */
uint64_t cm_stream_sink_rows(cm_stream_sink *sink);

/** At the end: wait until all is committed, for a time where the run was interrupted. */
cm_status cm_stream_sink_finish(cm_stream_sink *sink, cm_error *error);

void cm_stream_sink_close(cm_stream_sink *sink);

#endif

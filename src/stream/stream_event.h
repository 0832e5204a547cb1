/* An event as a record, when it comes and when it has waited. Internal to src/stream. */
#ifndef CM_STREAM_STREAM_EVENT_H
#define CM_STREAM_STREAM_EVENT_H

#include "stream/stream.h"

/** An event, and where it came from. */
typedef struct cm_arrival {
    const cm_event *event;
    cm_event_place place;
    cm_slice text;
    uint64_t byte;
    int64_t time_us;
    cm_click click; /* one of the two, by the event's kind */
    cm_conversion conversion;
} cm_arrival;

/** Tell the listener that a line is rejected, at a byte of its block. */
cm_status cm_arrival_reject(cm_stream *stream, const cm_event *event, const cm_arrival *arrival,
                            const char *field, size_t byte, const char *reason, cm_error *error);

/** Make the record of an event. is_good receives false where it was rejected, and that told. */
cm_status cm_arrival_build(cm_stream *stream, const cm_event *event, cm_arrival *arrival,
                           bool *is_good, cm_error *error);

/** Read a line that waited again: it was good then. event, which receives it, and the line must
 * live as long as the arrival. CM_OK or CM_ERROR_MEMORY. */
cm_status cm_arrival_read_again(cm_stream *stream, const cm_held_line *line, cm_event *event,
                                cm_arrival *arrival, cm_error *error);

/** Tell that a line which waited is rejected: it is no event. CM_OK, CM_ERROR_MEMORY or what the
 * listener returned. */
cm_status cm_arrival_reject_again(cm_stream *stream, const cm_held_line *line, cm_error *error);

/** Is a line an event that the stream could hold, of the time in its head? The head receives its
 * seq. is_conversion: it must be one. CM_OK, CM_ERROR_FORMAT or CM_ERROR_MEMORY. */
cm_status cm_stream_check_line(cm_stream *stream, cm_slice text, bool is_conversion,
                               cm_held_line *head);

#endif

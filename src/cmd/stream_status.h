/* A stream's figures as one line for people: what SIGUSR1 asks for. */
#ifndef CM_CMD_STREAM_STATUS_H
#define CM_CMD_STREAM_STATUS_H

#include "cmd/stream_figures.h"

#define CM_STREAM_STATUS_BYTES 1000 /* more than a line can take */

/** What the last line said, so that the next can tell a rate. Begin with when the stream began. */
typedef struct cm_stream_status {
    uint64_t events;
    double seconds; /* cm_clock_seconds */
} cm_stream_status;

/**
 * Write the line: events and how many a second since the last line, results by method, clicks held,
 * event time, what waits, checkpoint, database. What is zero and of no interest is left out.
 *
 * @param last         the line before; receives this one
 * @param now_seconds  cm_clock_seconds
 * @param now_us       microseconds since 1970 UTC, for the checkpoint's age
 * @param line         receives the text, NUL-terminated, without a newline; cut off at size
 */
void cm_stream_status_line(const cm_stream_figures *figures, cm_stream_status *last,
                           double now_seconds, int64_t now_us, char *line, size_t size);

#endif

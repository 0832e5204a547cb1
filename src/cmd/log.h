/*
 * Messages on standard error: one line each, as text or as JSON objects. Everything a run says goes
 * through here, so that --quiet and --log-format hold everywhere.
 */
#ifndef CM_CMD_LOG_H
#define CM_CMD_LOG_H

#include <jansson.h>

#include "clickmatch.h"

/** Zero-initialised is text for people. One thread at a time. */
typedef struct cm_log {
    bool is_json;
    bool is_quiet;    /* errors and warnings only */
    bool is_terminal; /* progress may be drawn */
    bool is_drawn;    /* a progress line stands on the terminal; cleared by the next message */
} cm_log;

/** Say what failed: `clickmatch: MESSAGE`. */
void cm_log_error(cm_log *log, const cm_error *error);

/** Say what needs attention though the run goes on: `clickmatch: warning: MESSAGE`. */
void cm_log_warning(cm_log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Say what happened; not when quiet. */
void cm_log_info(cm_log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Say what was asked for just now: when quiet, too. */
void cm_log_answer(cm_log *log, const char *text);

/**
 * Tell the outcome of a run; not when quiet.
 *
 * @param text  lines for people
 * @param name  of the member that holds the data, in JSON
 * @param data  the same for programs; borrowed; NULL where memory was short
 */
void cm_log_data(cm_log *log, const char *text, const char *name, json_t *data);

/** Draw a progress line over the last one; only on a terminal, and not in JSON. */
void cm_log_progress(cm_log *log, const char *line);

/** May progress be drawn? */
static inline bool cm_log_has_progress(const cm_log *log)
{
    return log->is_terminal && !log->is_quiet && !log->is_json;
}

#endif

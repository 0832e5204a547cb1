/* Counts of dead events, for people and for programs. */
#ifndef CM_CMD_RETRY_SHOW_H
#define CM_CMD_RETRY_SHOW_H

#include <jansson.h>

#include "cmd/retry_run.h"

/** Append a table; nothing where there are none. */
void cm_retry_counts_text(const cm_pg_answer *counts, cm_buffer *text);

/** A list of objects; NULL where memory is short. */
json_t *cm_retry_counts_json(const cm_pg_answer *counts);

/** What a run did; with outcome CM_ERROR_INTERRUPTED until then. NULL where memory is short. */
json_t *cm_retry_report_json(const cm_retry_report *report, cm_status outcome, bool dry_run,
                             const char *model);
void cm_retry_report_text(const cm_retry_report *report, bool dry_run, cm_buffer *text);

#endif

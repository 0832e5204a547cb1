/* What a run did, for people (text) and programs (JSON). */
#ifndef CM_CMD_SUMMARY_H
#define CM_CMD_SUMMARY_H

#include "cmd/rejects.h"
#include "engine/pipeline.h"

#define CM_PHASES_MAX 8

/** One stretch of the run. */
typedef struct cm_phase {
    const char *name; /* static */
    double seconds;
    uint64_t rows;
} cm_phase;

/** One source of rows: a file or a query. */
typedef struct cm_summary_source {
    const char *name; /* borrowed */
    cm_row_kind kind;
    cm_source_counts counts;
} cm_summary_source;

/** Which clicks there was no room for. */
typedef struct cm_summary_memory {
    uint64_t max;        /* --memory-max; 0: the command has none */
    uint64_t left_out;   /* clicks, */
    int64_t left_out_us; /* older than that */
    bool has_forgotten;  /* of a stream: they were there before */
} cm_summary_memory;

/** Zero-initialised is empty. */
typedef struct cm_summary {
    const char *command;
    const char *model;   /* label; NULL where the run did not get as far */
    bool has_no_results; /* the command attributes nothing: nothing is said of it */
    cm_status outcome;
    cm_summary_source *sources; /* owned */
    size_t source_count, source_capacity;
    cm_source_counts totals[CM_ROW_KIND_COUNT];
    cm_match_counts matched;
    uint64_t engine_clicks; /* held when all were loaded; 0 where the run did not get as far */
    uint64_t engine_bytes;
    cm_summary_memory memory;
    double recovery_target;
    cm_phase phases[CM_PHASES_MAX];
    size_t phase_count;
    double started_seconds; /* cm_clock_seconds */
    double seconds;
    const cm_rejects *rejects; /* borrowed */
    char note[256];            /* one more line for people; "" for none */
    cm_buffer more;            /* further lines for people; owned */
    json_t *details; /* what only this command tells, under its name; owned; may be NULL */
} cm_summary;

/** Begin: notes the time. */
void cm_summary_init(cm_summary *summary, const char *command, const cm_rejects *rejects);
void cm_summary_destroy(cm_summary *summary);

/** Add a source and its counts. False when memory is short. */
bool cm_summary_source_add(cm_summary *summary, const char *name, cm_row_kind kind,
                           const cm_source_counts *counts);

void cm_summary_phase_add(cm_summary *summary, const char *name, double seconds, uint64_t rows);

/** End: notes time and outcome. */
void cm_summary_end(cm_summary *summary, cm_status outcome);

/** Share of the conversions that were attributed; -1 where there are none. */
double cm_summary_recovery(const cm_summary *summary);

/** The whole as JSON; NULL when memory is short. */
json_t *cm_summary_json(const cm_summary *summary);

/** Append the whole as lines of text. */
void cm_summary_text(const cm_summary *summary, cm_buffer *text);

/** Tell it, and warn where the recovery rate is under the target. */
void cm_summary_tell(const cm_summary *summary, cm_log *log);

/** What there was no room for: a warning, where there is any, and JSON; NULL when memory is short.
 */
void cm_summary_tell_memory(const cm_summary_memory *memory, cm_log *log);
json_t *cm_summary_memory_json(const cm_summary_memory *memory);

/** Write a JSON document to an output, NULL standing for short memory. */
cm_status cm_summary_put(const json_t *json, cm_output *output, cm_error *error);

/**
 * Write it as JSON to a file opened before.
 *
 * @param output  ended by this, whatever comes of it
 */
cm_status cm_summary_write(json_t *json, cm_output *output, cm_error *error);

#endif

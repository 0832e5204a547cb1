/*
 * Rejected rows of a run: the first of each source are told, all are counted by field and reason,
 * and written to the file of --rejects.
 */
#ifndef CM_CMD_REJECTS_H
#define CM_CMD_REJECTS_H

#include "cmd/log.h"
#include "cmd/options.h"
#include "file/output.h"
#include "io/reject_writer.h"
#include "model/field.h"

/** How often rows were rejected for one reason. */
typedef struct cm_reject_tally cm_reject_tally;

/** Zero-initialised is empty: rows are counted, not written or told. One thread at a time. */
typedef struct cm_rejects {
    cm_log *log; /* NULL: say nothing */
    cm_output *output;
    cm_buffer buffer;
    cm_reject_tally *tallies; /* uthash, in the order of appearance */
    const char *kind;         /* of the rows that are read: "clicks"; static */
    uint64_t in_source;
} cm_rejects;

/**
 * Begin.
 *
 * @param path  of the file; NULL for none
 * @param options  of the file: private in any case
 * @return CM_OK, CM_ERROR_IO or CM_ERROR_MEMORY
 */
cm_status cm_rejects_open(const char *path, const cm_output_options *options, cm_log *log,
                          cm_rejects *rejects, cm_error *error);

/** What rows of a kind are called. */
const char *cm_rejects_kind_name(cm_row_kind kind);

/** Begin a source. @param kind  what its rows are called; static */
void cm_rejects_source(cm_rejects *rejects, const char *kind);

/** Write what is not yet written: for a file that grows. */
cm_status cm_rejects_flush(cm_rejects *rejects, cm_error *error);

/** Take one rejected row. */
cm_status cm_rejects_take(cm_rejects *rejects, const cm_reject_line *reject, cm_error *error);

/** End a source: say how many were not told. @param name  of the source */
void cm_rejects_source_end(cm_rejects *rejects, const char *name);

/** Put the file in place, if there is one. */
cm_status cm_rejects_commit(cm_rejects *rejects, cm_error *error);

/** The counts as `[{"kind":...,"field":...,"reason":...,"rows":...}]`; NULL when memory is short.
 */
json_t *cm_rejects_json(const cm_rejects *rejects);

/** Append the counts, a line each; nothing where there are none. */
void cm_rejects_text(const cm_rejects *rejects, cm_buffer *text);

/** Free; drops what was not committed. */
void cm_rejects_destroy(cm_rejects *rejects);

/**
 * Is a source beyond its limit: --max-rejects, else the larger of 1,000 rows and 1 % of its rows?
 *
 * @return CM_OK, or CM_ERROR_REJECTS with the counts and what to do
 */
cm_status cm_rejects_check(const cm_settings *settings, const char *source, uint64_t rows,
                           uint64_t rejected, cm_error *error);

#endif

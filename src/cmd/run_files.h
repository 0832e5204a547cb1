/* The files of a run, one after the other, through the pipeline. */
#ifndef CM_CMD_RUN_FILES_H
#define CM_CMD_RUN_FILES_H

#include "cmd/run.h"

/** How a run's sources are read: leniently or not, by how many threads, rejects and progress into
 * the run. The run must stay where it is as long as this is used. */
cm_pipeline_options cm_run_pipeline(cm_run *run);

/** What is done with a file that was opened, and unpacked where it is packed. */
typedef cm_status (*cm_run_reader)(void *context, cm_row_kind kind, cm_source *source,
                                   cm_source_counts *counts, cm_error *error);

/** Files of one kind. */
typedef struct cm_run_files {
    cm_row_kind kind;
    const char *phase;            /* what reading them is called; static */
    const cm_option_value *paths; /* borrowed */
    uint64_t bytes;               /* together, for progress; 0 if unknown */
} cm_run_files;

/**
 * Read files in their order; progress, rejects and the summary are the run's.
 *
 * @param read     is given each file
 * @param context  for read
 * @return CM_OK, what read returns, CM_ERROR_IO, CM_ERROR_MEMORY, or CM_ERROR_REJECTS where too
 *         many rows of a file are bad
 */
cm_status cm_run_files_read(cm_run *run, const cm_run_files *files, cm_run_reader read,
                            void *context, cm_error *error);

#endif

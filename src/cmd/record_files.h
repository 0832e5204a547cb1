/* The files of --clicks and --conversions as records: for commands that pass over them more than
 * once. */
#ifndef CM_CMD_RECORD_FILES_H
#define CM_CMD_RECORD_FILES_H

#include "cmd/run.h"
#include "engine/records.h"

/**
 * Read all of them; rejects, progress and the summary are the run's.
 *
 * @param records  zero-initialised; destroyed by the caller, also after a failure
 * @return as cm_records_read, or CM_ERROR_IO; CM_ERROR_REJECTS where too many rows are bad,
 *         CM_ERROR_CAPACITY also where their clicks are of more than --tenants-max
 */
cm_status cm_record_files_read(cm_run *run, cm_records *records, cm_error *error);

#endif

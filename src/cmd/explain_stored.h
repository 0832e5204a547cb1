/* The result that is stored with a conversion, beside the one that was just explained. */
#ifndef CM_CMD_EXPLAIN_STORED_H
#define CM_CMD_EXPLAIN_STORED_H

#include "cmd/explain_run.h"
#include "pg/pg_conn.h"

/**
 * Compare. Sets explained->stored.
 *
 * @param pg      within the snapshot that was read
 * @param id      16 bytes: the conversion's key
 * @param stored  its result as encoded; see cm_pg_row
 * Errors as of cm_pg_run.
 */
cm_status cm_explain_stored(cm_explained *explained, cm_pg *pg, const char *id, cm_slice stored,
                            cm_error *error);

#endif

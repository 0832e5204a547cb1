/* What `explain` asks the tables for beside the rows that matching reads. */
#ifndef CM_PG_PG_EXPLAIN_H
#define CM_PG_PG_EXPLAIN_H

#include "pg/pg_conn.h"

/** Columns of cm_pg_explain_stored's row; NULL where nothing is stored. */
enum cm_pg_stored_column {
    CM_PG_STORED_METHOD,
    CM_PG_STORED_CLICK_ID,      /* of the click, where it is still there */
    CM_PG_STORED_IS_ATTRIBUTED, /* "t", "f" */
    CM_PG_STORED_CONFIDENCE,
    CM_PG_STORED_PROBABILITY,
    CM_PG_STORED_HOURS,
    CM_PG_STORED_CANDIDATES,
    CM_PG_STORED_MODEL,
    CM_PG_STORED_WHEN,
};

/** Find a conversion: rows of tenant and time (microseconds since 1970; NULL: infinite). @param
 * tenant  NULL: any */
cm_status cm_pg_explain_find(cm_pg *pg, const char *conversion, const char *tenant,
                             cm_pg_answer *answer, cm_error *error);

/** The stored result of a conversion. */
cm_status cm_pg_explain_stored(cm_pg *pg, const char *conversion, const char *tenant,
                               cm_pg_answer *answer, cm_error *error);

/**
 * What has become of clicks since: rows of a word ("gone", "flagged", "newer") and a click id.
 *
 * @param clicks  those that count now: an array literal
 */
cm_status cm_pg_explain_changes(cm_pg *pg, const char *conversion, const char *tenant,
                                const char *clicks, cm_pg_answer *answer, cm_error *error);

#endif

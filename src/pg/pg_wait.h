/* What the files of this folder share: waiting, and errors made of libpq's. */
#ifndef CM_PG_PG_WAIT_H
#define CM_PG_PG_WAIT_H

#include <libpq-fe.h>

#include "pg/pg_conn.h"

/**
 * Wait, a tenth of a second at most, until the connection's socket can be read (or, if asked,
 * written). CM_OK, CM_ERROR_INTERRUPTED or CM_ERROR_DATABASE.
 */
cm_status cm_pg_poll(const cm_pg *pg, bool for_write, bool *ready, cm_error *error);

/** Take what the server has sent, or wait for it as above. To be called until libpq has enough: a
 * wait may end with nothing. CM_ERROR_MEMORY where libpq has no memory for what is there. */
cm_status cm_pg_read_more(const cm_pg *pg, const char *doing, cm_error *error);

/** Wait until all that was sent has left. */
cm_status cm_pg_flush(const cm_pg *pg, const char *doing, cm_error *error);

/** Has an interrupt been asked for? */
bool cm_pg_is_interrupted(const cm_pg *pg);

/** Ask the server to give up the running statement; takes what it still sends. */
void cm_pg_cancel(cm_pg *pg);

/** Take a statement's last results and throw them away. */
void cm_pg_drain(cm_pg *pg);

/** The next result, waited for; NULL at the end of the statement's results. */
cm_status cm_pg_next_result(cm_pg *pg, const char *doing, PGresult **result, cm_error *error);

/** CM_ERROR_DATABASE, from a result that says so: what the server said, without a row's data. */
cm_status cm_pg_fail(cm_pg *pg, const char *doing, const PGresult *result, cm_error *error);

/** What failed as lock_timeout passed says so, before the rollback; any other status stays. */
cm_status cm_pg_busy(const cm_pg *pg, const char *doing, cm_status status, cm_error *error);

/** CM_ERROR_DATABASE for a connection that is lost. */
cm_status cm_pg_lost(const cm_pg *pg, const char *doing, cm_error *error);

/** Copy text as one line: runs of blanks and line ends become one blank. */
void cm_pg_one_line(const char *text, char *line, size_t size);

/** Copy the first line of text: of what libpq says, the rest is advice. */
void cm_pg_first_line(const char *text, char *line, size_t size);

#endif

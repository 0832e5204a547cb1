/*
 * Connections to PostgreSQL, opened and asked in one way. Waiting is done here, not in libpq, so
 * that an interrupt is noticed within a tenth of a second. Errors are one line; they never hold the
 * connection string, a password or a row's data.
 *
 * What src/cmd sees of this folder (pg_batch.h, pg_migrate.h) needs no libpq header.
 */
#ifndef CM_PG_PG_CONN_H
#define CM_PG_PG_CONN_H

#include <stdatomic.h>

#include "util/error.h"

#define CM_PG_SQLSTATE_BYTES 6 /* five characters and a NUL */

/** Where to connect, and as what. Zero means the default. */
typedef struct cm_pg_options {
    const char *conninfo; /* a libpq connection string, URI or database name; what it leaves out,
                             and all where it is NULL, comes from libpq's environment and files */
    const char *database; /* in place of the one that these name; default: that one */
    const char *schema;   /* where the tables are; default "public" */
    const atomic_bool *interrupt; /* raised: stop; may be NULL */
    bool is_abrupt; /* an interrupted statement ends with the connection, which is all that is left
                       to do with it: the server, which may not answer, is not asked to cancel */
    bool allow_superuser; /* see cm_pg_engine_check */
} cm_pg_options;

/** A connection. Zero-initialised is closed. One thread at a time. */
typedef struct cm_pg {
    struct pg_conn *connection;
    const atomic_bool *interrupt;        /* may be set to NULL for what must still be done */
    bool is_abrupt;                      /* see cm_pg_options */
    char sqlstate[CM_PG_SQLSTATE_BYTES]; /* of the last statement that failed; "" if none of
                                               PostgreSQL's own */
} cm_pg;

/** A value for a place in an SQL text: see cm_pg_run. */
typedef struct cm_pg_value {
    const char *name;
    const char *text; /* NUL-terminated UTF-8 */
} cm_pg_value;

/** What a statement returned. Zero-initialised is none. */
typedef struct cm_pg_answer {
    struct pg_result *result;
} cm_pg_answer;

/**
 * Connect. The session speaks UTF-8, has no time limits of its own and finds tables in the schema
 * only. Refuses servers before PostgreSQL 15 and databases that are not UTF-8.
 *
 * @param pg  receives the connection; closed with cm_pg_close; needs no close on failure
 * @return CM_OK, CM_ERROR_DATABASE, CM_ERROR_USAGE (the connection string), CM_ERROR_INTERRUPTED or
 *         CM_ERROR_MEMORY
 */
cm_status cm_pg_open(const cm_pg_options *options, cm_pg *pg, cm_error *error);

/** Close; a closed one is allowed. What was not committed is undone. */
void cm_pg_close(cm_pg *pg);

/**
 * Run an SQL text of one or more statements.
 *
 * @param doing   for messages: "cannot <doing>: ..."
 * @param sql     places are written as psql does: :'name' becomes the value as a literal, :"name"
 * as an identifier
 * @param values  ends with a NULL name; NULL where the text has no places: then it is sent as it is
 * @param answer  receives the last statement's rows, freed with cm_pg_answer_free; may be NULL
 * @return CM_OK, CM_ERROR_DATABASE, CM_ERROR_INTERRUPTED (the statement was cancelled) or
 *         CM_ERROR_MEMORY
 */
cm_status cm_pg_run(cm_pg *pg, const char *doing, const char *sql, const cm_pg_value *values,
                    cm_pg_answer *answer, cm_error *error);

void cm_pg_answer_free(cm_pg_answer *answer);

/** Rows of an answer. */
size_t cm_pg_answer_rows(const cm_pg_answer *answer);

/** Rows that the last statement inserted, updated or deleted. */
uint64_t cm_pg_answer_affected(const cm_pg_answer *answer);

/** A field of an answer as text; NULL where it is NULL. Valid until the answer is freed. */
const char *cm_pg_answer_text(const cm_pg_answer *answer, size_t row, size_t column);

/** Undo the open transaction, if any; whatever happened before, and without an error of its own. */
void cm_pg_rollback(cm_pg *pg);

#endif

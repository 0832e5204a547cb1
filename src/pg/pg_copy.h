/* COPY as bytes: out of PostgreSQL as a source, into it as a sink. What the bytes mean: src/io. */
#ifndef CM_PG_PG_COPY_H
#define CM_PG_PG_COPY_H

#include "io/stream.h"
#include "pg/pg_conn.h"

/** A COPY TO STDOUT under way. Zero-initialised is none. */
typedef struct cm_pg_copy_out {
    cm_pg *pg; /* busy with it until its end, or until it is closed */
    const char *doing;
    char *message; /* libpq's: the last piece received */
    size_t message_size, message_at;
    bool ended;
} cm_pg_copy_out;

/** Start a COPY. Arguments as of cm_pg_run; `doing` must live as long. */
cm_status cm_pg_copy_out_open(cm_pg *pg, const char *doing, const char *sql,
                              const cm_pg_value *values, cm_pg_copy_out *out, cm_error *error);

/** As cm_source's read; got is 0 only at the end. Its context is the cm_pg_copy_out. */
cm_status cm_pg_copy_out_read(void *out, char *buffer, size_t size, size_t *got, cm_error *error);

/** End it; one that has not come to its end is cancelled. */
void cm_pg_copy_out_close(cm_pg_copy_out *out);

/** Start a COPY FROM STDIN, feed it in pieces of any size, end it. */
cm_status cm_pg_copy_in_open(cm_pg *pg, const char *doing, const char *sql,
                             const cm_pg_value *values, cm_error *error);
cm_status cm_pg_copy_in_write(cm_pg *pg, const char *doing, const char *bytes, size_t size,
                              cm_error *error);
cm_status cm_pg_copy_in_close(cm_pg *pg, const char *doing, cm_error *error);

/** Give it up: nothing of it stays. */
void cm_pg_copy_in_abort(cm_pg *pg);

#endif

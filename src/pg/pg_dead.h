/* Rejected rows on their way into dead_events. */
#ifndef CM_PG_PG_DEAD_H
#define CM_PG_PG_DEAD_H

#include "io/pgcopy_reader.h"
#include "pg/pg_conn.h"

/** One malformed row. */
typedef struct cm_pg_dead_row {
    cm_row_kind kind;
    uint8_t id[CM_UUID_BYTES];
    const char *field;  /* static text; NULL: the row as a whole */
    const char *reason; /* static text */
} cm_pg_dead_row;

/** Rows kept until the run's transaction. Zero-initialised is empty. */
typedef struct cm_pg_dead_rows {
    cm_pg_dead_row *rows;
    size_t count, capacity;
} cm_pg_dead_rows;

/** Keep a row. CM_OK or CM_ERROR_MEMORY. */
cm_status cm_pg_dead_rows_add(cm_pg_dead_rows *dead, const cm_pg_dead_row *row, cm_error *error);

/** Write them within the open transaction: each row of a table is a dead event once. */
cm_status cm_pg_dead_rows_write(cm_pg *pg, const cm_pg_dead_rows *dead, cm_error *error);

void cm_pg_dead_rows_destroy(cm_pg_dead_rows *dead);

/** A UUID's 16 bytes as text: 32 hex digits, NUL-terminated. PostgreSQL reads it so. */
void cm_pg_uuid_text(const void *uuid, char text[2 * CM_UUID_BYTES + 1]);

#endif

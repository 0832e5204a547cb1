/* Rows of the tables, out of a COPY, a block of them at a time. */
#ifndef CM_PG_PG_ROWS_H
#define CM_PG_PG_ROWS_H

#include "io/pgcopy_reader.h"
#include "pg/pg_copy.h"
#include "util/buffer.h"

/** One row. What it points to holds until the next block is fetched. */
typedef struct cm_pg_row {
    const char *id; /* CM_UUID_BYTES: the row's key in its table */
    cm_value values[CM_FIELD_COUNT_MAX];
    cm_slice stored; /* of a conversion: the result stored with it, as encoded; see pg_result.h */
} cm_pg_row;

/** A COPY of load_clicks.sql or load_conversions.sql. Zero-initialised is none. */
typedef struct cm_pg_rows {
    cm_pg_copy_out out;
    cm_pgcopy_reader reader;
    cm_row_kind kind;
    cm_buffer block; /* begins at a row's first byte, but for the first one */
    size_t at;       /* of the next row in the block */
} cm_pg_rows;

/**
 * Start to read. Arguments as of cm_pg_run.
 *
 * @param rows  zero-initialised, or at the end of what it read; closed with cm_pg_rows_close, after
 *              a failure, too
 */
cm_status cm_pg_rows_open(cm_pg *pg, cm_row_kind kind, const cm_pg_value *values, cm_pg_rows *rows,
                          cm_error *error);

/** The same by another COPY of the kind's columns. */
cm_status cm_pg_rows_open_by(cm_pg *pg, cm_row_kind kind, const char *sql,
                             const cm_pg_value *values, cm_pg_rows *rows, cm_error *error);

/**
 * Fetch the next block.
 *
 * @param more  receives false at the end: there is no block
 * @return CM_OK, CM_ERROR_DATABASE, CM_ERROR_FORMAT, CM_ERROR_INTERRUPTED or CM_ERROR_MEMORY
 */
cm_status cm_pg_rows_fetch(cm_pg_rows *rows, bool *more, cm_error *error);

/** The block's next row; found receives false where there is none left. CM_OK or CM_ERROR_FORMAT.
 */
cm_status cm_pg_rows_next(cm_pg_rows *rows, cm_pg_row *row, bool *found, cm_error *error);

void cm_pg_rows_close(cm_pg_rows *rows);

/** The table that rows of a kind come from. */
const char *cm_pg_table_name(cm_row_kind kind);

/** What reading it is called in messages. */
const char *cm_pg_rows_doing(cm_row_kind kind);

#endif

/* One picture of the data, read by several connections, each table in parts. */
#ifndef CM_PG_PG_SNAPSHOT_H
#define CM_PG_PG_SNAPSHOT_H

#include "pg/pg_period.h"
#include "pg/pg_rows.h"

#define CM_PG_READERS_MAX 16

/** Connections whose transactions share a snapshot. Zero-initialised is closed. */
typedef struct cm_pg_snapshot {
    cm_pg readers[CM_PG_READERS_MAX];
    unsigned reader_count;
} cm_pg_snapshot;

/** A table cut into parts of as many blocks each. */
typedef struct cm_pg_parts {
    cm_row_kind kind;
    uint64_t blocks; /* size of the table */
    unsigned count;  /* of parts; at least 1 */
} cm_pg_parts;

/**
 * Connect and take the picture.
 *
 * @param reader_count  1 to CM_PG_READERS_MAX
 * Closed with cm_pg_snapshot_close, after a failure, too. Errors as of cm_pg_open and cm_pg_run.
 */
cm_status cm_pg_snapshot_open(const cm_pg_options *options, unsigned reader_count,
                              cm_pg_snapshot *snapshot, cm_error *error);

/** When the newest click was made that is not dated in the future; 0: there is none. */
cm_status cm_pg_snapshot_newest_click(cm_pg_snapshot *snapshot, int64_t *time_us, cm_error *error);

/** Cut a table, so that readers who take one part after the other end at about the same time,
 * wherever the period's rows lie. */
cm_status cm_pg_snapshot_cut(cm_pg_snapshot *snapshot, cm_row_kind kind, cm_pg_parts *parts,
                             cm_error *error);

/**
 * Start to read a part. Each reader may be used by a thread of its own.
 *
 * @param part  less than parts->count
 * @param rows  zero-initialised, or what the last part was read with; closed with
 *              cm_pg_rows_close, after a failure, too
 */
cm_status cm_pg_snapshot_read(cm_pg_snapshot *snapshot, unsigned reader, const cm_pg_parts *parts,
                              unsigned part, const cm_pg_period_values *period, cm_pg_rows *rows,
                              cm_error *error);

void cm_pg_snapshot_close(cm_pg_snapshot *snapshot);

#endif

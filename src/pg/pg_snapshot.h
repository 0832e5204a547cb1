/* One picture of the data, read by several connections. */
#ifndef CM_PG_PG_SNAPSHOT_H
#define CM_PG_PG_SNAPSHOT_H

#include "pg/pg_period.h"
#include "pg/pg_rows.h"

#define CM_PG_READERS_MAX 16

/** Connections whose transactions share a snapshot. Zero-initialised is closed. */
typedef struct cm_pg_snapshot {
    cm_pg readers[CM_PG_READERS_MAX];
    unsigned reader_count;
    uint64_t click_blocks; /* size of click_tracking */
} cm_pg_snapshot;

/**
 * Connect and take the picture.
 *
 * @param reader_count  1 to CM_PG_READERS_MAX
 * Closed with cm_pg_snapshot_close, after a failure, too. Errors as of cm_pg_open and cm_pg_run.
 */
cm_status cm_pg_snapshot_open(const cm_pg_options *options, unsigned reader_count,
                              cm_pg_snapshot *snapshot, cm_error *error);

/** Start to read a reader's share of the clicks. Each reader may be used by a thread of its own. */
cm_status cm_pg_snapshot_clicks(cm_pg_snapshot *snapshot, unsigned reader,
                                const cm_pg_period_values *period, cm_pg_rows *rows,
                                cm_error *error);

/** Start to read all conversions, on the first reader. */
cm_status cm_pg_snapshot_conversions(cm_pg_snapshot *snapshot, const cm_pg_period_values *period,
                                     cm_pg_rows *rows, cm_error *error);

void cm_pg_snapshot_close(cm_pg_snapshot *snapshot);

#endif

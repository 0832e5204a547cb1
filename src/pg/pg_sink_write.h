/* One transaction of a stream: rows of a batch into the tables. Internal to the sink. */
#ifndef CM_PG_PG_SINK_WRITE_H
#define CM_PG_PG_SINK_WRITE_H

#include "pg/pg_sink_batch.h"

/** What to write: a run of a batch's rows. */
typedef struct cm_pg_sink_part {
    const char *stream_name;
    const cm_pg_sink_batch *batch;
    size_t from, to;
    const cm_buffer *buried; /* instead of the run, rows of sink_dead; NULL: the run */
    bool with_position;      /* the batch's, if it has one */
} cm_pg_sink_part;

/** What it changed. */
typedef struct cm_pg_sink_written {
    uint64_t clicks_inserted, conversions_inserted, conversions_updated, dead;
} cm_pg_sink_written;

/** Told of each row that the tables do not take: its place in the batch, and why. */
typedef struct cm_pg_sink_refusals {
    void (*take)(void *context, size_t row, const char *error_type, const char *message);
    void *context;
} cm_pg_sink_refusals;

/**
 * Write the part's clicks and conversions within the open transaction, which is to be of REPEATABLE
 * READ: else a row could fall between two statements. Positions and dead rows are left to the
 * caller.
 *
 * @param written  its counts are added to
 * @return as cm_pg_sink_write
 */
cm_status cm_pg_sink_write_rows(cm_pg *pg, const cm_pg_sink_part *part,
                                const cm_pg_sink_refusals *refusals, cm_pg_sink_written *written,
                                cm_error *error);

/**
 * Write it, all or nothing. Rows that are in the tables already change nothing.
 *
 * @param pg       a session that has run sink_session.sql
 * @param written  filled on success
 * @return CM_OK, CM_ERROR_DATABASE (pg->sqlstate says why; the transaction may be open still, or,
 *         where COMMIT was under way, committed), CM_ERROR_INTERRUPTED, CM_ERROR_MEMORY
 */
cm_status cm_pg_sink_write(cm_pg *pg, const cm_pg_sink_part *part, cm_pg_sink_written *written,
                           cm_error *error);

#endif

/* Rows of a stream for one transaction, encoded. Internal to the sink. */
#ifndef CM_PG_PG_SINK_BATCH_H
#define CM_PG_PG_SINK_BATCH_H

#include "pg/pg_sink.h"
#include "util/buffer.h"

typedef enum cm_pg_sink_kind {
    CM_PG_SINK_CLICK,
    CM_PG_SINK_CONVERSION,
    CM_PG_SINK_DEAD,
} cm_pg_sink_kind;
#define CM_PG_SINK_KIND_COUNT 3

/** One row, and what it needs to become a dead event yet. */
typedef struct cm_pg_sink_row {
    cm_pg_sink_kind kind;
    size_t at, size;                              /* of the batch's rows of its kind */
    size_t text_at;                               /* of the batch's texts: these in turn */
    size_t tenant_size, position_size, line_size; /* all 0 where it is dead already */
} cm_pg_sink_row;

/** Zero-initialised is empty. One thread at a time. */
typedef struct cm_pg_sink_batch {
    cm_buffer encoded[CM_PG_SINK_KIND_COUNT]; /* rows of binary COPY: see sink_session.sql */
    cm_buffer texts;
    cm_pg_sink_row *rows; /* in the order in which they came */
    size_t count, capacity;
    bool has_position;
    uint64_t position;
    uint64_t since_ns; /* when it was first seen not to be empty; 0: not yet */
} cm_pg_sink_batch;

/** Bytes of all rows. */
size_t cm_pg_sink_batch_bytes(const cm_pg_sink_batch *batch);

/** Is there anything to write? */
bool cm_pg_sink_batch_is_empty(const cm_pg_sink_batch *batch);

/** Empty it; memory is kept for the next round. */
void cm_pg_sink_batch_clear(cm_pg_sink_batch *batch);
void cm_pg_sink_batch_destroy(cm_pg_sink_batch *batch);

/**
 * Begin a row: its encoded columns are appended to batch->encoded[kind] then.
 *
 * @return the row, good until the next one; NULL where memory is short
 */
cm_pg_sink_row *cm_pg_sink_batch_begin(cm_pg_sink_batch *batch, cm_pg_sink_kind kind);

/** Keep what the row needs to become a dead event. */
void cm_pg_sink_batch_keep(cm_pg_sink_batch *batch, cm_pg_sink_row *row, cm_slice tenant_id,
                           const cm_pg_sink_origin *origin);

/** End it. Where memory was short, it is undone: CM_ERROR_MEMORY. */
cm_status cm_pg_sink_batch_end(cm_pg_sink_batch *batch, cm_pg_sink_row *row, cm_error *error);

/** Undo what was appended of it: as if it had not begun. */
void cm_pg_sink_batch_undo(cm_pg_sink_batch *batch, cm_pg_sink_row *row);

/** A dead event as it is encoded. */
typedef struct cm_pg_sink_dead_row {
    cm_slice tenant_id, position, line;
    const char *event_type, *error_type;
    cm_slice message;
} cm_pg_sink_dead_row;

/** Append a row of sink_dead. Failure: rows->failed. */
void cm_pg_sink_put_dead(cm_buffer *rows, const cm_pg_sink_dead_row *dead);

/** The same of a row of the batch that turns out to be one: see error_type and message. */
void cm_pg_sink_bury(const cm_pg_sink_batch *batch, const cm_pg_sink_row *row,
                     const char *error_type, const char *message, cm_buffer *rows);

#endif

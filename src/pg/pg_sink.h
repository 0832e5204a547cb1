/*
 * Results of a stream on their way into PostgreSQL. The caller hands over rows one by one; they are
 * encoded into the batch under construction, while a thread of the sink's own writes the batch
 * before it: one transaction each, with the stream's position.
 *
 * - Two batches and no more: while both are full there is no room, and the caller is to stop
 *   reading. Memory does not grow.
 * - A server that goes away is waited for, with growing, jittered pauses, until the sink is closed;
 *   the batch is sent again. What is in the tables already is not written again: a batch that comes
 *   twice, its commit's reply lost or its events replayed, changes nothing and logs nothing.
 * - An event that the tables cannot hold becomes a row of dead_events, in the same transaction.
 *
 * What is written where: docs/schema.md, "What a stream writes".
 */
#ifndef CM_PG_PG_SINK_H
#define CM_PG_PG_SINK_H

#include "model/field.h"
#include "pg/pg_conn.h"

#define CM_PG_SINK_BATCH_ROWS ((size_t)2000)
#define CM_PG_SINK_LINGER_MS 100
#define CM_PG_SINK_BACKOFF_MIN_MS 100
#define CM_PG_SINK_BACKOFF_MAX_MS 10000
#define CM_PG_SINK_NAME_CHARACTERS_MAX 255 /* of a stream's name, and of a position */

/** How to write. Zero means the default. All is borrowed, until the sink is closed. */
typedef struct cm_pg_sink_config {
    cm_pg_options pg;        /* interrupt: heeded while opening, not later */
    const char *stream_name; /* 1 to 255 characters of UTF-8 */
    size_t batch_rows;       /* rows of a transaction, at most */
    unsigned linger_ms;      /* how long a row waits for its batch to fill */
    int64_t click_window_us; /* expires_at of a click that says none: this long after it. 0: left to
                                the table's trigger */
    uint64_t seed;           /* of the pauses' jitter */
    unsigned backoff_min_ms, backoff_max_ms; /* of the pauses */
} cm_pg_sink_config;

typedef struct cm_pg_sink cm_pg_sink;

/** Which event a row is of. Copied. */
typedef struct cm_pg_sink_origin {
    cm_slice position; /* "seq 17": another one for each event of the stream; UTF-8, no NUL, at most
                          255 characters. Cut where it is longer */
    cm_slice line;     /* as it was read, any bytes, its line end left out */
} cm_pg_sink_origin;

/** A conversion and its result. Copied. */
typedef struct cm_pg_sink_result {
    const cm_conversion *conversion;
    const cm_value *type, *value; /* conversion_type, conversion_value */
    const cm_result *result;
    const char *model;      /* "name@version" */
    uint32_t processing_ms; /* whole milliseconds spent on it */
} cm_pg_sink_result;

/** An event that was rejected. Copied. */
typedef struct cm_pg_sink_dead {
    const char *event_type; /* "click", "conversion"; NULL: unknown */
    cm_slice tenant_id;     /* missing where unknown */
    const char *error_type; /* "malformed" */
    const char *field;      /* NULL: the row as a whole */
    const char *reason;
} cm_pg_sink_dead;

/** What has been done. Rows count when their transaction is known to be committed; of a batch whose
 * commit's reply was lost, what it wrote is not counted but in rows_settled. */
typedef struct cm_pg_sink_state {
    bool is_connected; /* false: waiting for the server */
    uint64_t attempts; /* transactions begun */
    uint64_t batches;  /* transactions committed */
    uint64_t clicks_inserted, conversions_inserted, conversions_updated;
    uint64_t dead;         /* events handed over or found to be so; those of a replay count again */
    uint64_t rows_taken;   /* rows handed over */
    uint64_t rows_settled; /* of them, from the first on: committed */
    bool has_position;
    uint64_t position;    /* committed, by this sink or one before it */
    uint64_t oldest_ns;   /* by cm_pg_sink_tick's clock: when the oldest row that is not settled was
                              first seen; 0: there is none */
    char last_error[512]; /* why the last attempt failed; "" if none did. No row's data */
    cm_status failure;    /* CM_OK, or what the sink has stopped for */
} cm_pg_sink_state;

/**
 * Connect, check the schema's version, read the stored position, start the thread.
 *
 * @param sink  receives the sink; freed with cm_pg_sink_close
 * @return CM_OK; CM_ERROR_USAGE (the stream's name, the connection string), CM_ERROR_DATABASE,
 *         CM_ERROR_INTERRUPTED, CM_ERROR_MEMORY
 */
cm_status cm_pg_sink_open(const cm_pg_sink_config *config, cm_pg_sink **sink, cm_error *error);

/**
 * Is there room for a row? Where the batch is full, it is handed to the thread if that is free. One
 * thread calls this and everything below but cm_pg_sink_state.
 */
bool cm_pg_sink_has_room(cm_pg_sink *sink);

/**
 * Wait until there is room, at most for a time.
 *
 * @param has_room  receives whether there is now
 * @return CM_OK, or why the sink has stopped for good: CM_ERROR_DATABASE, CM_ERROR_MEMORY
 */
cm_status cm_pg_sink_wait_room(cm_pg_sink *sink, unsigned timeout_ms, bool *has_room,
                               cm_error *error);

/**
 * Hand over a row; there must be room. One that the tables cannot hold becomes a dead event.
 * A click is to be stored if it is not there yet; a conversion inserted, or its result updated.
 *
 * @return CM_OK or CM_ERROR_MEMORY
 */
cm_status cm_pg_sink_add_click(cm_pg_sink *sink, const cm_click *click,
                               const cm_pg_sink_origin *origin, cm_error *error);
cm_status cm_pg_sink_add_result(cm_pg_sink *sink, const cm_pg_sink_result *result,
                                const cm_pg_sink_origin *origin, cm_error *error);
cm_status cm_pg_sink_add_dead(cm_pg_sink *sink, const cm_pg_sink_dead *dead,
                              const cm_pg_sink_origin *origin, cm_error *error);

/** Everything of the events up to this position has been handed over. Goes with the batch.
 * @param position  at most INT64_MAX; one that is not above the last one says nothing new */
void cm_pg_sink_settle(cm_pg_sink *sink, uint64_t position);

/**
 * Hand the batch to the thread if it has lingered long enough. To be called every few milliseconds
 * while cm_pg_sink_is_pending.
 *
 * @param now_ns  of a clock that is never set back; not 0
 * @return CM_OK, or why the sink has stopped for good
 */
cm_status cm_pg_sink_tick(cm_pg_sink *sink, uint64_t now_ns, cm_error *error);

/** Does the batch under construction hold anything? */
bool cm_pg_sink_is_pending(const cm_pg_sink *sink);

/**
 * Write all that was handed over, waiting for it at most for a time. May be called again.
 *
 * @param done  receives whether all of it is committed
 * @return CM_OK, or why the sink has stopped for good
 */
cm_status cm_pg_sink_flush(cm_pg_sink *sink, unsigned timeout_ms, bool *done, cm_error *error);

/** A picture of the state. Any thread. */
void cm_pg_sink_get_state(cm_pg_sink *sink, cm_pg_sink_state *state);

/** Stop at once and free. What is not committed is given up: flush first. NULL is allowed. */
void cm_pg_sink_close(cm_pg_sink *sink);

#endif

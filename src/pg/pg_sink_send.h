/*
 * A batch to the database, whatever happens: waits for a server that is away, tries again, and
 * finds the rows that the tables refuse. Internal to the sink.
 */
#ifndef CM_PG_PG_SINK_SEND_H
#define CM_PG_PG_SINK_SEND_H

#include "pg/pg_sink_write.h"

/** Whom to tell what happens. Called by the sending thread. */
typedef struct cm_pg_sink_watch {
    /** A transaction begins. */
    void (*attempt)(void *context);
    /** A part is committed. */
    void (*written)(void *context, const cm_pg_sink_written *written);
    /** There is a connection now, or (with a reason) there is none, or an attempt failed. */
    void (*link)(void *context, bool is_connected, const char *reason);
    void *context;
} cm_pg_sink_watch;

/** One thread. */
typedef struct cm_pg_sink_sender {
    cm_pg_options options; /* interrupt: give up */
    const char *stream_name;
    unsigned backoff_min_ms, backoff_max_ms;
    uint64_t random;   /* state of the jitter's generator */
    unsigned failures; /* in a row */
    cm_pg pg;
    bool is_ready; /* the session is as cm_pg_sink_connect makes it */
    cm_pg_sink_watch watch;
} cm_pg_sink_sender;

/** Connect, see that the schema is of the program's version, make the staging tables. The errors of
 * cm_pg_open and cm_pg_run. */
cm_status cm_pg_sink_connect(cm_pg_sink_sender *sender, cm_error *error);

/**
 * Write a batch.
 *
 * @return CM_OK: it is committed, all of it; CM_ERROR_INTERRUPTED; CM_ERROR_MEMORY;
 *         CM_ERROR_DATABASE: what will not pass by waiting. Parts of it may be committed.
 */
cm_status cm_pg_sink_send(cm_pg_sink_sender *sender, const cm_pg_sink_batch *batch,
                          cm_error *error);

/** Also after a failure; a closed one is allowed. */
void cm_pg_sink_disconnect(cm_pg_sink_sender *sender);

#endif

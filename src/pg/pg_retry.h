/*
 * Dead events that are fed in again: taken and settled in one transaction with what comes of them,
 * so that each has its effects and its outcome, or neither. Rows that are taken are locked by the
 * transaction and by nothing else: several retries pass each other's by, and a killed one leaves
 * nothing behind.
 */
#ifndef CM_PG_PG_RETRY_H
#define CM_PG_PG_RETRY_H

#include "pg/pg_period.h"
#include "pg/pg_rows.h"
#include "pg/pg_sink_row.h"
#include "pg/pg_sink_write.h"

#define CM_PG_RETRY_EVENTS_MAX 2000 /* of a transaction */
#define CM_PG_RETRY_TIMES 10        /* after so many failures only who is named is taken */
#define CM_PG_RETRY_TURNS 3         /* clicks, unknown ones, conversions, */
#define CM_PG_RETRY_TURN_LAST 2     /* which go when nobody feeds in others any more */

/** Which dead events. Zero is all. Borrowed. */
typedef struct cm_pg_retry_filter {
    const char *const *ids; /* UUIDs: these, due or not, and ignored ones, too */
    size_t id_count;
    const char *const *tenants;
    size_t tenant_count;
    const char *const *error_types;
    size_t error_type_count;
} cm_pg_retry_filter;

/** The same as array literals. Zero-initialised is none. */
typedef struct cm_pg_retry_values {
    cm_buffer ids, tenants, error_types;
    bool names_ids;
} cm_pg_retry_values;

/** CM_OK; CM_ERROR_USAGE: an id is no UUID; CM_ERROR_MEMORY. Freed with
 * cm_pg_retry_values_destroy, after a failure, too. */
cm_status cm_pg_retry_values_make(const cm_pg_retry_filter *filter, cm_pg_retry_values *values,
                                  cm_error *error);
void cm_pg_retry_values_destroy(cm_pg_retry_values *values);

/** Where taking has got to. */
typedef struct cm_pg_retry_place {
    int turn;
    const char *as_of;                          /* of cm_pg_retry_clicks_begin */
    char after[CM_PG_TIME_BYTES], after_id[37]; /* of the last one taken; "": none yet */
} cm_pg_retry_place;

/** Columns of what was taken. */
enum cm_pg_retry_column {
    CM_PG_RETRY_ID,
    CM_PG_RETRY_CREATED_AT,
    CM_PG_RETRY_TENANT,
    CM_PG_RETRY_SOURCE,
    CM_PG_RETRY_EVENT_TYPE,
    CM_PG_RETRY_ROW_ID,      /* of source "batch": the row's key; NULL: none */
    CM_PG_RETRY_IS_TOO_LONG, /* "t": the line is longer than any row may be, and not here */
    CM_PG_RETRY_LINE,        /* bytes as "\x..."; NULL: not here, or no payload */
};

/**
 * Begin to feed in clicks.
 *
 * @param schema  NULL: "public"
 * @param as_of   receives the time now: what is due then is taken
 */
cm_status cm_pg_retry_clicks_begin(cm_pg *pg, const char *schema, char as_of[CM_PG_TIME_BYTES],
                                   cm_error *error);

/** That is done; wait until it is in all other sessions, too, so that conversions find theirs. */
cm_status cm_pg_retry_clicks_end(cm_pg *pg, const char *schema, cm_error *error);

/** Begin the transaction: one picture of the data. */
cm_status cm_pg_retry_begin(cm_pg *pg, cm_error *error);

/** Take the next ones of the place's turn; none: no rows. Freed with cm_pg_answer_free. */
cm_status cm_pg_retry_take(cm_pg *pg, const cm_pg_retry_values *values,
                           const cm_pg_retry_place *place, cm_pg_answer *taken, cm_error *error);

/** A row's line as bytes; freed with free. NULL where memory is short. */
char *cm_pg_retry_line(const cm_pg_answer *taken, size_t row, size_t *size);

/** Rows of a table by their keys, or conversions by what they are called. @param ids, conversions
 * array literals */
cm_status cm_pg_retry_rows(cm_pg *pg, cm_row_kind kind, const char *ids, const char *conversions,
                           cm_pg_rows *rows, cm_error *error);

/** Whom to tell what becomes of a batch's rows. */
typedef struct cm_pg_retry_watch {
    cm_pg_sink_refusals refusals;
    /** What was told of these rows does not hold: they were undone, and are tried anew. */
    void (*undone)(void *context, size_t from, size_t to);
    void *context;
} cm_pg_retry_watch;

/**
 * Write a batch's clicks and conversions in the open transaction. What PostgreSQL refuses is found
 * by halves, undone alone, and told with error_type "refused".
 *
 * @return CM_OK; CM_ERROR_DATABASE: the transaction is lost
 */
cm_status cm_pg_retry_write(cm_pg *pg, const cm_pg_sink_batch *batch,
                            const cm_pg_retry_watch *watch, cm_error *error);

/** What came of one. */
typedef struct cm_pg_retry_outcome {
    const char *id;
    const char *outcome;    /* "resolved", "ignored", "failed" */
    const char *error_type; /* of one that failed */
    cm_slice message;       /* of one that failed why; else a note */
} cm_pg_retry_outcome;

/** Note outcomes, in the open transaction. */
cm_status cm_pg_retry_settle(cm_pg *pg, const cm_pg_retry_outcome *outcomes, size_t count,
                             cm_error *error);

/** Commit, or undo it all where it is only a dry run. */
cm_status cm_pg_retry_end(cm_pg *pg, bool dry_run, cm_error *error);

/** Did a failure end the transaction that another attempt may get past? */
bool cm_pg_retry_may_pass(const cm_pg *pg);

/** Mark pending ones as ignored. @param notes  why; NULL: none @param count  receives how many */
cm_status cm_pg_retry_ignore(cm_pg *pg, const cm_pg_retry_values *values, const char *notes,
                             uint64_t *count, cm_error *error);

/** Columns of the counts, sorted by the first three. */
enum cm_pg_retry_count {
    CM_PG_RETRY_COUNT_SOURCE,
    CM_PG_RETRY_COUNT_ERROR_TYPE,
    CM_PG_RETRY_COUNT_STATUS,
    CM_PG_RETRY_COUNT_EVENTS,
    CM_PG_RETRY_COUNT_DUE,     /* of pending ones */
    CM_PG_RETRY_COUNT_GIVEN_UP /* likewise: those that failed CM_PG_RETRY_TIMES times */
};
#define CM_PG_RETRY_COUNT_COLUMNS 6

/** How many there are. Freed with cm_pg_answer_free. */
cm_status cm_pg_retry_counts(cm_pg *pg, const cm_pg_retry_values *values, cm_pg_answer *counts,
                             cm_error *error);

#endif

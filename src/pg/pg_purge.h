/*
 * Old clicks and personal data out of the tables, in batches so small that nobody waits for them.
 *
 * A batch is one transaction and one message to the server: rows that others hold are skipped, so
 * that it waits for nobody; how many rows it takes follows from how long the last one took, and a
 * batch that would hold its locks for too long is given up and done again in halves. Whatever
 * ends a purge, the tables are consistent, and the next one goes on.
 */
#ifndef CM_PG_PG_PURGE_H
#define CM_PG_PG_PURGE_H

#include "pg/pg_conn.h"

/** What to purge. Everything is borrowed. */
typedef struct cm_pg_purge_config {
    int64_t before_us;          /* what happened before; microseconds since 1970 UTC */
    int64_t expired_before_us;  /* of clicks: and was expired by then */
    const char *const *tenants; /* none: all */
    size_t tenant_count;
    uint64_t batch_rows; /* at most; at least 1 */
    bool dry_run;        /* count only */
    void *context;
    void (*on_progress)(void *context, uint64_t rows); /* looked at so far; may be NULL */
} cm_pg_purge_config;

/** What was done, or would be. */
typedef struct cm_pg_purge_report {
    uint64_t clicks_deleted;
    uint64_t clicks_stripped; /* results refer to them: they stay, without personal data */
    uint64_t conversions_stripped;
    uint64_t dead_deleted;
    uint64_t dead_unresolved; /* of these nobody had resolved or ignored so many */
    uint64_t kept;            /* clicks that another table's foreign key refers to */
    uint64_t left;            /* rows that took too long: the next purge tries again */
    uint64_t batches;
    uint64_t longest_us; /* that one of them held locks */
} cm_pg_purge_report;

/**
 * Purge.
 *
 * @param pg      its session is good only for being closed afterwards
 * @param report  receives what was done, on failure, too
 * @return CM_OK, CM_ERROR_DATABASE (also: an index is missing, without which each batch would read
 *         a whole table), CM_ERROR_INTERRUPTED or CM_ERROR_MEMORY
 */
cm_status cm_pg_purge(cm_pg *pg, const cm_pg_purge_config *config, cm_pg_purge_report *report,
                      cm_error *error);

#endif

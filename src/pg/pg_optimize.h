/*
 * What makes the updates of `batch` cheap, and what the platform must want itself: indexes that go,
 * pages with room for a row's next version. The plan can be told without doing it.
 */
#ifndef CM_PG_PG_OPTIMIZE_H
#define CM_PG_PG_OPTIMIZE_H

#include "pg/pg_conn.h"

/** A part of the plan. */
typedef struct cm_pg_step {
    const char *says; /* what is done, for people; or why not */
    const char *undo; /* SQL; empty where nothing is done */
    bool is_kept;     /* nothing is done */
} cm_pg_step;

/** Who is told the steps, each before it is done. */
typedef struct cm_pg_step_listener {
    void (*tell)(void *context, const cm_pg_step *step);
    void *context;
} cm_pg_step_listener;

/** Tell the plan; nothing is done. Errors as of cm_pg_run. */
cm_status cm_pg_optimize_plan(cm_pg *pg, const cm_pg_step_listener *listener, cm_error *error);

/**
 * Do it, in one transaction, and record it in clickmatch_optimizations. Where there is nothing to
 * do, nothing is locked for long and nothing changes. For a session that holds the lock of the
 * migrations: see cm_pg_migrate.
 *
 * @return CM_OK; CM_ERROR_DATABASE (also: a run of `batch` is under way, the table is in use);
 *         CM_ERROR_INTERRUPTED or CM_ERROR_MEMORY: nothing has changed
 */
cm_status cm_pg_optimize(cm_pg *pg, const char *schema, const cm_pg_step_listener *listener,
                         cm_error *error);

#endif

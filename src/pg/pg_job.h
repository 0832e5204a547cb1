/*
 * Runs as rows of attribution_recompute_jobs. A job is a tenant set, a period and a model: running
 * it again is the same job. Runs whose periods overlap exclude one another:
 *
 * - Runs register one at a time, under a transaction's advisory lock.
 * - A live run holds an advisory lock on its job's id as long as its session lives, and its row
 * says "running". Whoever registers first settles what the dead have left: rows that say "running",
 * and staging tables, whose lock is free.
 * - What then still says "running" lives: if its period overlaps, the newcomer is refused.
 */
#ifndef CM_PG_PG_JOB_H
#define CM_PG_PG_JOB_H

#include "pg/pg_period.h"

#define CM_PG_UUID_TEXT_BYTES 37 /* 36 characters and a NUL */

/** A job that this session runs. Zero-initialised is none. */
typedef struct cm_pg_job {
    char id[CM_PG_UUID_TEXT_BYTES]; /* "" if none */
    int run_count;                  /* 1: it had never run */
} cm_pg_job;

/** Who starts what. Everything is borrowed. */
typedef struct cm_pg_job_options {
    const char *schema;     /* NULL: "public" */
    const char *model;      /* "name@version" */
    const char *started_by; /* NULL or empty: the database user */
} cm_pg_job_options;

/** What a run did: columns of its row. */
typedef struct cm_pg_job_counts {
    uint64_t clicks_read, conversions_read, rows_rejected;
    uint64_t conversions_attributed, conversions_changed, clicks_vanished;
} cm_pg_job_counts;

/**
 * Register a run. Refused with CM_ERROR_DATABASE while another one over an overlapping period
 * lives.
 *
 * @param pg   its session holds the job until it is closed
 * @param job  receives the job
 */
cm_status cm_pg_job_start(cm_pg *pg, const cm_pg_job_options *options,
                          const cm_pg_period_values *period, cm_pg_job *job, cm_error *error);

/**
 * Keep runs from starting until the open transaction ends. Refused as cm_pg_job_start is while one
 * lives, whatever its period.
 */
cm_status cm_pg_job_exclude_all(cm_pg *pg, const char *schema, cm_error *error);

/** Record that it is done: within the transaction that promotes the results. */
cm_status cm_pg_job_succeed(cm_pg *pg, const cm_pg_job *job, const cm_pg_job_counts *counts,
                            cm_error *error);

/** Record why it failed, as far as the connection allows; an interrupt does not stop it. */
void cm_pg_job_fail(cm_pg *pg, const cm_pg_job *job, const char *reason);

#endif

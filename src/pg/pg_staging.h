/* A run's staging table: filled by COPY while matching goes on, then promoted in one transaction.
 */
#ifndef CM_PG_PG_STAGING_H
#define CM_PG_PG_STAGING_H

#include "pg/pg_dead.h"
#include "pg/pg_job.h"

#define CM_PG_NAME_BYTES 64

/** A staging table. It is made when the first row is written. */
typedef struct cm_pg_staging {
    cm_pg *pg; /* the session that holds the job; busy while rows are written */
    char name[CM_PG_NAME_BYTES];
    bool exists;
    bool is_copying;
    uint64_t row_count;
} cm_pg_staging;

/** What promoting changed. */
typedef struct cm_pg_promoted {
    uint64_t changed;  /* conversions updated, each with a line in the log */
    uint64_t vanished; /* conversions left as they were: their click was deleted meanwhile */
} cm_pg_promoted;

/** What the promoting transaction records besides the results. */
typedef struct cm_pg_promotion {
    const cm_pg_job *job;
    cm_pg_job_counts counts; /* changed and vanished are filled in */
    const cm_pg_dead_rows *dead;
    int64_t run_time_us;    /* attributed_at */
    uint32_t processing_ms; /* whole milliseconds spent on one conversion */
} cm_pg_promotion;

/** Prepare to write; nothing is created yet. */
void cm_pg_staging_init(cm_pg_staging *staging, cm_pg *pg, const cm_pg_job *job);

/**
 * Add rows.
 *
 * @param rows   row_count rows of CM_PG_STAGING_COLUMNS encoded columns: see pg_result.h
 */
cm_status cm_pg_staging_write(cm_pg_staging *staging, const char *rows, size_t size,
                              uint64_t row_count, cm_error *error);

/**
 * End writing, then in one transaction: update the conversions, append to the log, record rejected
 * rows and the run, drop the staging table. A conversion whose click is gone is left as it was; a
 * deadlock is tried again.
 */
cm_status cm_pg_staging_promote(cm_pg_staging *staging, const cm_pg_promotion *promotion,
                                cm_pg_promoted *promoted, cm_error *error);

/** Drop the table, as far as the connection allows; an interrupt does not stop it. */
void cm_pg_staging_drop(cm_pg_staging *staging);

#endif

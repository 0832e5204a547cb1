#include "pg/pg_staging.h"

#include <stdio.h>
#include <string.h>

#include "io/pgcopy_writer.h"
#include "pg/pg_copy.h"
#include "pg/pg_wait.h"
#include "sql.h"

#define WRITING "write to the staging table"
#define PROMOTING "promote the results"

#define ATTEMPTS_MAX 5

void cm_pg_staging_init(cm_pg_staging *staging, cm_pg *pg, const cm_pg_job *job)
{
    static const char PREFIX[] = "clickmatch_staging_";
    size_t at = sizeof PREFIX - 1;
    *staging = (cm_pg_staging){.pg = pg};
    memcpy(staging->name, PREFIX, at);
    for (const char *digit = job->id; *digit != '\0'; digit++)
        if (*digit != '-')
            staging->name[at++] = *digit;
    (void)snprintf(staging->name + at, sizeof staging->name - at, "_%d", job->run_count);
}

static cm_status run_on(cm_pg_staging *staging, const char *doing, const char *sql, cm_error *error)
{
    const cm_pg_value values[] = {{"staging", staging->name}, {NULL, NULL}};
    return cm_pg_run(staging->pg, doing, sql, values, NULL, error);
}

static cm_status start(cm_pg_staging *staging, cm_error *error)
{
    const cm_pg_value values[] = {{"staging", staging->name}, {NULL, NULL}};
    cm_buffer header = {0};
    cm_status status = run_on(staging, WRITING, cm_sql_queries_staging_create, error);
    staging->exists = status == CM_OK;
    if (status == CM_OK)
        status =
            cm_pg_copy_in_open(staging->pg, WRITING, cm_sql_queries_staging_copy, values, error);
    staging->is_copying = status == CM_OK;
    cm_pgcopy_put_header(&header);
    if (status == CM_OK && header.failed)
        status = cm_error_memory(error, "a header", 1);
    if (status == CM_OK)
        status = cm_pg_copy_in_write(staging->pg, WRITING, header.data, header.size, error);
    cm_buffer_destroy(&header);
    return status;
}

cm_status cm_pg_staging_write(cm_pg_staging *staging, const char *rows, size_t size,
                              uint64_t row_count, cm_error *error)
{
    cm_status status = CM_OK;
    if (row_count == 0)
        return CM_OK;
    if (!staging->exists)
        status = start(staging, error);
    if (status == CM_OK)
        status = cm_pg_copy_in_write(staging->pg, WRITING, rows, size, error);
    staging->row_count += row_count;
    return status;
}

static cm_status finish(cm_pg_staging *staging, cm_error *error)
{
    cm_buffer trailer = {0};
    if (!staging->is_copying)
        return CM_OK;
    cm_pgcopy_put_trailer(&trailer);
    cm_status status = trailer.failed ? cm_error_memory(error, "a trailer", 1) : CM_OK;
    if (status == CM_OK)
        status = cm_pg_copy_in_write(staging->pg, WRITING, trailer.data, trailer.size, error);
    if (status == CM_OK) {
        staging->is_copying = false;
        status = cm_pg_copy_in_close(staging->pg, WRITING, error);
    }
    cm_buffer_destroy(&trailer);
    return status;
}

/* The clicks that are left are locked, so that none can go until the transaction ends. */
static cm_status drop_vanished(cm_pg_staging *staging, uint64_t *vanished, cm_error *error)
{
    const cm_pg_value values[] = {{"staging", staging->name}, {NULL, NULL}};
    cm_pg_answer answer = {NULL};
    cm_status status = cm_pg_run(staging->pg, PROMOTING, cm_sql_queries_promote_drop_vanished,
                                 values, &answer, error);
    if (status == CM_OK)
        *vanished = cm_pg_answer_affected(&answer);
    cm_pg_answer_free(&answer);
    return status;
}

/* The update first, which locks the rows, then the log. */
static cm_status update(cm_pg_staging *staging, const cm_pg_promotion *promotion, uint64_t *changed,
                        cm_error *error)
{
    char run_time[CM_PG_TIME_BYTES], processing_ms[16];
    const cm_pg_value values[] = {{"staging", staging->name},
                                  {"run_time", run_time},
                                  {"processing_ms", processing_ms},
                                  {NULL, NULL}};
    cm_pg_answer answer = {NULL};
    cm_pg_time_text(promotion->run_time_us, run_time);
    (void)snprintf(processing_ms, sizeof processing_ms, "%u", promotion->processing_ms);
    cm_status status =
        cm_pg_run(staging->pg, PROMOTING, cm_sql_queries_promote, values, &answer, error);
    if (status == CM_OK)
        *changed = cm_pg_answer_affected(&answer);
    cm_pg_answer_free(&answer);
    return status == CM_OK
               ? cm_pg_run(staging->pg, PROMOTING, cm_sql_queries_promote_log, values, NULL, error)
               : status;
}

/* Once begun, a commit is waited for: whether it went through must be known. */
static cm_status commit(cm_pg *pg, cm_error *error)
{
    const atomic_bool *interrupt = pg->interrupt;
    pg->interrupt = NULL;
    cm_status status = cm_pg_run(pg, "commit the results", "COMMIT", NULL, NULL, error);
    pg->interrupt = interrupt;
    return status;
}

static cm_status promote_once(cm_pg_staging *staging, const cm_pg_promotion *promotion,
                              bool is_retry, cm_pg_promoted *promoted, cm_error *error)
{
    cm_pg_job_counts counts = promotion->counts;
    *promoted = (cm_pg_promoted){0};
    cm_status status =
        cm_pg_run(staging->pg, PROMOTING, cm_sql_queries_promote_begin, NULL, NULL, error);
    if (status == CM_OK && staging->exists && is_retry)
        status = drop_vanished(staging, &promoted->vanished, error);
    if (status == CM_OK && staging->exists)
        status = update(staging, promotion, &promoted->changed, error);
    if (status == CM_OK)
        status = cm_pg_dead_rows_write(staging->pg, promotion->dead, error);
    counts.conversions_changed = promoted->changed;
    counts.clicks_vanished = promoted->vanished;
    if (status == CM_OK)
        status = cm_pg_job_succeed(staging->pg, promotion->job, &counts, error);
    if (status == CM_OK && staging->exists)
        status = run_on(staging, PROMOTING, cm_sql_queries_staging_drop, error);
    if (status == CM_OK)
        status = commit(staging->pg, error);
    return status;
}

/* A click deleted meanwhile breaks the foreign key: rarely enough that the usual run need not look
 * for it beforehand. Deadlocks pass. */
static bool may_be_retried(const cm_pg *pg)
{
    static const char *const STATES[] = {
        "23503", /* foreign_key_violation */
        "40001", /* serialization_failure */
        "40P01", /* deadlock_detected */
    };
    for (size_t i = 0; i < sizeof STATES / sizeof *STATES; i++)
        if (strcmp(pg->sqlstate, STATES[i]) == 0)
            return true;
    return false;
}

cm_status cm_pg_staging_promote(cm_pg_staging *staging, const cm_pg_promotion *promotion,
                                cm_pg_promoted *promoted, cm_error *error)
{
    cm_status status = finish(staging, error);
    if (status != CM_OK)
        return status;
    for (unsigned attempt = 1;; attempt++) {
        status = promote_once(staging, promotion, attempt > 1, promoted, error);
        if (status == CM_OK)
            break;
        bool is_worth_it = status == CM_ERROR_DATABASE && may_be_retried(staging->pg);
        cm_pg_rollback(staging->pg);
        if (!is_worth_it || attempt == ATTEMPTS_MAX)
            return status;
    }
    staging->exists = false;
    return CM_OK;
}

void cm_pg_staging_drop(cm_pg_staging *staging)
{
    const atomic_bool *interrupt = staging->pg->interrupt;
    staging->pg->interrupt = NULL;
    if (staging->is_copying)
        cm_pg_copy_in_abort(staging->pg);
    cm_pg_rollback(staging->pg);
    if (staging->exists)
        (void)run_on(staging, "drop the staging table", cm_sql_queries_staging_drop, NULL);
    staging->is_copying = staging->exists = false;
    staging->pg->interrupt = interrupt;
}

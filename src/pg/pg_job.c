#include "pg/pg_job.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "sql.h"

#define DOING "register the run"
#define COUNT_TEXT_BYTES 24

/* Is another run in the way? */
static cm_status check_overlap(cm_pg *pg, const cm_pg_value *values, const char *what,
                               cm_error *error)
{
    cm_pg_answer answer = {NULL};
    cm_status status = cm_pg_run(pg, DOING, cm_sql_queries_job_overlapping, values, &answer, error);
    if (status == CM_OK && cm_pg_answer_rows(&answer) > 0)
        status =
            cm_error_set(error, CM_ERROR_DATABASE,
                         "%s is under way: job %s, %s to %s, started by %s; wait until it is "
                         "done",
                         what, cm_pg_answer_text(&answer, 0, 0), cm_pg_answer_text(&answer, 0, 1),
                         cm_pg_answer_text(&answer, 0, 2), cm_pg_answer_text(&answer, 0, 3));
    cm_pg_answer_free(&answer);
    return status;
}

/* The job's row, and the lock on it. */
static cm_status enter(cm_pg *pg, const cm_pg_value *values, cm_pg_job *job, cm_error *error)
{
    const cm_pg_value lock_values[] = {{"job", job->id}, {NULL, NULL}};
    cm_pg_answer answer = {NULL};
    cm_status status = cm_pg_run(pg, DOING, cm_sql_queries_job_start, values, &answer, error);
    if (status == CM_OK) {
        (void)snprintf(job->id, sizeof job->id, "%s", cm_pg_answer_text(&answer, 0, 0));
        job->run_count = (int)strtol(cm_pg_answer_text(&answer, 0, 1), NULL, 10);
        status = cm_pg_run(pg, DOING, cm_sql_queries_job_lock, lock_values, NULL, error);
    }
    cm_pg_answer_free(&answer);
    return status;
}

cm_status cm_pg_job_start(cm_pg *pg, const cm_pg_job_options *options,
                          const cm_pg_period_values *period, cm_pg_job *job, cm_error *error)
{
    const cm_pg_value values[] = {
        {"schema", options->schema == NULL ? "public" : options->schema},
        {"from", period->from},
        {"to", period->to},
        {"tenants", period->tenants.data},
        {"model", options->model},
        {"started_by", options->started_by == NULL ? "" : options->started_by},
        {NULL, NULL}};
    cm_status overlap = CM_OK;
    *job = (cm_pg_job){0};
    cm_status status = cm_pg_run(pg, DOING, "BEGIN", NULL, NULL, error);
    if (status == CM_OK)
        status = cm_pg_run(pg, DOING, cm_sql_queries_job_clear, values, NULL, error);
    if (status == CM_OK)
        overlap = check_overlap(pg, values, "another run over an overlapping period", error);
    if (status == CM_OK && overlap == CM_OK)
        status = enter(pg, values, job, error);
    if (status == CM_OK) /* what the dead have left is settled, even where this run is refused */
        status = cm_pg_run(pg, DOING, "COMMIT", NULL, NULL, overlap == CM_OK ? error : NULL);
    if (status == CM_OK && overlap == CM_OK)
        return CM_OK;
    cm_pg_rollback(pg);
    *job = (cm_pg_job){0};
    return overlap != CM_OK ? overlap : status;
}

cm_status cm_pg_job_exclude_all(cm_pg *pg, const char *schema, cm_error *error)
{
    const cm_pg_value values[] = {{"schema", schema == NULL ? "public" : schema},
                                  {"from", "-infinity"},
                                  {"to", "infinity"},
                                  {NULL, NULL}};
    cm_status status =
        cm_pg_run(pg, "wait for runs", cm_sql_queries_job_clear, values, NULL, error);
    return status == CM_OK ? check_overlap(pg, values, "a run of batch", error) : status;
}

cm_status cm_pg_job_succeed(cm_pg *pg, const cm_pg_job *job, const cm_pg_job_counts *counts,
                            cm_error *error)
{
    const struct {
        const char *name;
        uint64_t count;
    } columns[] = {{"clicks_read", counts->clicks_read},
                   {"conversions_read", counts->conversions_read},
                   {"rows_rejected", counts->rows_rejected},
                   {"conversions_attributed", counts->conversions_attributed},
                   {"conversions_changed", counts->conversions_changed},
                   {"clicks_vanished", counts->clicks_vanished}};
    enum { COLUMNS = sizeof columns / sizeof *columns };
    char texts[COLUMNS][COUNT_TEXT_BYTES];
    cm_pg_value values[COLUMNS + 2] = {{"job", job->id}}; /* ends with a NULL name */
    for (size_t i = 0; i < COLUMNS; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "%" PRIu64, columns[i].count);
        values[i + 1] = (cm_pg_value){columns[i].name, texts[i]};
    }
    return cm_pg_run(pg, "record the run", cm_sql_queries_job_succeed, values, NULL, error);
}

void cm_pg_job_fail(cm_pg *pg, const cm_pg_job *job, const char *reason)
{
    const cm_pg_value values[] = {{"job", job->id}, {"error", reason}, {NULL, NULL}};
    const atomic_bool *interrupt = pg->interrupt;
    pg->interrupt = NULL;
    cm_pg_rollback(pg);
    if (job->id[0] != '\0')
        (void)cm_pg_run(pg, "record the failure", cm_sql_queries_job_fail, values, NULL, NULL);
    pg->interrupt = interrupt;
}

#include "pg/pg_optimize.h"

#include <string.h>

#include "pg/pg_job.h"
#include "pg/pg_wait.h"
#include "sql.h"

#define PLANNING "plan the optimization"
#define DOING "optimize the tables"

/* The columns of optimize_plan.sql. */
enum { IS_KEPT, SAYS, STATEMENT, UNDO };

static cm_pg_step step_of(const cm_pg_answer *plan, size_t row)
{
    return (cm_pg_step){.says = cm_pg_answer_text(plan, row, SAYS),
                        .undo = cm_pg_answer_text(plan, row, UNDO),
                        .is_kept = cm_pg_answer_text(plan, row, IS_KEPT)[0] == 't'};
}

cm_status cm_pg_optimize_plan(cm_pg *pg, const cm_pg_step_listener *listener, cm_error *error)
{
    cm_pg_answer plan = {NULL};
    cm_status status = cm_pg_run(pg, PLANNING, cm_sql_queries_optimize_plan, NULL, &plan, error);
    for (size_t row = 0; status == CM_OK && row < cm_pg_answer_rows(&plan); row++) {
        cm_pg_step step = step_of(&plan, row);
        listener->tell(listener->context, &step);
    }
    cm_pg_answer_free(&plan);
    return status;
}

static cm_status do_step(cm_pg *pg, const cm_pg_answer *plan, size_t row, cm_error *error)
{
    const cm_pg_value values[] = {{"statement", cm_pg_answer_text(plan, row, STATEMENT)},
                                  {"undo", cm_pg_answer_text(plan, row, UNDO)},
                                  {NULL, NULL}};
    cm_status status = cm_pg_run(pg, DOING, values[0].text, NULL, NULL, error);
    if (status == CM_OK)
        status = cm_pg_run(pg, DOING, cm_sql_queries_optimize_record, values, NULL, error);
    return status;
}

static bool has_work(const cm_pg_answer *plan)
{
    for (size_t row = 0; row < cm_pg_answer_rows(plan); row++)
        if (cm_pg_answer_text(plan, row, IS_KEPT)[0] != 't')
            return true;
    return false;
}

/* What is there now is planned for, with the table locked if there is anything to do. */
static cm_status do_plan(cm_pg *pg, const cm_pg_step_listener *listener, cm_error *error)
{
    cm_pg_answer plan = {NULL};
    cm_status status = cm_pg_run(pg, PLANNING, cm_sql_queries_optimize_plan, NULL, &plan, error);
    if (status == CM_OK && has_work(&plan)) {
        cm_pg_answer_free(&plan);
        status = cm_pg_run(pg, DOING, cm_sql_queries_optimize_begin, NULL, NULL, error);
        if (status == CM_OK)
            status = cm_pg_run(pg, PLANNING, cm_sql_queries_optimize_plan, NULL, &plan, error);
    }
    for (size_t row = 0; status == CM_OK && row < cm_pg_answer_rows(&plan); row++) {
        cm_pg_step step = step_of(&plan, row);
        listener->tell(listener->context, &step);
        if (!step.is_kept)
            status = do_step(pg, &plan, row, error);
    }
    cm_pg_answer_free(&plan);
    return cm_pg_busy(pg, DOING, status, error);
}

cm_status cm_pg_optimize(cm_pg *pg, const char *schema, const cm_pg_step_listener *listener,
                         cm_error *error)
{
    cm_status status = cm_pg_run(pg, DOING, "BEGIN", NULL, NULL, error);
    if (status == CM_OK)
        status = cm_pg_job_exclude_all(pg, schema, error);
    if (status == CM_OK)
        status = do_plan(pg, listener, error);
    if (status == CM_OK)
        status = cm_pg_run(pg, DOING, "COMMIT", NULL, NULL, error);
    if (status != CM_OK)
        cm_pg_rollback(pg);
    return status;
}

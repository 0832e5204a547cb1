#include "pg/pg_found.h"

#include <stdio.h>

#include "sql.h"

#define CREATING "create the platform's tables"
#define LOADING "load a simulated world"

cm_status cm_pg_found_create(cm_pg *pg, const char *schema, cm_error *error)
{
    const cm_pg_value values[] = {{"schema", schema == NULL ? "public" : schema}, {NULL, NULL}};
    cm_status status =
        cm_pg_run(pg, CREATING, "CREATE SCHEMA IF NOT EXISTS :\"schema\"", values, NULL, error);
    if (status == CM_OK)
        status = cm_pg_run(pg, CREATING, cm_sql_bench_as_found, NULL, NULL, error);
    return status;
}

cm_status cm_pg_found_load(cm_pg *pg, cm_row_kind kind,
                           cm_status (*make)(void *context, cm_error *error), void *context,
                           cm_error *error)
{
    const char *sql =
        kind == CM_ROW_CLICK ? cm_sql_bench_load_clicks : cm_sql_bench_load_conversions;
    cm_status status = cm_pg_copy_in_open(pg, LOADING, sql, NULL, error);
    if (status != CM_OK)
        return status;
    status = make(context, error);
    if (status == CM_OK)
        return cm_pg_copy_in_close(pg, LOADING, error);
    cm_pg_copy_in_abort(pg);
    return status;
}

cm_status cm_pg_found_write(cm_pg *pg, const char *bytes, size_t size, cm_error *error)
{
    return cm_pg_copy_in_write(pg, LOADING, bytes, size, error);
}

cm_status cm_pg_found_settle(cm_pg *pg, cm_error *error)
{
    return cm_pg_run(pg, LOADING, cm_sql_bench_settle, NULL, NULL, error);
}

cm_status cm_pg_found_server(cm_pg *pg, char line[CM_PG_FOUND_SERVER_BYTES], cm_error *error)
{
    cm_pg_answer answer = {NULL};
    cm_status status =
        cm_pg_run(pg, "ask for the server's settings", cm_sql_bench_server, NULL, &answer, error);
    if (status == CM_OK)
        (void)snprintf(line, CM_PG_FOUND_SERVER_BYTES, "%s", cm_pg_answer_text(&answer, 0, 0));
    cm_pg_answer_free(&answer);
    return status;
}

cm_status cm_pg_found_vacuum(cm_pg *pg, cm_error *error)
{
    return cm_pg_run(pg, LOADING, "VACUUM ANALYZE", NULL, NULL, error);
}

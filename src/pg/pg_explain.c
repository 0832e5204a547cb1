#include "pg/pg_explain.h"

#include "sql.h"

#define DOING "look up a conversion"

cm_status cm_pg_explain_find(cm_pg *pg, const char *conversion, const char *tenant,
                             cm_pg_answer *answer, cm_error *error)
{
    const cm_pg_value values[] = {
        {"conversion", conversion}, {"tenant", tenant == NULL ? "" : tenant}, {NULL, NULL}};
    return cm_pg_run(pg, DOING, cm_sql_queries_explain_find, values, answer, error);
}

cm_status cm_pg_explain_stored(cm_pg *pg, const char *conversion, const char *tenant,
                               cm_pg_answer *answer, cm_error *error)
{
    const cm_pg_value values[] = {{"conversion", conversion}, {"tenant", tenant}, {NULL, NULL}};
    return cm_pg_run(pg, DOING, cm_sql_queries_explain_stored, values, answer, error);
}

cm_status cm_pg_explain_changes(cm_pg *pg, const char *conversion, const char *tenant,
                                const char *clicks, cm_pg_answer *answer, cm_error *error)
{
    const cm_pg_value values[] = {
        {"conversion", conversion}, {"tenant", tenant}, {"clicks", clicks}, {NULL, NULL}};
    return cm_pg_run(pg, DOING, cm_sql_queries_explain_changes, values, answer, error);
}

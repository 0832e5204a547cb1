#include "pg/pg_sink_session.h"

#include <stdlib.h>
#include <string.h>

#include "sql.h"

cm_status cm_pg_sink_session_begin(cm_pg *pg, cm_error *error)
{
    return cm_pg_run(pg, "prepare the session", cm_sql_queries_sink_session, NULL, NULL, error);
}

static void note_limit(cm_pg_sink_shape *shape, const char *table, const char *column,
                       uint32_t characters)
{
    cm_row_kind kind = strcmp(table, "click_tracking") == 0 ? CM_ROW_CLICK : CM_ROW_CONVERSION;
    for (size_t field = 0; field < CM_FIELD_COUNT_MAX; field++) {
        const char *name = cm_pg_sink_column_name(kind, field);
        if (name != NULL && strcmp(name, column) == 0)
            shape->characters_max[kind][field] = characters;
    }
}

cm_status cm_pg_sink_session_limits(cm_pg *pg, cm_pg_sink_shape *shape, cm_error *error)
{
    cm_pg_answer answer = {NULL};
    cm_status status = cm_pg_run(pg, "read the columns' lengths", cm_sql_queries_sink_limits, NULL,
                                 &answer, error);
    size_t count = status == CM_OK ? cm_pg_answer_rows(&answer) : 0;
    for (size_t i = 0; i < count; i++)
        note_limit(shape, cm_pg_answer_text(&answer, i, 0), cm_pg_answer_text(&answer, i, 1),
                   (uint32_t)strtoul(cm_pg_answer_text(&answer, i, 2), NULL, 10));
    cm_pg_answer_free(&answer);
    return status;
}

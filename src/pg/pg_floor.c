#include "pg/pg_floor.h"

#include <stdlib.h>

#include "sql.h"

#define DOING "measure plain statements"
#define PIECE_BYTES ((size_t)64 << 10)

/* Read a COPY to its end. @param kept  receives the bytes; NULL: they are thrown away */
static cm_status copy_out(cm_pg *pg, const char *sql, cm_buffer *kept, cm_error *error)
{
    cm_pg_copy_out out;
    size_t got = 1;
    char *piece = malloc(PIECE_BYTES);
    if (piece == NULL)
        return cm_error_memory(error, "a piece of a table", PIECE_BYTES);
    cm_status status = cm_pg_copy_out_open(pg, DOING, sql, NULL, &out, error);
    while (status == CM_OK && got > 0) {
        status = cm_pg_copy_out_read(&out, piece, PIECE_BYTES, &got, error);
        if (status == CM_OK && kept != NULL)
            cm_buffer_append(kept, piece, got);
    }
    cm_pg_copy_out_close(&out);
    free(piece);
    if (status == CM_OK && kept != NULL && kept->failed)
        status = cm_error_memory(error, "the results of a run", kept->size);
    return status;
}

static cm_status copy_in(cm_pg *pg, const cm_buffer *results, cm_error *error)
{
    cm_status status =
        cm_pg_copy_in_open(pg, DOING, "COPY results FROM STDIN (FORMAT binary)", NULL, error);
    if (status == CM_OK)
        status = cm_pg_copy_in_write(pg, DOING, results->data, results->size, error);
    return status == CM_OK ? cm_pg_copy_in_close(pg, DOING, error) : status;
}

static cm_status write_rows(cm_pg *pg, const char *sql, uint64_t *rows, cm_error *error)
{
    cm_pg_answer answer = {NULL};
    cm_status status = cm_pg_run(pg, DOING, sql, NULL, &answer, error);
    if (status == CM_OK)
        *rows = cm_pg_answer_affected(&answer);
    cm_pg_answer_free(&answer);
    return status;
}

cm_status cm_pg_floor_results(cm_pg *pg, cm_error *error)
{
    cm_status status = cm_pg_run(pg, DOING, "DROP TABLE IF EXISTS results", NULL, NULL, error);
    return status == CM_OK ? cm_pg_run(pg, DOING, cm_sql_bench_results, NULL, NULL, error) : status;
}

cm_status cm_pg_floor_fetch(cm_pg *pg, cm_buffer *results, cm_error *error)
{
    return copy_out(pg, "COPY results TO STDOUT (FORMAT binary)", results, error);
}

cm_status cm_pg_floor_take(cm_pg *pg, cm_pg_floor_step step, const cm_buffer *results,
                           uint64_t *rows, cm_error *error)
{
    *rows = 0;
    switch (step) {
    case CM_PG_FLOOR_CLICKS:
        return copy_out(pg, cm_sql_bench_floor_clicks, NULL, error);
    case CM_PG_FLOOR_CONVERSIONS:
        return copy_out(pg, cm_sql_bench_floor_conversions, NULL, error);
    case CM_PG_FLOOR_RESULTS:
        return copy_in(pg, results, error);
    case CM_PG_FLOOR_UPDATE:
        return write_rows(pg, cm_sql_bench_floor_update, rows, error);
    case CM_PG_FLOOR_LOG:
        break;
    }
    return write_rows(pg, cm_sql_bench_floor_log, rows, error);
}

cm_status cm_pg_floor_view(cm_pg *pg, size_t view, cm_error *error)
{
    static const char *const SQL[CM_PG_FLOOR_VIEW_COUNT] = {
        "SELECT count(*) FROM (SELECT * FROM v_attribution_recovery_rate OFFSET 0) AS v",
        "SELECT count(*) FROM (SELECT * FROM v_active_clicks OFFSET 0) AS v",
        "SELECT count(*) FROM (SELECT * FROM v_conversion_attribution_summary OFFSET 0) AS v",
        "SELECT count(*) FROM (SELECT * FROM v_unattributed_conversions OFFSET 0) AS v",
    };
    return cm_pg_run(pg, DOING, SQL[view], NULL, NULL, error);
}

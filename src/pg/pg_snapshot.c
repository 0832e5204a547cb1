#include "pg/pg_snapshot.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "sql.h"

#define TID_BYTES 24
#define BLOCK_END UINT32_MAX /* a table has fewer blocks than this */

#define DOING "take a snapshot"

static cm_status export_snapshot(cm_pg_snapshot *snapshot, cm_pg_answer *answer, cm_error *error)
{
    cm_status status = cm_pg_run(&snapshot->readers[0], DOING, cm_sql_queries_snapshot_export, NULL,
                                 answer, error);
    if (status == CM_OK)
        snapshot->click_blocks = strtoull(cm_pg_answer_text(answer, 0, 1), NULL, 10);
    return status;
}

static cm_status open_reader(const cm_pg_options *options, cm_pg_snapshot *snapshot,
                             const cm_pg_value *values, cm_error *error)
{
    cm_pg *reader = &snapshot->readers[snapshot->reader_count];
    cm_status status = cm_pg_open(options, reader, error);
    if (status != CM_OK)
        return status;
    snapshot->reader_count++;
    return cm_pg_run(reader, DOING, cm_sql_queries_snapshot_import, values, NULL, error);
}

cm_status cm_pg_snapshot_open(const cm_pg_options *options, unsigned reader_count,
                              cm_pg_snapshot *snapshot, cm_error *error)
{
    cm_pg_answer answer = {NULL};
    *snapshot = (cm_pg_snapshot){0};
    cm_status status = cm_pg_open(options, &snapshot->readers[0], error);
    if (status != CM_OK)
        return status;
    snapshot->reader_count = 1;
    status = export_snapshot(snapshot, &answer, error);
    if (status == CM_OK) {
        const cm_pg_value values[] = {{"snapshot", cm_pg_answer_text(&answer, 0, 0)}, {NULL, NULL}};
        while (status == CM_OK && snapshot->reader_count < reader_count)
            status = open_reader(options, snapshot, values, error);
    }
    cm_pg_answer_free(&answer);
    return status;
}

cm_status cm_pg_snapshot_clicks(cm_pg_snapshot *snapshot, unsigned reader,
                                const cm_pg_period_values *period, cm_pg_rows *rows,
                                cm_error *error)
{
    uint64_t blocks = snapshot->click_blocks, count = snapshot->reader_count;
    uint64_t end = reader + 1 == count ? BLOCK_END : blocks * (reader + 1) / count;
    char first_row[TID_BYTES], end_row[TID_BYTES];
    const cm_pg_value values[] = {{"to", period->to},
                                  {"clicks_after", period->clicks_after},
                                  {"window_after", period->window_after},
                                  {"expiry_after", period->expiry_after},
                                  {"tenants", period->tenants.data},
                                  {"first_row", first_row},
                                  {"end_row", end_row},
                                  {NULL, NULL}};
    (void)snprintf(first_row, sizeof first_row, "(%" PRIu64 ",0)", blocks * reader / count);
    (void)snprintf(end_row, sizeof end_row, "(%" PRIu64 ",0)", end);
    return cm_pg_rows_open(&snapshot->readers[reader], CM_ROW_CLICK, values, rows, error);
}

cm_status cm_pg_snapshot_conversions(cm_pg_snapshot *snapshot, const cm_pg_period_values *period,
                                     cm_pg_rows *rows, cm_error *error)
{
    const cm_pg_value values[] = {{"from", period->from},
                                  {"to", period->to},
                                  {"tenants", period->tenants.data},
                                  {"only", period->only},
                                  {NULL, NULL}};
    return cm_pg_rows_open(&snapshot->readers[0], CM_ROW_CONVERSION, values, rows, error);
}

void cm_pg_snapshot_close(cm_pg_snapshot *snapshot)
{
    for (unsigned i = 0; i < snapshot->reader_count; i++)
        cm_pg_close(&snapshot->readers[i]);
    snapshot->reader_count = 0;
}

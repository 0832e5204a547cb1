#include "pg/pg_snapshot.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "sql.h"

#define TID_BYTES 24
#define BLOCK_END UINT32_MAX /* a table has fewer blocks than this */

/* Enough parts that none is left with much when the others are done; none so small that asking for
 * it counts. */
#define PARTS_PER_READER 8
#define PART_BLOCKS_MIN 64

#define DOING "take a snapshot"

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
    status = cm_pg_run(&snapshot->readers[0], DOING, cm_sql_queries_snapshot_export, NULL, &answer,
                       error);
    if (status == CM_OK) {
        const cm_pg_value values[] = {{"snapshot", cm_pg_answer_text(&answer, 0, 0)}, {NULL, NULL}};
        while (status == CM_OK && snapshot->reader_count < reader_count)
            status = open_reader(options, snapshot, values, error);
    }
    cm_pg_answer_free(&answer);
    return status;
}

cm_status cm_pg_snapshot_newest_click(cm_pg_snapshot *snapshot, int64_t *time_us, cm_error *error)
{
    cm_pg_answer answer = {NULL};
    cm_status status = cm_pg_run(&snapshot->readers[0], cm_pg_rows_doing(CM_ROW_CLICK),
                                 cm_sql_queries_newest_click, NULL, &answer, error);
    const char *text = status == CM_OK ? cm_pg_answer_text(&answer, 0, 0) : NULL;
    *time_us = text == NULL ? 0 : strtoll(text, NULL, 10);
    cm_pg_answer_free(&answer);
    return status;
}

cm_status cm_pg_snapshot_cut(cm_pg_snapshot *snapshot, cm_row_kind kind, cm_pg_parts *parts,
                             cm_error *error)
{
    const cm_pg_value values[] = {{"table", cm_pg_table_name(kind)}, {NULL, NULL}};
    cm_pg_answer answer = {NULL};
    unsigned count = snapshot->reader_count == 1 ? 1 : PARTS_PER_READER * snapshot->reader_count;
    *parts = (cm_pg_parts){.kind = kind, .count = 1};
    cm_status status = cm_pg_run(&snapshot->readers[0], cm_pg_rows_doing(kind),
                                 cm_sql_queries_snapshot_blocks, values, &answer, error);
    if (status == CM_OK)
        parts->blocks = strtoull(cm_pg_answer_text(&answer, 0, 0), NULL, 10);
    cm_pg_answer_free(&answer);
    while (parts->count < count && parts->blocks / (parts->count + 1) >= PART_BLOCKS_MIN)
        parts->count++;
    return status;
}

cm_status cm_pg_snapshot_read(cm_pg_snapshot *snapshot, unsigned reader, const cm_pg_parts *parts,
                              unsigned part, const cm_pg_period_values *period, cm_pg_rows *rows,
                              cm_error *error)
{
    uint64_t first = parts->blocks * part / parts->count;
    uint64_t end = part + 1 == parts->count ? BLOCK_END : parts->blocks * (part + 1) / parts->count;
    char first_row[TID_BYTES], end_row[TID_BYTES];
    const cm_pg_value values[] = {{"from", period->from},
                                  {"to", period->to},
                                  {"clicks_after", period->clicks_after},
                                  {"window_after", period->window_after},
                                  {"expiry_after", period->expiry_after},
                                  {"tenants", period->tenants.data},
                                  {"only", period->only},
                                  {"campaigns", period->campaigns},
                                  {"first_row", first_row},
                                  {"end_row", end_row},
                                  {NULL, NULL}};
    (void)snprintf(first_row, sizeof first_row, "(%" PRIu64 ",0)", first);
    (void)snprintf(end_row, sizeof end_row, "(%" PRIu64 ",0)", end);
    return cm_pg_rows_open(&snapshot->readers[reader], parts->kind, values, rows, error);
}

void cm_pg_snapshot_close(cm_pg_snapshot *snapshot)
{
    for (unsigned i = 0; i < snapshot->reader_count; i++)
        cm_pg_close(&snapshot->readers[i]);
    snapshot->reader_count = 0;
}

#include "pg/pg_rows.h"

#include "pg/pg_result.h"
#include "sql.h"
#include "util/check.h"

#define BLOCK_BYTES ((size_t)128 << 10) /* what the second-level cache keeps until it is matched */

#define TEXT CM_PGCOPY_TEXT
#define INT4 CM_PGCOPY_INT4
#define TIME CM_PGCOPY_TIMESTAMPTZ

/* The columns in the order of load_clicks.sql: how they are coded, and which fields they are. The
 * first one is the row's id, which is no field. */
static const cm_pgcopy_type CLICK_TYPES[] = {
    CM_PGCOPY_UUID, TEXT, TEXT, TIME, TIME, CM_PGCOPY_BOOL, TEXT, TEXT, TEXT, CM_PGCOPY_INET, TEXT,
    TEXT,           TEXT, TEXT, INT4, INT4, TEXT,           INT4, TEXT, TEXT, TEXT,           TEXT,
};
static const uint8_t CLICK_FIELDS[] = {
    CM_FIELD_COUNT_MAX,
    CM_CLICK_TENANT_ID,
    CM_CLICK_CLICK_ID,
    CM_CLICK_CLICK_TIMESTAMP,
    CM_CLICK_EXPIRES_AT,
    CM_CLICK_IS_VALID,
    CM_CLICK_FBCLID,
    CM_CLICK_GCLID,
    CM_CLICK_FINGERPRINT_HASH,
    CM_CLICK_IP_ADDRESS,
    CM_CLICK_USER_AGENT,
    CM_CLICK_DEVICE_TYPE,
    CM_CLICK_OS,
    CM_CLICK_BROWSER,
    CM_CLICK_SCREEN_WIDTH,
    CM_CLICK_SCREEN_HEIGHT,
    CM_CLICK_TIMEZONE,
    CM_CLICK_TIMEZONE_OFFSET,
    CM_CLICK_CAMPAIGN_ID,
    CM_CLICK_ADSET_ID,
    CM_CLICK_AD_ID,
    CM_CLICK_CREATIVE_ID,
};

/* The same of load_conversions.sql; what follows is the stored result. */
static const cm_pgcopy_type CONVERSION_TYPES[] = {
    CM_PGCOPY_UUID, TEXT, TEXT, TIME, TEXT, TEXT, TEXT, TEXT, CM_PGCOPY_INET,
    TEXT,           TEXT, TEXT, TEXT, INT4, INT4, TEXT, INT4,
};
static const uint8_t CONVERSION_FIELDS[] = {
    CM_FIELD_COUNT_MAX,
    CM_CONVERSION_TENANT_ID,
    CM_CONVERSION_CONVERSION_ID,
    CM_CONVERSION_CONVERSION_TIMESTAMP,
    CM_CONVERSION_CLICK_ID,
    CM_CONVERSION_FBCLID,
    CM_CONVERSION_GCLID,
    CM_CONVERSION_CONVERSION_FINGERPRINT_HASH,
    CM_CONVERSION_IP_ADDRESS,
    CM_CONVERSION_USER_AGENT,
    CM_CONVERSION_DEVICE_TYPE,
    CM_CONVERSION_OS,
    CM_CONVERSION_BROWSER,
    CM_CONVERSION_SCREEN_WIDTH,
    CM_CONVERSION_SCREEN_HEIGHT,
    CM_CONVERSION_TIMEZONE,
    CM_CONVERSION_TIMEZONE_OFFSET,
};

#define CLICK_COLUMNS (sizeof CLICK_TYPES / sizeof *CLICK_TYPES)
#define CONVERSION_COLUMNS (sizeof CONVERSION_TYPES / sizeof *CONVERSION_TYPES)

/* A table, as it is read. */
static const struct table {
    const char *name, *doing, *sql;
    cm_pgcopy_columns columns;
    const uint8_t *fields;
} TABLES[] = {
    [CM_ROW_CLICK] = {"click_tracking",
                      "read click_tracking",
                      cm_sql_queries_load_clicks,
                      {CLICK_TYPES, CLICK_COLUMNS, CLICK_COLUMNS},
                      CLICK_FIELDS},
    [CM_ROW_CONVERSION] = {"conversion_tracking",
                           "read conversion_tracking",
                           cm_sql_queries_load_conversions,
                           {CONVERSION_TYPES, CONVERSION_COLUMNS,
                            CONVERSION_COLUMNS + CM_PG_STORED_COLUMNS},
                           CONVERSION_FIELDS},
};

const char *cm_pg_table_name(cm_row_kind kind)
{
    return TABLES[kind].name;
}

const char *cm_pg_rows_doing(cm_row_kind kind)
{
    return TABLES[kind].doing;
}

cm_status cm_pg_rows_open_by(cm_pg *pg, cm_row_kind kind, const char *sql,
                             const cm_pg_value *values, cm_pg_rows *rows, cm_error *error)
{
    const struct table *table = &TABLES[kind];
    cm_pg_copy_out_close(&rows->out);
    rows->kind = kind;
    rows->block.size = rows->at = 0;
    cm_pgcopy_reader_init(&rows->reader, &table->columns);
    return cm_pg_copy_out_open(pg, table->doing, sql, values, &rows->out, error);
}

cm_status cm_pg_rows_open(cm_pg *pg, cm_row_kind kind, const cm_pg_value *values, cm_pg_rows *rows,
                          cm_error *error)
{
    return cm_pg_rows_open_by(pg, kind, TABLES[kind].sql, values, rows, error);
}

/* Begin the block with what the last one left: a part of a row at most. */
static void keep_rest(cm_pg_rows *rows)
{
    size_t rest = rows->block.size - rows->at;
    if (rest > 0)
        memmove(rows->block.data, rows->block.data + rows->at, rest);
    rows->block.size = rest;
    rows->at = 0;
}

cm_status cm_pg_rows_fetch(cm_pg_rows *rows, bool *more, cm_error *error)
{
    size_t got = 0;
    keep_rest(rows);
    if (!cm_buffer_reserve(&rows->block, BLOCK_BYTES))
        return cm_error_memory(error, "rows of a table", rows->block.size + BLOCK_BYTES);
    cm_status status = cm_pg_copy_out_read(&rows->out, rows->block.data + rows->block.size,
                                           BLOCK_BYTES, &got, error);
    rows->block.size += got;
    *more = got > 0;
    if (status != CM_OK || got > 0)
        return status;
    return cm_pgcopy_reader_finish(&rows->reader, error);
}

cm_status cm_pg_rows_next(cm_pg_rows *rows, cm_pg_row *row, bool *found, cm_error *error)
{
    const struct table *table = &TABLES[rows->kind];
    cm_value decoded[CM_FIELD_COUNT_MAX + 1];
    cm_pgcopy_step step;
    size_t used;
    *found = false;
    cm_status status =
        cm_pgcopy_read(&rows->reader, rows->block.data + rows->at, rows->block.size - rows->at,
                       &used, &step, decoded, &row->stored, error);
    rows->at += used;
    if (status != CM_OK || step != CM_PGCOPY_ROW)
        return status;
    CM_CHECK(decoded[0].kind == CM_VALUE_TEXT); /* a primary key */
    row->id = decoded[0].text.data;
    memset(row->values, 0, sizeof row->values);
    for (size_t i = 1; i < table->columns.type_count; i++)
        row->values[table->fields[i]] = decoded[i];
    *found = true;
    return CM_OK;
}

void cm_pg_rows_close(cm_pg_rows *rows)
{
    cm_pg_copy_out_close(&rows->out);
    cm_buffer_destroy(&rows->block);
}

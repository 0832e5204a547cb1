#include "pg/pg_dead.h"

#include "pg/pg_period.h"
#include "pg/pg_rows.h"
#include "sql.h"
#include "util/grow.h"

#define CHUNK_ROWS ((size_t)1000)

void cm_pg_uuid_text(const void *uuid, char text[2 * CM_UUID_BYTES + 1])
{
    static const char HEX[] = "0123456789abcdef";
    const uint8_t *bytes = uuid;
    for (size_t i = 0; i < CM_UUID_BYTES; i++) {
        text[2 * i] = HEX[bytes[i] >> 4];
        text[2 * i + 1] = HEX[bytes[i] & 15];
    }
    text[2 * CM_UUID_BYTES] = '\0';
}

cm_status cm_pg_dead_rows_add(cm_pg_dead_rows *dead, const cm_pg_dead_row *row, cm_error *error)
{
    cm_pg_dead_row *rows =
        cm_grow(dead->rows, &dead->capacity, dead->count + 1, sizeof *dead->rows);
    if (rows == NULL)
        return cm_error_memory(error, "rejected rows", dead->count * sizeof *rows);
    dead->rows = rows;
    dead->rows[dead->count++] = *row;
    return CM_OK;
}

static void add_message(cm_buffer *array, cm_buffer *message, const cm_pg_dead_row *row)
{
    message->size = 0;
    cm_buffer_append_text(message, row->field == NULL ? "row" : row->field);
    cm_buffer_append_text(message, ": ");
    cm_buffer_append_text(message, row->reason);
    cm_pg_array_add(array, message->data, message->size);
}

/* The rows of one kind among a chunk. */
static cm_status write_chunk(cm_pg *pg, cm_row_kind kind, const cm_pg_dead_row *rows, size_t count,
                             cm_error *error)
{
    cm_buffer ids = {0}, messages = {0}, message = {0};
    char id[2 * CM_UUID_BYTES + 1];
    cm_status status = CM_OK;
    for (size_t i = 0; i < count; i++)
        if (rows[i].kind == kind) {
            cm_pg_uuid_text(rows[i].id, id);
            cm_pg_array_add(&ids, id, sizeof id - 1);
            add_message(&messages, &message, &rows[i]);
        }
    cm_pg_array_end(&ids);
    cm_pg_array_end(&messages);
    const cm_pg_value values[] = {{"ids", ids.data},
                                  {"messages", messages.data},
                                  {"event_type", kind == CM_ROW_CLICK ? "click" : "conversion"},
                                  {"table", cm_pg_table_name(kind)},
                                  {NULL, NULL}};
    if (ids.failed || messages.failed || message.failed)
        status = cm_error_memory(error, "rejected rows", ids.size + messages.size);
    else
        status =
            cm_pg_run(pg, "record rejected rows", cm_sql_queries_reject_rows, values, NULL, error);
    cm_buffer_destroy(&ids);
    cm_buffer_destroy(&messages);
    cm_buffer_destroy(&message);
    return status;
}

cm_status cm_pg_dead_rows_write(cm_pg *pg, const cm_pg_dead_rows *dead, cm_error *error)
{
    cm_status status = CM_OK;
    for (size_t at = 0; at < dead->count && status == CM_OK; at += CHUNK_ROWS) {
        size_t count = dead->count - at < CHUNK_ROWS ? dead->count - at : CHUNK_ROWS;
        status = write_chunk(pg, CM_ROW_CLICK, dead->rows + at, count, error);
        if (status == CM_OK)
            status = write_chunk(pg, CM_ROW_CONVERSION, dead->rows + at, count, error);
    }
    return status;
}

void cm_pg_dead_rows_destroy(cm_pg_dead_rows *dead)
{
    free(dead->rows);
    *dead = (cm_pg_dead_rows){0};
}

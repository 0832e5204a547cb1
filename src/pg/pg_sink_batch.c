#include "pg/pg_sink_batch.h"

#include "io/pgcopy_writer.h"
#include "util/check.h"
#include "util/error.h"
#include "util/grow.h"

#define DEAD_COLUMNS 6

size_t cm_pg_sink_batch_bytes(const cm_pg_sink_batch *batch)
{
    size_t bytes = batch->texts.size;
    for (size_t i = 0; i < CM_PG_SINK_KIND_COUNT; i++)
        bytes += batch->encoded[i].size;
    return bytes;
}

bool cm_pg_sink_batch_is_empty(const cm_pg_sink_batch *batch)
{
    return batch->count == 0 && !batch->has_position;
}

void cm_pg_sink_batch_clear(cm_pg_sink_batch *batch)
{
    for (size_t i = 0; i < CM_PG_SINK_KIND_COUNT; i++)
        batch->encoded[i].size = 0;
    batch->texts.size = 0;
    batch->count = 0;
    batch->has_position = false;
    batch->position = batch->since_ns = 0;
}

void cm_pg_sink_batch_destroy(cm_pg_sink_batch *batch)
{
    for (size_t i = 0; i < CM_PG_SINK_KIND_COUNT; i++)
        cm_buffer_destroy(&batch->encoded[i]);
    cm_buffer_destroy(&batch->texts);
    free(batch->rows);
    *batch = (cm_pg_sink_batch){0};
}

cm_pg_sink_row *cm_pg_sink_batch_begin(cm_pg_sink_batch *batch, cm_pg_sink_kind kind)
{
    cm_pg_sink_row *rows =
        cm_grow(batch->rows, &batch->capacity, batch->count + 1, sizeof *batch->rows);
    if (rows == NULL)
        return NULL;
    batch->rows = rows;
    rows[batch->count] = (cm_pg_sink_row){
        .kind = kind, .at = batch->encoded[kind].size, .text_at = batch->texts.size};
    return &rows[batch->count];
}

void cm_pg_sink_batch_keep(cm_pg_sink_batch *batch, cm_pg_sink_row *row, cm_slice tenant_id,
                           const cm_pg_sink_origin *origin)
{
    row->tenant_size = tenant_id.size;
    row->position_size = origin->position.size;
    row->line_size = origin->line.size;
    cm_buffer_append_slice(&batch->texts, tenant_id);
    cm_buffer_append_slice(&batch->texts, origin->position);
    cm_buffer_append_slice(&batch->texts, origin->line);
}

void cm_pg_sink_batch_undo(cm_pg_sink_batch *batch, cm_pg_sink_row *row)
{
    batch->encoded[row->kind].size = row->at;
    batch->encoded[row->kind].failed = false;
    batch->texts.size = row->text_at;
    batch->texts.failed = false;
}

cm_status cm_pg_sink_batch_end(cm_pg_sink_batch *batch, cm_pg_sink_row *row, cm_error *error)
{
    const cm_buffer *encoded = &batch->encoded[row->kind];
    if (encoded->failed || batch->texts.failed) {
        cm_pg_sink_batch_undo(batch, row);
        return cm_error_memory(error, "a batch for the database", cm_pg_sink_batch_bytes(batch));
    }
    row->size = encoded->size - row->at;
    batch->count++;
    return CM_OK;
}

void cm_pg_sink_put_dead(cm_buffer *rows, const cm_pg_sink_dead_row *dead)
{
    cm_pgcopy_put_row(rows, DEAD_COLUMNS);
    if (cm_slice_is_missing(dead->tenant_id))
        cm_pgcopy_put_null(rows);
    else
        cm_pgcopy_put_text(rows, dead->tenant_id);
    cm_pgcopy_put_text(rows, cm_slice_of_text(dead->event_type));
    cm_pgcopy_put_text(rows, cm_slice_of_text(dead->error_type));
    cm_pgcopy_put_text(rows, dead->message);
    cm_pgcopy_put_text(rows, dead->position);
    cm_pgcopy_put_bytes(rows, dead->line);
}

void cm_pg_sink_bury(const cm_pg_sink_batch *batch, const cm_pg_sink_row *row,
                     const char *error_type, const char *message, cm_buffer *rows)
{
    const char *texts = batch->texts.data + row->text_at;
    CM_CHECK(row->kind != CM_PG_SINK_DEAD);
    cm_pg_sink_dead_row dead = {
        .tenant_id = cm_slice_of(texts, row->tenant_size),
        .position = cm_slice_of(texts + row->tenant_size, row->position_size),
        .line = cm_slice_of(texts + row->tenant_size + row->position_size, row->line_size),
        .event_type = row->kind == CM_PG_SINK_CLICK ? "click" : "conversion",
        .error_type = error_type,
        .message = cm_slice_of_text(message),
    };
    cm_pg_sink_put_dead(rows, &dead);
}

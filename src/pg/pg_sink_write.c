#include "pg/pg_sink_write.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/pgcopy_writer.h"
#include "pg/pg_copy.h"
#include "sql.h"
#include "util/error.h"

#define WRITING "write events"

/* One picture of the data for all statements, so that none of a batch's rows falls between two of
 * them. What others change meanwhile is a serialization failure, and the batch comes again. */
#define BEGIN_SQL "BEGIN ISOLATION LEVEL REPEATABLE READ"

/* A transaction under way. */
typedef struct writing {
    cm_pg *pg;
    const cm_pg_sink_part *part;
    cm_pg_sink_written *written;
    const cm_pg_sink_refusals *refusals;
    cm_error *error;
} writing;

/* --- COPY ------------------------------------------------------------------------------------- */

/* The bytes of the part's rows of a kind: they follow one another. */
static cm_slice rows_of(const cm_pg_sink_part *part, cm_pg_sink_kind kind, size_t *count)
{
    const cm_pg_sink_batch *batch = part->batch;
    size_t start = 0, end = 0;
    *count = 0;
    if (part->buried != NULL)
        return cm_slice_of(NULL, 0);
    for (size_t i = part->from; i < part->to; i++) {
        const cm_pg_sink_row *row = &batch->rows[i];
        if (row->kind != kind)
            continue;
        if ((*count)++ == 0)
            start = row->at;
        end = row->at + row->size;
    }
    return *count == 0 ? cm_slice_of(NULL, 0)
                       : cm_slice_of(batch->encoded[kind].data + start, end - start);
}

static cm_status copy_piece(writing *w, cm_slice bytes)
{
    return cm_pg_copy_in_write(w->pg, WRITING, bytes.data, bytes.size, w->error);
}

/* All rows of one COPY: the batch's, and more. */
static cm_status copy(writing *w, const char *sql, cm_slice rows, cm_slice more)
{
    cm_buffer frame = {0};
    size_t header;
    cm_pgcopy_put_header(&frame);
    header = frame.size;
    cm_pgcopy_put_trailer(&frame);
    if (frame.failed)
        return cm_error_memory(w->error, "a header", header);
    cm_status status = cm_pg_copy_in_open(w->pg, WRITING, sql, NULL, w->error);
    if (status == CM_OK)
        status = copy_piece(w, cm_slice_of(frame.data, header));
    if (status == CM_OK)
        status = copy_piece(w, rows);
    if (status == CM_OK)
        status = copy_piece(w, more);
    if (status == CM_OK)
        status = copy_piece(w, cm_slice_of(frame.data + header, frame.size - header));
    if (status == CM_OK)
        status = cm_pg_copy_in_close(w->pg, WRITING, w->error);
    cm_buffer_destroy(&frame);
    return status;
}

/* --- Statements ------------------------------------------------------------------------------- */

/* Run one that says how many rows it has written. */
static cm_status run(writing *w, const char *sql, const cm_pg_value *values, uint64_t *rows)
{
    cm_pg_answer answer = {NULL};
    cm_status status = cm_pg_run(w->pg, WRITING, sql, values, &answer, w->error);
    if (status == CM_OK && rows != NULL)
        *rows = cm_pg_answer_affected(&answer);
    cm_pg_answer_free(&answer);
    return status;
}

/* Tell what a query names: a row's place, error type and message each. */
static cm_status tell_refused(writing *w, const char *sql)
{
    cm_pg_answer answer = {NULL};
    cm_status status = cm_pg_run(w->pg, WRITING, sql, NULL, &answer, w->error);
    size_t count = status == CM_OK ? cm_pg_answer_rows(&answer) : 0;
    for (size_t i = 0; i < count; i++)
        w->refusals->take(w->refusals->context, strtoul(cm_pg_answer_text(&answer, i, 0), NULL, 10),
                          cm_pg_answer_text(&answer, i, 1), cm_pg_answer_text(&answer, i, 2));
    w->written->dead += count;
    cm_pg_answer_free(&answer);
    return status;
}

static cm_status write_clicks(writing *w)
{
    size_t count;
    uint64_t inserted = 0;
    cm_slice rows = rows_of(w->part, CM_PG_SINK_CLICK, &count);
    if (count == 0)
        return CM_OK;
    cm_status status = copy(w, cm_sql_queries_sink_clicks_copy, rows, cm_slice_of(NULL, 0));
    if (status == CM_OK)
        status = run(w, cm_sql_queries_sink_clicks_insert, NULL, &inserted);
    w->written->clicks_inserted += inserted;
    if (status == CM_OK && inserted < count)
        status = tell_refused(w, cm_sql_queries_sink_clicks_refused);
    return status;
}

static cm_status write_conversions(writing *w)
{
    size_t count;
    uint64_t inserted = 0, updated = 0;
    cm_slice rows = rows_of(w->part, CM_PG_SINK_CONVERSION, &count);
    if (count == 0)
        return CM_OK;
    cm_status status = copy(w, cm_sql_queries_sink_conversions_copy, rows, cm_slice_of(NULL, 0));
    if (status == CM_OK)
        status = run(w, cm_sql_queries_sink_conversions_insert, NULL, &inserted);
    w->written->conversions_inserted += inserted;
    if (status != CM_OK || inserted == count)
        return status;
    status = run(w, cm_sql_queries_sink_conversions_update, NULL, &updated);
    w->written->conversions_updated += updated;
    return status == CM_OK ? tell_refused(w, cm_sql_queries_sink_conversions_refused) : status;
}

static cm_status write_dead(writing *w, const cm_buffer *refused)
{
    const cm_pg_value values[] = {{"stream", w->part->stream_name}, {NULL, NULL}};
    const cm_buffer *more = w->part->buried != NULL ? w->part->buried : refused;
    size_t count;
    cm_slice rows = rows_of(w->part, CM_PG_SINK_DEAD, &count);
    if (refused->failed)
        return cm_error_memory(w->error, "dead events", refused->size);
    w->written->dead += count + (w->part->buried != NULL);
    if (rows.size + more->size == 0)
        return CM_OK;
    cm_status status =
        copy(w, cm_sql_queries_sink_dead_copy, rows, cm_slice_of(more->data, more->size));
    return status == CM_OK ? run(w, cm_sql_queries_sink_dead_insert, values, NULL) : status;
}

static cm_status write_position(writing *w)
{
    char position[24];
    const cm_pg_value values[] = {
        {"stream", w->part->stream_name}, {"position", position}, {NULL, NULL}};
    if (!w->part->with_position || !w->part->batch->has_position)
        return CM_OK;
    (void)snprintf(position, sizeof position, "%" PRIu64, w->part->batch->position);
    return run(w, cm_sql_queries_sink_position, values, NULL);
}

static cm_status write_rows(writing *w)
{
    cm_status status = write_clicks(w);
    return status == CM_OK ? write_conversions(w) : status;
}

cm_status cm_pg_sink_write_rows(cm_pg *pg, const cm_pg_sink_part *part,
                                const cm_pg_sink_refusals *refusals, cm_pg_sink_written *written,
                                cm_error *error)
{
    writing w = {.pg = pg, .part = part, .written = written, .refusals = refusals, .error = error};
    return write_rows(&w);
}

/* Rows of sink_dead: those that the tables turned out not to take. */
typedef struct burial {
    const cm_pg_sink_batch *batch;
    cm_buffer rows;
} burial;

static void bury(void *context, size_t row, const char *error_type, const char *message)
{
    burial *all = context;
    cm_pg_sink_bury(all->batch, &all->batch->rows[row], error_type, message, &all->rows);
}

cm_status cm_pg_sink_write(cm_pg *pg, const cm_pg_sink_part *part, cm_pg_sink_written *written,
                           cm_error *error)
{
    burial refused = {.batch = part->batch};
    const cm_pg_sink_refusals refusals = {bury, &refused};
    writing w = {.pg = pg, .part = part, .written = written, .refusals = &refusals, .error = error};
    *written = (cm_pg_sink_written){0};
    cm_status status = cm_pg_run(pg, WRITING, BEGIN_SQL, NULL, NULL, error);
    if (status == CM_OK)
        status = write_rows(&w);
    if (status == CM_OK)
        status = write_dead(&w, &refused.rows);
    if (status == CM_OK)
        status = write_position(&w);
    if (status == CM_OK)
        status = cm_pg_run(pg, "commit events", "COMMIT", NULL, NULL, error);
    cm_buffer_destroy(&refused.rows);
    return status;
}

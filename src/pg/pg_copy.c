#include "pg/pg_copy.h"

#include <string.h>

#include "pg/pg_wait.h"

#define PIECE_BYTES ((size_t)64 << 10)

/* Run a COPY statement and see that data may flow. */
static cm_status start(cm_pg *pg, const char *doing, const char *sql, const cm_pg_value *values,
                       cm_error *error)
{
    cm_pg_answer answer = {NULL};
    cm_status status = cm_pg_run(pg, doing, sql, values, &answer, error);
    cm_pg_answer_free(&answer);
    return status;
}

/* The results after the data: an error, or the end. */
static cm_status finish(cm_pg *pg, const char *doing, cm_error *error)
{
    PGresult *result;
    cm_status status, outcome = CM_OK;
    while ((status = cm_pg_next_result(pg, doing, &result, error)) == CM_OK && result != NULL) {
        if (PQresultStatus(result) == PGRES_FATAL_ERROR && outcome == CM_OK)
            outcome = cm_pg_fail(pg, doing, result, error);
        PQclear(result);
    }
    return outcome != CM_OK ? outcome : status;
}

cm_status cm_pg_copy_out_open(cm_pg *pg, const char *doing, const char *sql,
                              const cm_pg_value *values, cm_pg_copy_out *out, cm_error *error)
{
    *out = (cm_pg_copy_out){.pg = pg, .doing = doing};
    cm_status status = start(pg, doing, sql, values, error);
    if (status != CM_OK)
        out->pg = NULL;
    return status;
}

/* The next piece that the server sent: a row, usually. */
static cm_status next_message(cm_pg_copy_out *out, cm_error *error)
{
    cm_status status = CM_OK;
    int size;
    PQfreemem(out->message);
    out->message = NULL;
    out->message_size = out->message_at = 0;
    if (cm_pg_is_interrupted(out->pg))
        return cm_error_set(error, CM_ERROR_INTERRUPTED, "interrupted");
    while ((size = PQgetCopyData(out->pg->connection, &out->message, 1)) == 0) {
        status = cm_pg_read_more(out->pg, out->doing, error);
        if (status != CM_OK)
            return status;
    }
    if (size == -2)
        return cm_pg_lost(out->pg, out->doing, error);
    out->ended = size == -1;
    out->message_size = size > 0 ? (size_t)size : 0;
    return out->ended ? finish(out->pg, out->doing, error) : CM_OK;
}

cm_status cm_pg_copy_out_read(void *context, char *buffer, size_t size, size_t *got,
                              cm_error *error)
{
    cm_pg_copy_out *out = context;
    *got = 0;
    while (*got < size && !out->ended) {
        if (out->message_at == out->message_size) {
            cm_status status = next_message(out, error);
            if (status != CM_OK)
                return status;
        }
        size_t left = out->message_size - out->message_at;
        size_t taken = left < size - *got ? left : size - *got;
        if (taken > 0)
            memcpy(buffer + *got, out->message + out->message_at, taken);
        out->message_at += taken;
        *got += taken;
    }
    return CM_OK;
}

void cm_pg_copy_out_close(cm_pg_copy_out *out)
{
    PQfreemem(out->message);
    if (out->pg != NULL && !out->ended)
        cm_pg_cancel(out->pg);
    *out = (cm_pg_copy_out){0};
}

cm_status cm_pg_copy_in_open(cm_pg *pg, const char *doing, const char *sql,
                             const cm_pg_value *values, cm_error *error)
{
    return start(pg, doing, sql, values, error);
}

cm_status cm_pg_copy_in_write(cm_pg *pg, const char *doing, const char *bytes, size_t size,
                              cm_error *error)
{
    while (size > 0) {
        size_t piece = size < PIECE_BYTES ? size : PIECE_BYTES;
        if (PQputCopyData(pg->connection, bytes, (int)piece) != 1)
            return cm_pg_lost(pg, doing, error);
        cm_status status = cm_pg_flush(pg, doing, error);
        if (status != CM_OK)
            return status;
        bytes += piece;
        size -= piece;
    }
    return CM_OK;
}

cm_status cm_pg_copy_in_close(cm_pg *pg, const char *doing, cm_error *error)
{
    if (PQputCopyEnd(pg->connection, NULL) != 1)
        return cm_pg_lost(pg, doing, error);
    cm_status status = cm_pg_flush(pg, doing, error);
    return status == CM_OK ? finish(pg, doing, error) : status;
}

void cm_pg_copy_in_abort(cm_pg *pg)
{
    if (PQputCopyEnd(pg->connection, "given up") == 1)
        cm_pg_drain(pg);
}

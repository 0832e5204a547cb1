/* Statements: their texts filled in, sent, waited for. */
#include <stdlib.h>
#include <string.h>

#include "pg/pg_wait.h"
#include "util/buffer.h"
#include "util/check.h"
#include "util/error.h"
#include "util/slice.h"
#include "util/text.h"

static bool is_name_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || byte == '_';
}

static const char *value_of(const cm_pg_value *values, const char *name, size_t size)
{
    for (; values->name != NULL; values++)
        if (strlen(values->name) == size && memcmp(values->name, name, size) == 0)
            return values->text;
    return NULL;
}

/* The place that begins at a colon: the size of its name, or 0 where there is none. */
static size_t place_at(const char *colon)
{
    size_t size = 0;
    if (colon[1] != '\'' && colon[1] != '"')
        return 0;
    while (is_name_byte(colon[2 + size]))
        size++;
    return colon[2 + size] == colon[1] ? size : 0;
}

static bool append_quoted(cm_pg *pg, cm_buffer *text, char quote, const char *value)
{
    size_t size = strlen(value);
    char *quoted = quote == '"' ? PQescapeIdentifier(pg->connection, value, size)
                                : PQescapeLiteral(pg->connection, value, size);
    if (quoted == NULL)
        return false;
    cm_buffer_append_text(text, quoted);
    PQfreemem(quoted);
    return true;
}

static cm_status not_quoted(const cm_pg *pg, const char *value, cm_error *error)
{
    size_t characters;
    if (cm_utf8_count(cm_slice_of_text(value), &characters))
        return cm_pg_lost(pg, "quote a value", error);
    return cm_error_set(error, CM_ERROR_USAGE,
                        "a value for PostgreSQL is not valid UTF-8; give options in UTF-8");
}

/* The SQL text with its places filled in, NUL-terminated. */
static cm_status fill_in(cm_pg *pg, const char *sql, const cm_pg_value *values, cm_buffer *text,
                         cm_error *error)
{
    const char *colon;
    while ((colon = strchr(sql, ':')) != NULL) {
        size_t size = place_at(colon);
        cm_buffer_append(text, sql, (size_t)(colon - sql) + (size == 0));
        sql = colon + 1;
        if (size == 0)
            continue;
        const char *value = value_of(values, colon + 2, size);
        CM_CHECK(value != NULL);
        if (!append_quoted(pg, text, colon[1], value))
            return not_quoted(pg, value, error);
        sql = colon + size + 3;
    }
    cm_buffer_append(text, sql, strlen(sql) + 1);
    return text->failed ? cm_error_memory(error, "an SQL text", text->size) : CM_OK;
}

/* All results of what was sent: the last one is kept, a failed one ends it. */
static cm_status collect(cm_pg *pg, const char *doing, cm_pg_answer *answer, cm_error *error)
{
    PGresult *result;
    cm_status status = CM_OK, outcome = CM_OK;
    while ((status = cm_pg_next_result(pg, doing, &result, error)) == CM_OK && result != NULL) {
        ExecStatusType kind = PQresultStatus(result);
        if (outcome == CM_OK && (kind == PGRES_FATAL_ERROR || kind == PGRES_BAD_RESPONSE))
            outcome = cm_pg_fail(pg, doing, result, error);
        cm_pg_answer_free(answer);
        answer->result = result;
        if (kind == PGRES_COPY_OUT || kind == PGRES_COPY_IN)
            break; /* what follows is data */
    }
    return outcome != CM_OK ? outcome : status;
}

static cm_status send_text(cm_pg *pg, const char *doing, const char *text, cm_error *error)
{
    if (PQsendQuery(pg->connection, text) != 1)
        return cm_pg_lost(pg, doing, error);
    return cm_pg_flush(pg, doing, error);
}

static cm_status run_text(cm_pg *pg, const char *doing, const char *text, cm_pg_answer *answer,
                          cm_error *error)
{
    cm_pg_answer taken = {NULL};
    if (cm_pg_is_interrupted(pg))
        return cm_error_set(error, CM_ERROR_INTERRUPTED, "interrupted");
    cm_status status = send_text(pg, doing, text, error);
    if (status == CM_OK)
        status = collect(pg, doing, &taken, error);
    if (status == CM_ERROR_INTERRUPTED && !pg->is_abrupt)
        cm_pg_cancel(pg);
    if (status == CM_OK && answer != NULL) {
        *answer = taken;
        return CM_OK;
    }
    cm_pg_answer_free(&taken);
    return status;
}

cm_status cm_pg_run(cm_pg *pg, const char *doing, const char *sql, const cm_pg_value *values,
                    cm_pg_answer *answer, cm_error *error)
{
    pg->sqlstate[0] = '\0';
    if (values == NULL)
        return run_text(pg, doing, sql, answer, error);
    cm_buffer text = {0};
    cm_status status = fill_in(pg, sql, values, &text, error);
    if (status == CM_OK)
        status = run_text(pg, doing, text.data, answer, error);
    cm_buffer_destroy(&text);
    return status;
}

void cm_pg_answer_free(cm_pg_answer *answer)
{
    PQclear(answer->result);
    answer->result = NULL;
}

size_t cm_pg_answer_rows(const cm_pg_answer *answer)
{
    return (size_t)PQntuples(answer->result);
}

uint64_t cm_pg_answer_affected(const cm_pg_answer *answer)
{
    return strtoull(PQcmdTuples(answer->result), NULL, 10);
}

const char *cm_pg_answer_text(const cm_pg_answer *answer, size_t row, size_t column)
{
    bool is_null = PQgetisnull(answer->result, (int)row, (int)column) == 1;
    return is_null ? NULL : PQgetvalue(answer->result, (int)row, (int)column);
}

void cm_pg_rollback(cm_pg *pg)
{
    const atomic_bool *interrupt = pg->interrupt;
    pg->interrupt = NULL;
    if (pg->connection != NULL && PQtransactionStatus(pg->connection) != PQTRANS_IDLE &&
        PQstatus(pg->connection) == CONNECTION_OK)
        (void)cm_pg_run(pg, "undo the transaction", "ROLLBACK", NULL, NULL, NULL);
    pg->interrupt = interrupt;
}

#include "pg/pg_retry.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/rows.h"
#include "pg/pg_sink_fault.h"
#include "sql.h"
#include "util/error.h"

#define TAKING "take dead events"
#define SETTLING "settle dead events"

#define PAUSE "2 seconds"    /* after a failure, doubled by each */
#define BYTES_MAX "16777216" /* of payloads in a transaction, but for the last one */
#define TEXT_OF(number) #number
#define DIGITS_OF(number) TEXT_OF(number)

/* ---- which ---- */

static bool is_uuid(const char *text)
{
    size_t i = 0;
    for (; i < 36 && text[i] != '\0'; i++) {
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (is_dash ? text[i] != '-' : strchr("0123456789abcdefABCDEF", text[i]) == NULL)
            return false;
    }
    return i == 36 && text[i] == '\0';
}

static void put_array(cm_buffer *array, const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cm_pg_array_add(array, texts[i], strlen(texts[i]));
    cm_pg_array_end(array);
}

cm_status cm_pg_retry_values_make(const cm_pg_retry_filter *filter, cm_pg_retry_values *values,
                                  cm_error *error)
{
    *values = (cm_pg_retry_values){.names_ids = filter->id_count > 0};
    for (size_t i = 0; i < filter->id_count; i++)
        if (!is_uuid(filter->ids[i]))
            return cm_error_set(error, CM_ERROR_USAGE,
                                "'%.100s' is no id of a dead event; give a UUID as in "
                                "dead_events.id",
                                filter->ids[i]);
    put_array(&values->ids, filter->ids, filter->id_count);
    put_array(&values->tenants, filter->tenants, filter->tenant_count);
    put_array(&values->error_types, filter->error_types, filter->error_type_count);
    if (values->ids.failed || values->tenants.failed || values->error_types.failed)
        return cm_error_memory(error, "the dead events asked for", values->ids.size);
    return CM_OK;
}

void cm_pg_retry_values_destroy(cm_pg_retry_values *values)
{
    cm_buffer_destroy(&values->ids);
    cm_buffer_destroy(&values->tenants);
    cm_buffer_destroy(&values->error_types);
}

/* ---- taking ---- */

static cm_status run_in(cm_pg *pg, const char *sql, const char *schema, cm_pg_answer *answer,
                        cm_error *error)
{
    const cm_pg_value values[] = {{"schema", schema == NULL ? "public" : schema}, {NULL, NULL}};
    return cm_pg_run(pg, "wait for other retries", sql, values, answer, error);
}

cm_status cm_pg_retry_clicks_begin(cm_pg *pg, const char *schema, char as_of[CM_PG_TIME_BYTES],
                                   cm_error *error)
{
    cm_pg_answer answer = {NULL};
    cm_status status = run_in(pg, cm_sql_queries_retry_clicks_begin, schema, &answer, error);
    if (status == CM_OK)
        (void)snprintf(as_of, CM_PG_TIME_BYTES, "%s", cm_pg_answer_text(&answer, 0, 0));
    cm_pg_answer_free(&answer);
    return status;
}

cm_status cm_pg_retry_clicks_end(cm_pg *pg, const char *schema, cm_error *error)
{
    return run_in(pg, cm_sql_queries_retry_clicks_end, schema, NULL, error);
}

cm_status cm_pg_retry_begin(cm_pg *pg, cm_error *error)
{
    /* A constraint that waits for the commit would fail all of it. */
    return cm_pg_run(pg, TAKING,
                     "BEGIN ISOLATION LEVEL REPEATABLE READ; SET CONSTRAINTS ALL IMMEDIATE", NULL,
                     NULL, error);
}

cm_status cm_pg_retry_take(cm_pg *pg, const cm_pg_retry_values *values,
                           const cm_pg_retry_place *place, cm_pg_answer *taken, cm_error *error)
{
    char turn[16], line_bytes[16];
    bool is_first = place->after_id[0] == '\0';
    const cm_pg_value given[] = {
        {"turn", turn},
        {"as_of", place->as_of},
        {"after", is_first ? "-infinity" : place->after},
        {"after_id", is_first ? "00000000-0000-0000-0000-000000000000" : place->after_id},
        {"statuses", values->names_ids ? "{pending,ignored}" : "{pending}"},
        {"ids", values->ids.data},
        {"tenants", values->tenants.data},
        {"error_types", values->error_types.data},
        {"retries", DIGITS_OF(CM_PG_RETRY_TIMES)},
        {"pause", PAUSE},
        {"limit", DIGITS_OF(CM_PG_RETRY_EVENTS_MAX)},
        {"bytes", BYTES_MAX},
        {"line_bytes", line_bytes},
        {NULL, NULL}};
    (void)snprintf(turn, sizeof turn, "%d", place->turn);
    (void)snprintf(line_bytes, sizeof line_bytes, "%zu", CM_ROW_BYTES_MAX);
    return cm_pg_run(pg, TAKING, cm_sql_queries_retry_take, given, taken, error);
}

char *cm_pg_retry_line(const cm_pg_answer *taken, size_t row, size_t *size)
{
    const char *text = cm_pg_answer_text(taken, row, CM_PG_RETRY_LINE);
    unsigned char *bytes = PQunescapeBytea((const unsigned char *)text, size);
    char *line = bytes == NULL ? NULL : malloc(*size + 1);
    if (line != NULL && *size > 0)
        memcpy(line, bytes, *size);
    PQfreemem(bytes);
    return line;
}

cm_status cm_pg_retry_rows(cm_pg *pg, cm_row_kind kind, const char *ids, const char *conversions,
                           cm_pg_rows *rows, cm_error *error)
{
    const cm_pg_value values[] = {{"ids", ids}, {"conversions", conversions}, {NULL, NULL}};
    const char *sql =
        kind == CM_ROW_CLICK ? cm_sql_queries_retry_clicks : cm_sql_queries_retry_conversions;
    return cm_pg_rows_open_by(pg, kind, sql, values, rows, error);
}

/* ---- writing ---- */

static cm_status run(cm_pg *pg, const char *sql, cm_error *error)
{
    return cm_pg_run(pg, "write events", sql, NULL, NULL, error);
}

static cm_status try_part(cm_pg *pg, const cm_pg_sink_part *part,
                          const cm_pg_sink_refusals *refusals, cm_error *error)
{
    cm_pg_sink_written written = {0};
    cm_status status = run(pg, "SAVEPOINT part", error);
    if (status == CM_OK)
        status = run(pg, cm_sql_queries_retry_clear, error);
    if (status == CM_OK)
        status = cm_pg_sink_write_rows(pg, part, refusals, &written, error);
    return status == CM_OK ? run(pg, "RELEASE SAVEPOINT part", error) : status;
}

static cm_status write_part(cm_pg *pg, const cm_pg_sink_part *part, const cm_pg_retry_watch *watch,
                            cm_error *error)
{
    cm_error cause = {0};
    cm_pg_sink_part half = *part;
    if (part->from == part->to)
        return CM_OK;
    cm_status status = try_part(pg, part, &watch->refusals, &cause);
    if (status == CM_OK)
        return CM_OK;
    if (status != CM_ERROR_DATABASE ||
        cm_pg_sink_fault_class_of(pg->sqlstate) != CM_PG_SINK_FAULT_ROW)
        return cm_error_set(error, status, "%s", cause.message);
    /* Released, too: the halves' savepoints would be inside of it, each with a lock. */
    status = run(pg, "ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part", error);
    watch->undone(watch->context, part->from, part->to);
    if (status == CM_OK && part->to - part->from == 1) {
        watch->refusals.take(watch->refusals.context, part->from, "refused", cause.message);
        return CM_OK;
    }
    half.to = part->from + (part->to - part->from) / 2;
    if (status == CM_OK)
        status = write_part(pg, &half, watch, error);
    half.from = half.to;
    half.to = part->to;
    return status == CM_OK ? write_part(pg, &half, watch, error) : status;
}

cm_status cm_pg_retry_write(cm_pg *pg, const cm_pg_sink_batch *batch,
                            const cm_pg_retry_watch *watch, cm_error *error)
{
    const cm_pg_sink_part all = {.batch = batch, .to = batch->count};
    return write_part(pg, &all, watch, error);
}

/* ---- settling ---- */

cm_status cm_pg_retry_settle(cm_pg *pg, const cm_pg_retry_outcome *outcomes, size_t count,
                             cm_error *error)
{
    cm_buffer arrays[4] = {{0}};
    bool failed = false;
    for (size_t i = 0; i < count; i++) {
        const cm_pg_retry_outcome *of = &outcomes[i];
        const char *error_type = of->error_type == NULL ? "" : of->error_type;
        cm_pg_array_add(&arrays[0], of->id, strlen(of->id));
        cm_pg_array_add(&arrays[1], of->outcome, strlen(of->outcome));
        cm_pg_array_add(&arrays[2], error_type, strlen(error_type));
        cm_pg_array_add(&arrays[3], of->message.data, of->message.size);
    }
    for (size_t i = 0; i < 4; i++) {
        cm_pg_array_end(&arrays[i]);
        failed |= arrays[i].failed;
    }
    const cm_pg_value values[] = {{"ids", arrays[0].data},
                                  {"outcomes", arrays[1].data},
                                  {"error_types", arrays[2].data},
                                  {"messages", arrays[3].data},
                                  {NULL, NULL}};
    cm_status status =
        failed ? cm_error_memory(error, "outcomes", count * sizeof *outcomes)
               : cm_pg_run(pg, SETTLING, cm_sql_queries_retry_settle, values, NULL, error);
    for (size_t i = 0; i < 4; i++)
        cm_buffer_destroy(&arrays[i]);
    return status;
}

cm_status cm_pg_retry_end(cm_pg *pg, bool dry_run, cm_error *error)
{
    const atomic_bool *interrupt = pg->interrupt;
    pg->interrupt = NULL; /* whether it went through must be known */
    cm_status status = cm_pg_run(pg, SETTLING, dry_run ? "ROLLBACK" : "COMMIT", NULL, NULL, error);
    pg->interrupt = interrupt;
    return status;
}

bool cm_pg_retry_may_pass(const cm_pg *pg)
{
    return cm_pg_sink_fault_class_of(pg->sqlstate) == CM_PG_SINK_FAULT_AGAIN;
}

cm_status cm_pg_retry_ignore(cm_pg *pg, const cm_pg_retry_values *values, const char *notes,
                             uint64_t *count, cm_error *error)
{
    const cm_pg_value given[] = {{"ids", values->ids.data},
                                 {"tenants", values->tenants.data},
                                 {"error_types", values->error_types.data},
                                 {"notes", notes == NULL ? "" : notes},
                                 {NULL, NULL}};
    cm_pg_answer answer = {NULL};
    cm_status status = cm_pg_run(pg, SETTLING, cm_sql_queries_retry_ignore, given, &answer, error);
    if (status == CM_OK)
        *count = cm_pg_answer_affected(&answer);
    cm_pg_answer_free(&answer);
    return status;
}

cm_status cm_pg_retry_counts(cm_pg *pg, const cm_pg_retry_values *values, cm_pg_answer *counts,
                             cm_error *error)
{
    const cm_pg_value given[] = {{"ids", values->ids.data},
                                 {"tenants", values->tenants.data},
                                 {"error_types", values->error_types.data},
                                 {"retries", DIGITS_OF(CM_PG_RETRY_TIMES)},
                                 {"pause", PAUSE},
                                 {NULL, NULL}};
    return cm_pg_run(pg, "count dead events", cm_sql_queries_retry_counts, given, counts, error);
}

/* Dead events as records: of their payload, as a stream would read it. */
#include <stdio.h>
#include <stdlib.h>

#include "cmd/retry_chunk.h"
#include "io/event_reader.h"
#include "model/build.h"
#include "util/error.h"

#define MALFORMED "malformed"

void cm_retry_end_event(cm_retry_event *event, cm_retry_outcome outcome, const char *error_type,
                        cm_slice message)
{
    event->outcome = outcome;
    event->error_type = error_type;
    event->message = message;
}

cm_status cm_retry_refuse(cm_retry_chunk *chunk, cm_retry_event *event, const char *error_type,
                          const char *field, const char *reason, cm_error *error)
{
    const char *name = field == NULL ? "row" : field;
    size_t size = strlen(name) + strlen(reason) + sizeof ": ";
    char *message = cm_arena_take(&chunk->arena, size);
    if (message == NULL)
        return cm_error_memory(error, "why an event failed", size);
    (void)snprintf(message, size, "%s: %s", name, reason);
    cm_retry_end_event(event, CM_RETRY_FAILED, error_type, cm_slice_of_text(message));
    return CM_OK;
}

static cm_status malformed(cm_retry_chunk *chunk, cm_retry_event *event, const char *field,
                           const char *reason, cm_error *error)
{
    return cm_retry_refuse(chunk, event, MALFORMED, field, reason, error);
}

/* ---- rows of tables ---- */

static int hex_digit(char byte)
{
    const char *at = byte == '\0' ? NULL : strchr("0123456789abcdef", byte);
    return at == NULL ? -1 : (int)(at - "0123456789abcdef");
}

/* A UUID as PostgreSQL writes it. */
static bool read_key(const char *text, char key[CM_UUID_BYTES])
{
    size_t digits = 0;
    for (; *text != '\0'; text++) {
        int digit = hex_digit(*text);
        if (*text == '-')
            continue;
        if (digit < 0 || digits == 2 * CM_UUID_BYTES)
            return false;
        unsigned before = digits % 2 == 0 ? 0 : (unsigned char)key[digits / 2];
        key[digits / 2] = (char)(before << 4 | (unsigned)digit);
        digits++;
    }
    return digits == 2 * CM_UUID_BYTES;
}

static cm_status read_row(cm_retry_chunk *chunk, cm_retry_event *event, const char *type,
                          const char *key, cm_error *error)
{
    event->is_row = true;
    event->kind = strcmp(type, "click") == 0 ? CM_ROW_CLICK : CM_ROW_CONVERSION;
    if (key != NULL && read_key(key, event->key))
        return CM_OK;
    return malformed(chunk, event, NULL, "the payload has no id of a row", error);
}

/* ---- events ---- */

/* Whoever can change the payload may not speak for another tenant. */
static cm_status check_tenant(cm_retry_chunk *chunk, cm_retry_event *event, const char *tenant,
                              cm_error *error)
{
    cm_slice of =
        event->kind == CM_ROW_CLICK ? event->of.click.tenant_id : event->of.conversion.tenant_id;
    if (tenant == NULL || cm_slice_equal(of, cm_slice_of_text(tenant)))
        return CM_OK;
    return cm_retry_refuse(chunk, event, "other_tenant", "tenant_id",
                           "the payload is another tenant's than the dead event", error);
}

static cm_status build(cm_retry_chunk *chunk, cm_retry_event *event, const cm_event *read,
                       const char *tenant, cm_error *error)
{
    const cm_build_options *options = &chunk->config->build;
    const cm_value *values = read->row.values;
    cm_reject why;
    cm_status status;
    event->kind = read->kind;
    if (read->kind == CM_ROW_CLICK) {
        status = cm_click_build(values, options, &chunk->arena, NULL, &event->of.click, &why);
    } else {
        status =
            cm_conversion_build(values, options, &chunk->arena, NULL, &event->of.conversion, &why);
        event->type = values[CM_EVENT_CONVERSION_TYPE];
        event->value = values[CM_EVENT_CONVERSION_VALUE];
    }
    if (status == CM_ERROR_FORMAT)
        return malformed(chunk, event,
                         why.field == CM_FIELD_NONE ? NULL : cm_field_name(read->kind, why.field),
                         why.reason, error);
    if (status != CM_OK)
        return cm_error_memory(error, "an event", sizeof *event);
    return check_tenant(chunk, event, tenant, error);
}

static cm_status read_line(cm_retry_chunk *chunk, cm_retry_event *event,
                           const cm_event_layouts *layouts, cm_slice line, const char *tenant,
                           cm_error *error)
{
    cm_event_reader reader;
    cm_event read, more;
    cm_event_reader_init(&reader, layouts, line.data, line.size, &chunk->arena);
    bool found = cm_event_reader_next(&reader, &read);
    bool is_one = found && !cm_event_reader_next(&reader, &more);
    if (reader.out_of_memory)
        return cm_error_memory(error, "an event", line.size);
    if (!found)
        return malformed(chunk, event, NULL, "the payload is empty", error);
    if (!is_one)
        return malformed(chunk, event, NULL, "the payload is more than one line", error);
    if (read.row.malformed != NULL)
        return malformed(chunk, event, read.field, read.row.malformed, error);
    return build(chunk, event, &read, tenant, error);
}

/* The bytes of the payload, where the chunk keeps them. */
static cm_status take_line(cm_retry_chunk *chunk, const cm_pg_answer *taken, size_t row,
                           cm_slice *line, cm_error *error)
{
    size_t size = 0;
    char *bytes = cm_pg_retry_line(taken, row, &size);
    char *kept = bytes == NULL ? NULL : cm_arena_take(&chunk->arena, size + 1);
    if (kept != NULL && size > 0)
        memcpy(kept, bytes, size);
    free(bytes);
    *line = cm_slice_of(kept, size);
    return kept == NULL ? cm_error_memory(error, "a payload", size) : CM_OK;
}

static cm_status read_event(cm_retry_chunk *chunk, const cm_event_layouts *layouts,
                            const cm_pg_answer *taken, size_t row, cm_error *error)
{
    cm_retry_event *event = &chunk->events[row];
    cm_slice line;
    event->id = cm_pg_answer_text(taken, row, CM_PG_RETRY_ID);
    if (strcmp(cm_pg_answer_text(taken, row, CM_PG_RETRY_SOURCE), "batch") == 0)
        return read_row(chunk, event, cm_pg_answer_text(taken, row, CM_PG_RETRY_EVENT_TYPE),
                        cm_pg_answer_text(taken, row, CM_PG_RETRY_ROW_ID), error);
    if (strcmp(cm_pg_answer_text(taken, row, CM_PG_RETRY_IS_TOO_LONG), "t") == 0)
        return malformed(chunk, event, NULL, cm_row_too_long, error);
    if (cm_pg_answer_text(taken, row, CM_PG_RETRY_LINE) == NULL)
        return malformed(chunk, event, NULL, "the dead event has no payload", error);
    cm_status status = take_line(chunk, taken, row, &line, error);
    if (status != CM_OK)
        return status;
    return read_line(chunk, event, layouts, line, cm_pg_answer_text(taken, row, CM_PG_RETRY_TENANT),
                     error);
}

cm_status cm_retry_read(cm_retry_chunk *chunk, const cm_pg_answer *taken, cm_error *error)
{
    cm_event_layouts layouts;
    cm_status status = CM_OK;
    size_t count = cm_pg_answer_rows(taken);
    chunk->events = calloc(count, sizeof *chunk->events);
    chunk->in_batch = calloc(count, sizeof(cm_retry_event *));
    if (chunk->events == NULL || chunk->in_batch == NULL)
        return cm_error_memory(error, "dead events", count * sizeof *chunk->events);
    chunk->count = count;
    cm_event_layouts_init(&layouts);
    for (size_t i = 0; i < count && status == CM_OK; i++)
        status = read_event(chunk, &layouts, taken, i, error);
    return status;
}

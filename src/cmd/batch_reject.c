/* Rejected rows of a batch run. */
#include <arpa/inet.h>

#include "cmd/batch_state.h"
#include "util/json.h"

static json_t *address_json(const cm_address *address)
{
    char text[INET6_ADDRSTRLEN] = "";
    (void)inet_ntop(address->version == 4 ? AF_INET : AF_INET6, address->bytes, text, sizeof text);
    return json_string(text);
}

static json_t *time_json(int64_t time_us)
{
    char text[CM_PG_TIME_BYTES];
    if (time_us == INT64_MIN || time_us == INT64_MAX)
        return json_string(time_us == INT64_MIN ? "-infinity" : "infinity");
    cm_pg_time_text(time_us, text);
    return json_string(text);
}

static json_t *value_json(const cm_value *value)
{
    switch (value->kind) {
    case CM_VALUE_TEXT:
        return json_stringn(value->text.data, value->text.size);
    case CM_VALUE_BOOLEAN:
        return json_boolean(value->integer != 0);
    case CM_VALUE_INTEGER:
        return json_integer(value->integer);
    case CM_VALUE_TIME:
        return time_json(value->integer);
    case CM_VALUE_ADDRESS:
        return address_json(&value->address);
    default:
        return NULL;
    }
}

/* A row's key as PostgreSQL writes it. */
static json_t *key_json(const char *key)
{
    char digits[2 * CM_UUID_BYTES + 1];
    cm_pg_uuid_text(key, digits);
    return json_sprintf("%.8s-%.4s-%.4s-%.4s-%.12s", digits, digits + 8, digits + 12, digits + 16,
                        digits + 20);
}

/* The row as it would stand in an NDJSON file, and its key. False when memory is short. */
static bool row_text(cm_row_kind kind, const cm_pg_row *row, cm_buffer *text)
{
    json_t *object = cm_json_with(json_object(), "id", key_json(row->id));
    for (size_t field = 0; field < cm_field_count(kind); field++)
        if (row->values[field].kind != CM_VALUE_MISSING)
            object =
                cm_json_with(object, cm_field_name(kind, field), value_json(&row->values[field]));
    bool written = cm_json_write(object, JSON_COMPACT, text);
    json_decref(object);
    return written;
}

static cm_status tell(const cm_batch *batch, cm_row_kind kind, uint64_t number,
                      const cm_pg_row *row, const cm_pg_dead_row *dead, cm_error *error)
{
    const cm_batch_config *config = batch->config;
    if (config->on_reject == NULL)
        return CM_OK;
    cm_buffer text = {0};
    if (!row_text(kind, row, &text)) {
        cm_buffer_destroy(&text);
        return cm_error_memory(error, "a rejected row", sizeof *row);
    }
    const cm_reject_line line = {.source = cm_pg_table_name(kind),
                                 .line = number,
                                 .field = dead->field,
                                 .reason = dead->reason,
                                 .row = {text.data, text.size}};
    cm_status status = config->on_reject(config->context, kind, &line, error);
    cm_buffer_destroy(&text);
    return status;
}

cm_status cm_batch_refuse(cm_batch *batch, cm_row_kind kind, uint64_t number, const cm_pg_row *row,
                          const cm_reject *reject, cm_error *error)
{
    const char *field = reject->field == CM_FIELD_NONE ? NULL : cm_field_name(kind, reject->field);
    cm_pg_dead_row dead = {.kind = kind, .field = field, .reason = reject->reason};
    memcpy(dead.id, row->id, sizeof dead.id);
    cm_batch_counts_of(batch, kind)->rejected++;
    cm_status status = tell(batch, kind, number, row, &dead, error);
    return status == CM_OK ? cm_pg_dead_rows_add(&batch->dead, &dead, error) : status;
}

cm_status cm_batch_table_end(const cm_batch *batch, cm_row_kind kind, cm_error *error)
{
    const cm_batch_config *config = batch->config;
    if (config->on_table_end == NULL)
        return CM_OK;
    return config->on_table_end(config->context, kind, cm_pg_table_name(kind),
                                cm_batch_counts_of(batch, kind), error);
}

#include "pg/pg_sink_row.h"

#include <stdio.h>

#include "io/pgcopy_writer.h"
#include "util/error.h"
#include "util/text.h"

#define CLICK_COLUMNS 22
#define CONVERSION_COLUMNS 32

#define VALUE_DECIMALS 2
#define VALUE_MAX 9999999999LL /* NUMERIC(10,2), times 100 */

#define DEAD_TENANT_CHARACTERS_MAX ((size_t)255) /* dead_events.tenant_id */

#define FAULT_MISSING "missing, and the table demands it"

/* A row being encoded. The first fault stays. */
typedef struct encoding {
    cm_buffer *rows;
    cm_row_kind kind;
    const uint32_t *characters_max;
    const char *field, *fault; /* of the first column that the table cannot hold; else NULL */
} encoding;

const char *cm_pg_sink_column_name(cm_row_kind kind, size_t field)
{
    if (kind == CM_ROW_CONVERSION && field == CM_PG_SINK_CONVERSION_TYPE)
        return "conversion_type";
    return field < cm_field_count(kind) ? cm_field_name(kind, field) : NULL;
}

static void refuse(encoding *e, const char *field, const char *fault)
{
    if (e->fault != NULL)
        return;
    e->field = field;
    e->fault = fault;
}

/* --- Columns ---------------------------------------------------------------------------------- */

/* Is it what PostgreSQL takes for text? Counts its characters. */
static const char *text_fault(cm_slice text, size_t *characters)
{
    *characters = text.size;
    if (cm_text_is_plain(text))
        return NULL;
    if (!cm_utf8_count(text, characters))
        return "not valid UTF-8";
    return memchr(text.data, '\0', text.size) != NULL ? "contains a NUL" : NULL;
}

static void put_text(encoding *e, size_t field, cm_slice text)
{
    size_t characters, most = e->characters_max[field];
    if (text.size == 0) {
        cm_pgcopy_put_null(e->rows);
        return;
    }
    const char *fault = text_fault(text, &characters);
    if (fault == NULL && most > 0 && characters > most)
        fault = "longer than its column";
    if (fault != NULL)
        refuse(e, cm_pg_sink_column_name(e->kind, field), fault);
    else
        cm_pgcopy_put_text(e->rows, text);
}

static void put_required(encoding *e, size_t field, cm_slice text)
{
    if (text.size == 0)
        refuse(e, cm_pg_sink_column_name(e->kind, field), FAULT_MISSING);
    else
        put_text(e, field, text);
}

/* A decimal number without a plus, leading zeros and the like, in 32 bits: what comes back from the
 * table must be the text that went in, as it counts in fingerprints. */
static bool parse_int4(cm_slice text, int32_t *number)
{
    size_t at = text.size > 0 && text.data[0] == '-';
    int64_t value = 0;
    if (at == text.size || text.size - at > 10 ||
        (text.data[at] == '0' && (text.size > 1 || at > 0)))
        return false;
    for (size_t i = at; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        value = value * 10 + (text.data[i] - '0');
    }
    value = at > 0 ? -value : value;
    *number = (int32_t)value;
    return value == *number;
}

static void put_whole(encoding *e, size_t field, cm_slice text)
{
    int32_t number;
    if (text.size == 0)
        cm_pgcopy_put_null(e->rows);
    else if (parse_int4(text, &number))
        cm_pgcopy_put_int4(e->rows, number);
    else
        refuse(e, cm_pg_sink_column_name(e->kind, field),
               "not a whole number that an INTEGER column gives back as it was");
}

static void put_fingerprint(encoding *e, const cm_device *device)
{
    static const char HEX[] = "0123456789abcdef";
    char text[2 * sizeof device->fingerprint];
    if (!device->has_fingerprint) {
        cm_pgcopy_put_null(e->rows);
        return;
    }
    for (size_t i = 0; i < sizeof device->fingerprint; i++) {
        text[2 * i] = HEX[device->fingerprint[i] >> 4];
        text[2 * i + 1] = HEX[device->fingerprint[i] & 15];
    }
    cm_pgcopy_put_text(e->rows, cm_slice_of(text, sizeof text));
}

/* The columns from the fingerprint on, which both tables have in this order. user_agent: its
 * field, which the others' follow. */
static void put_device(encoding *e, size_t user_agent, const cm_device *device)
{
    put_fingerprint(e, device);
    if (device->ip_address.version == 0)
        cm_pgcopy_put_null(e->rows);
    else
        cm_pgcopy_put_inet(e->rows, &device->ip_address);
    put_text(e, user_agent, device->user_agent);
    put_text(e, user_agent + 1, device->device_type);
    put_text(e, user_agent + 2, device->os);
    put_text(e, user_agent + 3, device->browser);
    put_whole(e, user_agent + 4, device->screen_width);
    put_whole(e, user_agent + 5, device->screen_height);
    put_text(e, user_agent + 6, device->timezone);
    put_whole(e, user_agent + 7, device->timezone_offset);
}

_Static_assert(CM_CLICK_TIMEZONE_OFFSET == CM_CLICK_USER_AGENT + 7, "put_device counts on it");
_Static_assert(CM_CONVERSION_TIMEZONE_OFFSET == CM_CONVERSION_USER_AGENT + 7, "and on this");

/* Missing is for the SQL to judge: a conversion that is in the table needs no type. */
static void put_type(encoding *e, const cm_value *type)
{
    if (type->kind == CM_VALUE_MISSING)
        cm_pgcopy_put_null(e->rows);
    else if (type->kind == CM_VALUE_TEXT)
        put_text(e, CM_PG_SINK_CONVERSION_TYPE, type->text);
    else
        refuse(e, "conversion_type", "not text");
}

static void put_value(encoding *e, const cm_value *value)
{
    int64_t scaled;
    bool is_number = value->kind == CM_VALUE_TEXT || value->kind == CM_VALUE_NUMBER;
    if (value->kind == CM_VALUE_MISSING || (is_number && value->text.size == 0))
        cm_pgcopy_put_null(e->rows);
    else if (!is_number)
        refuse(e, "conversion_value", "not a number");
    else if (!cm_decimal_scaled(value->text, VALUE_DECIMALS, &scaled) || scaled > VALUE_MAX ||
             scaled < -VALUE_MAX)
        refuse(e, "conversion_value", "not a number of at most eight digits before the point");
    else
        cm_pgcopy_put_numeric(e->rows, scaled, VALUE_DECIMALS);
}

/* --- Rows ------------------------------------------------------------------------------------- */

static cm_slice position_of(const cm_pg_sink_origin *origin)
{
    cm_slice position = origin->position;
    if (position.size > CM_PG_SINK_NAME_CHARACTERS_MAX)
        position.size = CM_PG_SINK_NAME_CHARACTERS_MAX;
    return position;
}

cm_status cm_pg_sink_put_rejected(cm_pg_sink_batch *batch, const cm_pg_sink_dead *dead,
                                  const cm_pg_sink_origin *origin, cm_error *error)
{
    char message[512];
    size_t characters;
    cm_pg_sink_row *row = cm_pg_sink_batch_begin(batch, CM_PG_SINK_DEAD);
    if (row == NULL)
        return cm_error_memory(error, "a batch for the database", batch->count * sizeof *row);
    (void)snprintf(message, sizeof message, "%s: %s", dead->field == NULL ? "row" : dead->field,
                   dead->reason);
    cm_pg_sink_dead_row of = {
        .tenant_id = dead->tenant_id,
        .position = position_of(origin),
        .line = origin->line,
        .event_type = dead->event_type == NULL ? "unknown" : dead->event_type,
        .error_type = dead->error_type,
        .message = cm_slice_of_text(message),
    };
    if (text_fault(of.tenant_id, &characters) != NULL || characters > DEAD_TENANT_CHARACTERS_MAX)
        of.tenant_id.size = 0;
    cm_pg_sink_put_dead(&batch->encoded[CM_PG_SINK_DEAD], &of);
    return cm_pg_sink_batch_end(batch, row, error);
}

/* A row that the table can hold stands. */
static cm_status end_row(const encoding *e, cm_pg_sink_batch *batch, cm_pg_sink_row *row,
                         cm_slice tenant_id, const cm_pg_sink_origin *origin,
                         cm_pg_sink_fault *fault, cm_error *error)
{
    *fault = (cm_pg_sink_fault){e->field, e->fault};
    if (e->fault != NULL) {
        cm_pg_sink_batch_undo(batch, row);
        return CM_OK;
    }
    const cm_pg_sink_origin kept = {position_of(origin), origin->line};
    cm_pg_sink_batch_keep(batch, row, tenant_id, &kept);
    return cm_pg_sink_batch_end(batch, row, error);
}

static encoding begin_row(const cm_pg_sink_shape *shape, cm_pg_sink_batch *batch, cm_row_kind kind)
{
    cm_pg_sink_kind as = kind == CM_ROW_CLICK ? CM_PG_SINK_CLICK : CM_PG_SINK_CONVERSION;
    encoding e = {
        .rows = &batch->encoded[as], .kind = kind, .characters_max = shape->characters_max[kind]};
    cm_pgcopy_put_row(e.rows, kind == CM_ROW_CLICK ? CLICK_COLUMNS : CONVERSION_COLUMNS);
    cm_pgcopy_put_int4(e.rows, (int32_t)batch->count);
    return e;
}

static void put_expiry(encoding *e, const cm_pg_sink_shape *shape, const cm_click *click)
{
    if (click->expires_at != CM_TIME_MISSING)
        cm_pgcopy_put_timestamptz(e->rows, click->expires_at);
    else if (shape->click_window_us > 0)
        cm_pgcopy_put_timestamptz(e->rows, click->click_timestamp + shape->click_window_us);
    else
        cm_pgcopy_put_null(e->rows);
}

cm_status cm_pg_sink_encode_click(cm_pg_sink_shape *shape, cm_pg_sink_batch *batch,
                                  const cm_click *click, const cm_pg_sink_origin *origin,
                                  cm_pg_sink_fault *fault, cm_error *error)
{
    cm_pg_sink_row *row = cm_pg_sink_batch_begin(batch, CM_PG_SINK_CLICK);
    if (row == NULL)
        return cm_error_memory(error, "a batch for the database", batch->count * sizeof *row);
    encoding e = begin_row(shape, batch, CM_ROW_CLICK);
    put_required(&e, CM_CLICK_TENANT_ID, click->tenant_id);
    put_required(&e, CM_CLICK_CLICK_ID, click->click_id);
    cm_pgcopy_put_timestamptz(e.rows, click->click_timestamp);
    put_expiry(&e, shape, click);
    cm_pgcopy_put_bool(e.rows, click->is_valid);
    put_text(&e, CM_CLICK_FBCLID, click->fbclid);
    put_text(&e, CM_CLICK_GCLID, click->gclid);
    put_required(&e, CM_CLICK_CAMPAIGN_ID, click->campaign_id);
    put_text(&e, CM_CLICK_ADSET_ID, click->adset_id);
    put_required(&e, CM_CLICK_AD_ID, click->ad_id);
    put_text(&e, CM_CLICK_CREATIVE_ID, click->creative_id);
    put_device(&e, CM_CLICK_USER_AGENT, &click->device);
    return end_row(&e, batch, row, click->tenant_id, origin, fault, error);
}

cm_status cm_pg_sink_encode_result(cm_pg_sink_shape *shape, cm_pg_sink_batch *batch,
                                   const cm_pg_sink_result *result, const cm_pg_sink_origin *origin,
                                   cm_pg_sink_fault *fault, cm_error *error)
{
    const cm_conversion *conversion = result->conversion;
    cm_slice click_id = result->result->click.click_id;
    cm_pg_sink_row *row = cm_pg_sink_batch_begin(batch, CM_PG_SINK_CONVERSION);
    if (row == NULL)
        return cm_error_memory(error, "a batch for the database", batch->count * sizeof *row);
    encoding e = begin_row(shape, batch, CM_ROW_CONVERSION);
    put_required(&e, CM_CONVERSION_TENANT_ID, conversion->tenant_id);
    put_required(&e, CM_CONVERSION_CONVERSION_ID, conversion->conversion_id);
    cm_pgcopy_put_timestamptz(e.rows, conversion->conversion_timestamp);
    put_type(&e, result->type);
    put_value(&e, result->value);
    put_text(&e, CM_CONVERSION_CLICK_ID, conversion->click_id);
    put_text(&e, CM_CONVERSION_FBCLID, conversion->fbclid);
    put_text(&e, CM_CONVERSION_GCLID, conversion->gclid);
    put_device(&e, CM_CONVERSION_USER_AGENT, &conversion->device);
    if (click_id.size == 0)
        cm_pgcopy_put_null(e.rows);
    else
        cm_pgcopy_put_text(e.rows, click_id);
    cm_pg_result_put(&shape->encoder, result->result, result->model, e.rows);
    cm_pg_result_put_layers(result->result, e.rows);
    cm_pgcopy_put_int4(e.rows, (int32_t)result->processing_ms);
    return end_row(&e, batch, row, conversion->tenant_id, origin, fault, error);
}

static cm_status put_unstorable(cm_pg_sink_batch *batch, cm_row_kind kind, cm_slice tenant_id,
                                const cm_pg_sink_fault *fault, const cm_pg_sink_origin *origin,
                                cm_error *error)
{
    const cm_pg_sink_dead dead = {
        .event_type = kind == CM_ROW_CLICK ? "click" : "conversion",
        .tenant_id = tenant_id,
        .error_type = CM_PG_NOT_STORABLE,
        .field = fault->field,
        .reason = fault->reason,
    };
    return cm_pg_sink_put_rejected(batch, &dead, origin, error);
}

cm_status cm_pg_sink_put_click(cm_pg_sink_shape *shape, cm_pg_sink_batch *batch,
                               const cm_click *click, const cm_pg_sink_origin *origin,
                               cm_error *error)
{
    cm_pg_sink_fault fault;
    cm_status status = cm_pg_sink_encode_click(shape, batch, click, origin, &fault, error);
    if (status != CM_OK || fault.reason == NULL)
        return status;
    return put_unstorable(batch, CM_ROW_CLICK, click->tenant_id, &fault, origin, error);
}

cm_status cm_pg_sink_put_result(cm_pg_sink_shape *shape, cm_pg_sink_batch *batch,
                                const cm_pg_sink_result *result, const cm_pg_sink_origin *origin,
                                cm_error *error)
{
    cm_pg_sink_fault fault;
    cm_status status = cm_pg_sink_encode_result(shape, batch, result, origin, &fault, error);
    if (status != CM_OK || fault.reason == NULL)
        return status;
    return put_unstorable(batch, CM_ROW_CONVERSION, result->conversion->tenant_id, &fault, origin,
                          error);
}

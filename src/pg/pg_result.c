#include "pg/pg_result.h"

#include "io/pgcopy_reader.h"
#include "io/pgcopy_writer.h"
#include "util/check.h"

#define SHARE_4 10000.0   /* NUMERIC(5,4) */
#define SHARE_6 1000000.0 /* NUMERIC(7,6) */

/* A number of 0 to 1 as a whole number of its last decimals; rounded as docs/matching.md says. */
static int64_t scaled(double share, double unit)
{
    return (int64_t)(share * unit + 0.5);
}

/* A string as jsonb writes it: what must be escaped is, nothing else. */
static void put_json_string(cm_buffer *json, cm_slice text)
{
    static const char SHORT[] = "\b\f\n\r\t\"\\", LETTERS[] = "bfnrt\"\\",
                      HEX[] = "0123456789abcdef";
    cm_buffer_append_char(json, '"');
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];
        const char *found = byte == '\0' ? NULL : strchr(SHORT, byte);
        if (found != NULL) {
            cm_buffer_append_char(json, '\\');
            cm_buffer_append_char(json, LETTERS[found - SHORT]);
        } else if ((uint8_t)byte < 0x20) {
            cm_buffer_append_text(json, "\\u00");
            cm_buffer_append_char(json, HEX[byte >> 4]);
            cm_buffer_append_char(json, HEX[byte & 15]);
        } else
            cm_buffer_append_char(json, byte);
    }
    cm_buffer_append_char(json, '"');
}

/* The candidates as jsonb writes them: keys by length, a blank after each colon and comma. */
static void put_candidates(cm_buffer *json, const cm_result *result)
{
    json->size = 0;
    json->failed = false;
    cm_buffer_append_char(json, '[');
    for (uint32_t i = 0; i < result->candidate_count; i++) {
        cm_buffer_append_text(json, i == 0 ? "{\"click_id\": " : ", {\"click_id\": ");
        put_json_string(json, result->candidates[i].click_id);
        cm_buffer_append_text(json, ", \"probability\": ");
        cm_buffer_append_share(json, result->candidates[i].probability, 6);
        cm_buffer_append_char(json, '}');
    }
    cm_buffer_append_char(json, ']');
}

void cm_pg_result_put(cm_pg_encoder *encoder, const cm_result *result, const char *model,
                      cm_buffer *columns)
{
    bool is_attributed = result->method != CM_METHOD_UNATTRIBUTED;
    put_candidates(&encoder->candidates, result);
    cm_pgcopy_put_text(columns, cm_slice_of_text(cm_method_name(result->method)));
    cm_pgcopy_put_numeric(columns, scaled(result->confidence, SHARE_4), 4);
    if (is_attributed)
        cm_pgcopy_put_int4(columns, (int32_t)result->window_hours);
    else
        cm_pgcopy_put_null(columns);
    if (result->layer_2_weighed)
        cm_pgcopy_put_numeric(columns, scaled(result->layer_2_probability, SHARE_4), 4);
    else
        cm_pgcopy_put_null(columns);
    cm_pgcopy_put_jsonb(columns, cm_slice_of(encoder->candidates.data, encoder->candidates.size));
    cm_pgcopy_put_numeric(columns, scaled(result->probability, SHARE_6), 6);
    cm_pgcopy_put_text(columns, cm_slice_of_text(model));
    cm_pgcopy_put_bool(columns, is_attributed);
    columns->failed |= encoder->candidates.failed;
}

void cm_pg_result_put_layers(const cm_result *result, cm_buffer *columns)
{
    for (size_t i = 0; i < CM_LAYER_COUNT; i++)
        cm_pgcopy_put_text(columns, cm_slice_of_text(cm_layer_word_name(result->layers[i])));
}

static void put_columns(cm_pg_encoder *encoder, const cm_result *result, const char *model)
{
    encoder->columns.size = 0;
    if (result->method != CM_METHOD_UNATTRIBUTED)
        cm_pgcopy_put_uuid(&encoder->columns, result->click.reference.data);
    else
        cm_pgcopy_put_null(&encoder->columns);
    cm_pg_result_put(encoder, result, model, &encoder->columns);
}

bool cm_pg_result_encode(cm_pg_encoder *encoder, const char *id, cm_slice stored,
                         const cm_result *result, const char *model, cm_buffer *rows)
{
    CM_CHECK(result->method == CM_METHOD_UNATTRIBUTED ||
             result->click.reference.size == CM_UUID_BYTES);
    put_columns(encoder, result, model);
    rows->failed |= encoder->columns.failed;
    cm_slice columns = cm_slice_of(encoder->columns.data, encoder->columns.size);
    if (rows->failed || cm_slice_equal(columns, stored))
        return false;
    cm_pgcopy_put_row(rows, CM_PG_STAGING_COLUMNS);
    cm_pgcopy_put_uuid(rows, id);
    cm_buffer_append_slice(rows, columns);
    cm_pg_result_put_layers(result, rows);
    return true;
}

void cm_pg_encoder_destroy(cm_pg_encoder *encoder)
{
    cm_buffer_destroy(&encoder->columns);
    cm_buffer_destroy(&encoder->candidates);
}

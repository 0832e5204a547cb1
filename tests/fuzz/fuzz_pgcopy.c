/*
 * Binary COPY. The same rows come of any pieces; what was decoded is the same when it is encoded
 * and decoded again; and records of it are good. The first byte chooses the columns and the pieces.
 */
#include "fuzz/fuzz.h"
#include "fuzz/rows.h"
#include "io/pgcopy_reader.h"
#include "io/pgcopy_writer.h"

#define COLUMNS 8 /* the last is handed out as it is */
#define TYPES 7
#define PIECE_MAX 16

/* Three kinds of table: each type once, a short one, one of times and addresses. */
static const cm_pgcopy_type types[3][TYPES] = {
    {CM_PGCOPY_TEXT, CM_PGCOPY_TEXT, CM_PGCOPY_TIMESTAMPTZ, CM_PGCOPY_BOOL, CM_PGCOPY_INT4,
     CM_PGCOPY_INET, CM_PGCOPY_UUID},
    {CM_PGCOPY_JSONB},
    {CM_PGCOPY_TEXT, CM_PGCOPY_UUID, CM_PGCOPY_TIMESTAMPTZ, CM_PGCOPY_INET, CM_PGCOPY_JSONB,
     CM_PGCOPY_INT4, CM_PGCOPY_TIMESTAMPTZ},
};
static const cm_pgcopy_columns tables[3] = {
    {types[0], TYPES, COLUMNS}, {types[1], 1, 1}, {types[2], TYPES, TYPES}};

static void encode(cm_pgcopy_type type, const cm_value *value, cm_buffer *out)
{
    if (value->kind == CM_VALUE_MISSING) {
        cm_pgcopy_put_null(out);
        return;
    }
    switch (type) {
    case CM_PGCOPY_BOOL:
        cm_pgcopy_put_bool(out, value->integer != 0);
        break;
    case CM_PGCOPY_INT4:
        cm_pgcopy_put_int4(out, (int32_t)value->integer);
        break;
    case CM_PGCOPY_TIMESTAMPTZ:
        if (value->integer == INT64_MAX) /* an infinity, or beyond what is a time here */
            cm_pgcopy_put_null(out);
        else
            cm_pgcopy_put_timestamptz(out, value->integer);
        break;
    case CM_PGCOPY_INET:
        cm_pgcopy_put_inet(out, &value->address);
        break;
    case CM_PGCOPY_UUID:
        cm_pgcopy_put_uuid(out, value->text.data);
        break;
    case CM_PGCOPY_JSONB:
        cm_pgcopy_put_jsonb(out, value->text);
        break;
    case CM_PGCOPY_TEXT:
        cm_pgcopy_put_text(out, value->text);
        break;
    }
}

/* What stands for a row: its values as they are encoded, and the columns behind them. */
static void say_row(const cm_pgcopy_columns *columns, const cm_value *values, cm_slice rest,
                    cm_buffer *said)
{
    cm_pgcopy_put_row(said, columns->column_count);
    for (uint16_t i = 0; i < columns->type_count; i++)
        encode(columns->types[i], &values[i], said);
    cm_buffer_append_slice(said, rest);
}

/* Where there is one way to write a value, a field is what is written for it. */
static void compare_fields(const cm_pgcopy_columns *columns, const cm_value *values, cm_slice row)
{
    size_t at = 2; /* behind their number */
    for (uint16_t i = 0; i < columns->type_count; i++) {
        cm_buffer field = {0};
        cm_pgcopy_type type = columns->types[i];
        encode(type, &values[i], &field);
        bool is_known = type != CM_PGCOPY_INET && type != CM_PGCOPY_TIMESTAMPTZ;
        if (is_known)
            FUZZ_CHECK(row.size - at >= field.size &&
                       memcmp(row.data + at, field.data, field.size) == 0);
        const uint8_t *size = (const uint8_t *)row.data + at;
        uint32_t bytes =
            (uint32_t)size[0] << 24 | (uint32_t)size[1] << 16 | (uint32_t)size[2] << 8 | size[3];
        at += 4 + (bytes == UINT32_MAX ? 0 : bytes);
        cm_buffer_destroy(&field);
    }
}

/* As a table's rows come to be records: by the types of their columns. */
static void build(const cm_pgcopy_columns *columns, const cm_value *decoded)
{
    cm_arena arena = {0};
    cm_value values[CM_FIELD_COUNT_MAX] = {0};
    static const size_t fields[TYPES] = {
        CM_CLICK_TENANT_ID,    CM_CLICK_CLICK_ID,   CM_CLICK_CLICK_TIMESTAMP, CM_CLICK_IS_VALID,
        CM_CLICK_SCREEN_WIDTH, CM_CLICK_IP_ADDRESS, CM_CLICK_EXPIRES_AT};
    for (size_t i = 0; i < columns->type_count; i++)
        values[fields[i]] = decoded[i];
    fuzz_rows_build(CM_ROW_CLICK, values, &arena);
    cm_arena_destroy(&arena);
}

/* Read all of it, in pieces that each lie in memory of their own. */
static cm_status read_all(cm_slice bytes, const cm_pgcopy_columns *columns, size_t piece_bytes,
                          cm_buffer *said, cm_error *error)
{
    cm_pgcopy_reader reader;
    cm_value values[TYPES];
    cm_slice rest;
    size_t begin = 0, end = 0, used;
    cm_pgcopy_step step = CM_PGCOPY_MORE;
    cm_status status = CM_OK;
    cm_pgcopy_reader_init(&reader, columns);
    while (status == CM_OK && end < bytes.size) {
        end += piece_bytes < bytes.size - end ? piece_bytes : bytes.size - end;
        char *exact = malloc(end - begin + 1);
        FUZZ_CHECK(exact != NULL);
        memcpy(exact, bytes.data + begin, end - begin);
        size_t at = 0, size = end - begin;
        do {
            status =
                cm_pgcopy_read(&reader, exact + at, size - at, &used, &step, values, &rest, error);
            FUZZ_CHECK(used <= size - at);
            at += used;
            if (status == CM_OK && step == CM_PGCOPY_ROW) {
                if (reader.row > 1) /* before the first stands the header */
                    compare_fields(columns, values, cm_slice_of(exact + at - used, used));
                say_row(columns, values, rest, said);
                build(columns, values);
            }
        } while (status == CM_OK && (step == CM_PGCOPY_ROW || (at < size && used > 0)));
        begin += at;
        free(exact);
    }
    return status == CM_OK ? cm_pgcopy_reader_finish(&reader, error) : status;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    unsigned choice = fuzz_choice(&bytes, &size);
    const cm_pgcopy_columns *columns = &tables[choice % 3];
    cm_slice text = cm_slice_of((const char *)bytes, size);
    cm_buffer whole = {0}, parts = {0}, again = {0}, file = {0};
    cm_error error = {0}, other = {0};
    cm_status status = read_all(text, columns, SIZE_MAX, &whole, &error);
    FUZZ_CHECK(read_all(text, columns, 1 + choice % PIECE_MAX, &parts, &other) == status);
    FUZZ_CHECK(status == CM_OK || strcmp(error.message, other.message) == 0);
    FUZZ_CHECK(
        cm_slice_equal(cm_slice_of(whole.data, whole.size), cm_slice_of(parts.data, parts.size)));
    cm_pgcopy_put_header(&file);
    cm_buffer_append(&file, whole.data, whole.size);
    cm_pgcopy_put_trailer(&file);
    cm_slice written = cm_slice_of(file.data, file.size);
    FUZZ_CHECK(read_all(written, columns, SIZE_MAX, &again, &other) == CM_OK);
    FUZZ_CHECK(
        cm_slice_equal(cm_slice_of(whole.data, whole.size), cm_slice_of(again.data, again.size)));
    cm_buffer_destroy(&whole);
    cm_buffer_destroy(&parts);
    cm_buffer_destroy(&again);
    cm_buffer_destroy(&file);
    return 0;
}

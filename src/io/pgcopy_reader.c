#include "io/pgcopy_reader.h"

#include "util/error.h"
#include "util/slice.h"

static const char SIGNATURE[] = "PGCOPY\n\377\r\n"; /* its NUL belongs to it */

#define FLAGS_AT sizeof SIGNATURE
#define EXTENSION_SIZE_AT (FLAGS_AT + 4)
#define HEADER_BYTES (EXTENSION_SIZE_AT + 4)

#define FLAGS_CRITICAL 0xffff0000U /* what a reader must understand: oids, and what is to come */

#define INET_HEADER_BYTES 4 /* family, bits, is_cidr, number of address bytes */
#define INET_IPV4 2
#define INET_IPV6 3

#define JSONB_VERSION 1

/* A run of bytes being decoded. */
typedef struct byte_run {
    const char *bytes;
    size_t size;
    size_t at;
} byte_run;

static uint16_t get_u16(const char *at)
{
    const uint8_t *byte = (const uint8_t *)at;
    return (uint16_t)(byte[0] << 8 | byte[1]);
}

static uint32_t get_u32(const char *at)
{
    return (uint32_t)get_u16(at) << 16 | get_u16(at + 2);
}

static uint64_t get_u64(const char *at)
{
    return (uint64_t)get_u32(at) << 32 | get_u32(at + 4);
}

static bool has(const byte_run *run, size_t size)
{
    return run->size - run->at >= size;
}

static cm_status fault(const cm_pgcopy_reader *reader, size_t at, const char *what, cm_error *error)
{
    return cm_error_set_at(error, CM_ERROR_FORMAT, reader->row + 1, reader->byte + at,
                           "binary COPY: row %llu, byte %llu: %s; is the other side PostgreSQL?",
                           (unsigned long long)reader->row + 1,
                           (unsigned long long)(reader->byte + at), what);
}

static bool decode_time(cm_slice field, cm_value *value)
{
    if (field.size != 8)
        return false;
    int64_t time = (int64_t)get_u64(field.data);
    value->kind = CM_VALUE_TIME;
    /* Both infinities stay what they are; the years beyond 294246 become infinite, too. */
    if (time == INT64_MIN)
        value->integer = INT64_MIN;
    else if (__builtin_add_overflow(time, CM_PGCOPY_EPOCH_US, &value->integer))
        value->integer = INT64_MAX;
    return true;
}

static bool decode_inet(cm_slice field, cm_value *value)
{
    if (field.size < INET_HEADER_BYTES)
        return false;
    bool is_ipv4 = field.data[0] == INET_IPV4;
    size_t bytes = is_ipv4 ? 4 : 16;
    if ((!is_ipv4 && field.data[0] != INET_IPV6) || (size_t)(uint8_t)field.data[3] != bytes ||
        field.size != INET_HEADER_BYTES + bytes)
        return false;
    value->kind = CM_VALUE_ADDRESS;
    value->address = (cm_address){.version = is_ipv4 ? 4 : 6};
    memcpy(value->address.bytes, field.data + INET_HEADER_BYTES, bytes);
    return true;
}

static bool decode_integer(cm_slice field, cm_value *value)
{
    if (field.size != 4)
        return false;
    value->kind = CM_VALUE_INTEGER;
    value->integer = (int32_t)get_u32(field.data);
    return true;
}

static bool decode_bool(cm_slice field, cm_value *value)
{
    if (field.size != 1 || (uint8_t)field.data[0] > 1)
        return false;
    value->kind = CM_VALUE_BOOLEAN;
    value->integer = (uint8_t)field.data[0];
    return true;
}

static bool decode_bytes(cm_slice field, cm_value *value)
{
    value->kind = CM_VALUE_TEXT;
    value->text = field;
    return true;
}

static bool decode_jsonb(cm_slice field, cm_value *value)
{
    if (field.size < 1 || field.data[0] != JSONB_VERSION)
        return false;
    return decode_bytes(cm_slice_of(field.data + 1, field.size - 1), value);
}

/* What is wrong with a field, or NULL. */
static const char *decode(cm_pgcopy_type type, cm_slice field, cm_value *value)
{
    switch (type) {
    case CM_PGCOPY_TEXT:
        return decode_bytes(field, value) ? NULL : "no text";
    case CM_PGCOPY_BOOL:
        return decode_bool(field, value) ? NULL : "no boolean";
    case CM_PGCOPY_INT4:
        return decode_integer(field, value) ? NULL : "no integer";
    case CM_PGCOPY_TIMESTAMPTZ:
        return decode_time(field, value) ? NULL : "no timestamp";
    case CM_PGCOPY_INET:
        return decode_inet(field, value) ? NULL : "no inet";
    case CM_PGCOPY_UUID:
        return field.size == CM_UUID_BYTES && decode_bytes(field, value) ? NULL : "no uuid";
    case CM_PGCOPY_JSONB:
        return decode_jsonb(field, value) ? NULL : "no jsonb";
    }
    return "no type";
}

/* A field as it stands in a row. */
typedef struct raw_field {
    cm_slice bytes;
    bool is_null;
    const char *wrong; /* NULL, or what is wrong with it */
} raw_field;

/* Take a field off the run. False where it is not all there yet. */
static bool take_field(byte_run *run, raw_field *field)
{
    if (!has(run, 4))
        return false;
    uint32_t size = get_u32(run->bytes + run->at);
    *field = (raw_field){.is_null = size == UINT32_MAX};
    if (!field->is_null && size >= CM_PGCOPY_FIELD_BYTES_MAX)
        field->wrong = "no field has this size";
    if (field->is_null || field->wrong != NULL)
        size = 0;
    if (!has(run, 4 + (size_t)size))
        return false;
    field->bytes = cm_slice_of(run->bytes + run->at + 4, size);
    run->at += 4 + (size_t)size;
    return true;
}

static cm_status read_fields(const cm_pgcopy_reader *reader, byte_run *run, cm_pgcopy_step *step,
                             cm_value *values, cm_slice *rest, cm_error *error)
{
    const cm_pgcopy_columns *columns = reader->columns;
    size_t rest_at = run->at;
    for (uint16_t i = 0; i < columns->column_count; i++) {
        size_t at = run->at;
        raw_field field;
        if (!take_field(run, &field)) {
            *step = CM_PGCOPY_MORE;
            return CM_OK;
        }
        if (field.wrong == NULL && i < columns->type_count) {
            values[i] = (cm_value){0};
            if (!field.is_null)
                field.wrong = decode(columns->types[i], field.bytes, &values[i]);
            rest_at = run->at;
        }
        if (field.wrong != NULL)
            return fault(reader, at, field.wrong, error);
    }
    *rest = cm_slice_of(run->bytes + rest_at, run->at - rest_at);
    *step = CM_PGCOPY_ROW;
    return CM_OK;
}

static cm_status read_row(const cm_pgcopy_reader *reader, byte_run *run, cm_pgcopy_step *step,
                          cm_value *values, cm_slice *rest, cm_error *error)
{
    *step = CM_PGCOPY_MORE;
    if (!has(run, 2))
        return CM_OK;
    uint16_t count = get_u16(run->bytes + run->at);
    run->at += 2;
    if (count == reader->columns->column_count)
        return read_fields(reader, run, step, values, rest, error);
    if (count != UINT16_MAX)
        return fault(reader, run->at - 2, "another number of columns than asked for", error);
    *step = CM_PGCOPY_END;
    return CM_OK;
}

/* The size of the header; 0 where it is not all here yet. */
static cm_status read_header(const cm_pgcopy_reader *reader, const char *bytes, size_t size,
                             size_t *header, cm_error *error)
{
    *header = 0;
    for (size_t i = 0; i < size && i < sizeof SIGNATURE; i++)
        if (bytes[i] != SIGNATURE[i])
            return fault(reader, i, "no COPY signature", error);
    if (size < HEADER_BYTES)
        return CM_OK;
    uint32_t extension = get_u32(bytes + EXTENSION_SIZE_AT);
    if ((get_u32(bytes + FLAGS_AT) & FLAGS_CRITICAL) != 0)
        return fault(reader, FLAGS_AT, "unknown flags", error);
    if (extension > CM_PGCOPY_EXTENSION_BYTES_MAX)
        return fault(reader, EXTENSION_SIZE_AT, "no header has this size", error);
    if (size - HEADER_BYTES >= extension)
        *header = HEADER_BYTES + extension;
    return CM_OK;
}

void cm_pgcopy_reader_init(cm_pgcopy_reader *reader, const cm_pgcopy_columns *columns)
{
    *reader = (cm_pgcopy_reader){.columns = columns};
}

cm_status cm_pgcopy_read(cm_pgcopy_reader *reader, const char *bytes, size_t size, size_t *used,
                         cm_pgcopy_step *step, cm_value *values, cm_slice *rest, cm_error *error)
{
    size_t header = 0;
    cm_status status = CM_OK;
    *used = 0;
    *step = reader->has_trailer ? CM_PGCOPY_END : CM_PGCOPY_MORE;
    if (reader->has_trailer)
        return size == 0 ? CM_OK : fault(reader, 0, "data after the end", error);
    if (!reader->has_header)
        status = read_header(reader, bytes, size, &header, error);
    if (status != CM_OK || (!reader->has_header && header == 0))
        return status;
    reader->has_header = true;
    byte_run run = {bytes, size, header};
    status = read_row(reader, &run, step, values, rest, error);
    if (status != CM_OK)
        return status;
    *used = *step == CM_PGCOPY_MORE ? header : run.at;
    reader->byte += *used;
    reader->row += *step == CM_PGCOPY_ROW;
    reader->has_trailer = *step == CM_PGCOPY_END;
    return CM_OK;
}

cm_status cm_pgcopy_reader_finish(const cm_pgcopy_reader *reader, cm_error *error)
{
    return reader->has_trailer ? CM_OK : fault(reader, 0, "cut off", error);
}

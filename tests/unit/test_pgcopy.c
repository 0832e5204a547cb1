/* Binary COPY: golden bytes, every malformed input with its position, any cut, a round trip. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "io/pgcopy_reader.h"
#include "io/pgcopy_writer.h"
#include "util/slice.h"

#define COLUMNS 7
#define HEADER "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"
#define HEADER_BYTES 19
#define TRAILER "\377\377"
#define NULL_FIELD "\377\377\377\377"
#define BYTES(literal) literal, sizeof(literal) - 1

static const cm_pgcopy_type TYPES[COLUMNS] = {
    CM_PGCOPY_TEXT, CM_PGCOPY_BOOL, CM_PGCOPY_INT4,  CM_PGCOPY_TIMESTAMPTZ,
    CM_PGCOPY_INET, CM_PGCOPY_UUID, CM_PGCOPY_JSONB,
};
static const cm_pgcopy_columns ALL = {TYPES, COLUMNS, COLUMNS};

/* One column of a type. */
static cm_pgcopy_columns one_column(const cm_pgcopy_type *type)
{
    return (cm_pgcopy_columns){type, 1, 1};
}

/* What a read came to. The bytes are copied, so that sanitizers see any step beyond their end. */
typedef struct reading {
    cm_status status;
    cm_pgcopy_step step;
    size_t used;
    cm_value values[COLUMNS];
    cm_slice rest;
    cm_error error;
    char *bytes;
} reading;

static reading read_bytes(cm_pgcopy_reader *reader, const char *bytes, size_t size)
{
    reading got = {.bytes = malloc(size + 1)};
    assert_non_null(got.bytes);
    memcpy(got.bytes, bytes, size);
    char *moved = realloc(got.bytes, size > 0 ? size : 1);
    assert_non_null(moved);
    got.bytes = moved;
    got.status = cm_pgcopy_read(reader, got.bytes, size, &got.used, &got.step, got.values,
                                &got.rest, &got.error);
    return got;
}

/* A field of one column behind a header. */
static reading read_field(cm_pgcopy_type type, const char *field, size_t size)
{
    cm_pgcopy_columns columns = one_column(&type);
    cm_pgcopy_reader reader;
    cm_buffer input = {0};
    cm_buffer_append(&input, BYTES(HEADER "\0\1"));
    cm_buffer_append(&input, field, size);
    cm_pgcopy_reader_init(&reader, &columns);
    reading got = read_bytes(&reader, input.data, input.size);
    cm_buffer_destroy(&input);
    return got;
}

static void expect_fault(reading got, uint64_t row, uint64_t byte, const char *what)
{
    assert_int_equal(got.status, CM_ERROR_FORMAT);
    assert_int_equal(got.error.code, CM_ERROR_FORMAT);
    assert_int_equal(got.error.line, row);
    assert_int_equal(got.error.byte, byte);
    if (strstr(got.error.message, what) == NULL)
        fail_msg("no '%s' in: %s", what, got.error.message);
    assert_int_equal(got.used, 0);
    free(got.bytes);
}

static void expect_field_fault(cm_pgcopy_type type, const char *field, size_t size,
                               const char *what)
{
    expect_fault(read_field(type, field, size), 1, HEADER_BYTES + 2, what);
}

static cm_value value_of(cm_pgcopy_type type, const char *field, size_t size)
{
    reading got = read_field(type, field, size);
    assert_int_equal(got.status, CM_OK);
    assert_int_equal(got.step, CM_PGCOPY_ROW);
    assert_int_equal(got.used, HEADER_BYTES + 2 + size);
    assert_int_equal(got.rest.size, 0);
    cm_value value = got.values[0];
    value.text.data = NULL; /* gone with the bytes */
    free(got.bytes);
    return value;
}

static void test_integers(void **state)
{
    (void)state;
    cm_value value = value_of(CM_PGCOPY_INT4, BYTES("\0\0\0\4\377\377\377\304"));
    assert_int_equal(value.kind, CM_VALUE_INTEGER);
    assert_int_equal(value.integer, -60);
    value = value_of(CM_PGCOPY_INT4, BYTES("\0\0\0\4\177\377\377\377"));
    assert_int_equal(value.integer, INT32_MAX);
    value = value_of(CM_PGCOPY_BOOL, BYTES("\0\0\0\1\1"));
    assert_int_equal(value.kind, CM_VALUE_BOOLEAN);
    assert_int_equal(value.integer, 1);
    value = value_of(CM_PGCOPY_BOOL, BYTES("\0\0\0\1\0"));
    assert_int_equal(value.integer, 0);
}

static void test_times(void **state)
{
    (void)state;
    cm_value value = value_of(CM_PGCOPY_TIMESTAMPTZ, BYTES("\0\0\0\10\0\0\0\0\0\0\0\1"));
    assert_int_equal(value.kind, CM_VALUE_TIME);
    assert_int_equal(value.integer, CM_PGCOPY_EPOCH_US + 1);
    value = value_of(CM_PGCOPY_TIMESTAMPTZ, BYTES("\0\0\0\10\377\377\377\377\377\377\377\377"));
    assert_int_equal(value.integer, CM_PGCOPY_EPOCH_US - 1);
    value = value_of(CM_PGCOPY_TIMESTAMPTZ, BYTES("\0\0\0\10\177\377\377\377\377\377\377\377"));
    assert_int_equal(value.integer, INT64_MAX); /* infinity */
    value = value_of(CM_PGCOPY_TIMESTAMPTZ, BYTES("\0\0\0\10\200\0\0\0\0\0\0\0"));
    assert_int_equal(value.integer, INT64_MIN); /* -infinity */
    value = value_of(CM_PGCOPY_TIMESTAMPTZ, BYTES("\0\0\0\10\177\377\0\0\0\0\0\0"));
    assert_int_equal(value.integer, INT64_MAX); /* the year 294276, beyond what counts from 1970 */
}

static void test_addresses(void **state)
{
    (void)state;
    cm_value value = value_of(CM_PGCOPY_INET, BYTES("\0\0\0\10\2\40\0\4\121\1\2\3"));
    const uint8_t ipv4[16] = {81, 1, 2, 3}, ipv6[16] = {0x20, 1, 0xd, 0xb8, [15] = 7};
    assert_int_equal(value.kind, CM_VALUE_ADDRESS);
    assert_int_equal(value.address.version, 4);
    assert_memory_equal(value.address.bytes, ipv4, sizeof ipv4);
    value = value_of(CM_PGCOPY_INET, BYTES("\0\0\0\10\2\10\1\4\121\1\2\3")); /* cidr, /8 */
    assert_memory_equal(value.address.bytes, ipv4, sizeof ipv4);
    value =
        value_of(CM_PGCOPY_INET, BYTES("\0\0\0\24\3\200\0\20\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\7"));
    assert_int_equal(value.address.version, 6);
    assert_memory_equal(value.address.bytes, ipv6, sizeof ipv6);
}

static void test_text_and_missing(void **state)
{
    (void)state;
    for (size_t type = 0; type < COLUMNS; type++)
        assert_int_equal(value_of(TYPES[type], BYTES(NULL_FIELD)).kind, CM_VALUE_MISSING);
    cm_value value = value_of(CM_PGCOPY_TEXT, BYTES("\0\0\0\0"));
    assert_int_equal(value.kind, CM_VALUE_TEXT);
    assert_int_equal(value.text.size, 0);
    reading got = read_field(CM_PGCOPY_JSONB, BYTES("\0\0\0\3\1[]"));
    assert_true(cm_slice_equal(got.values[0].text, CM_SLICE("[]")));
    free(got.bytes);
    got = read_field(CM_PGCOPY_UUID, BYTES("\0\0\0\200123456789abcdef"));
    assert_int_equal(got.step, CM_PGCOPY_MORE); /* 128 bytes announced */
    free(got.bytes);
    got = read_field(CM_PGCOPY_UUID, BYTES("\0\0\0\0200123456789abcdef"));
    assert_true(cm_slice_equal(got.values[0].text, CM_SLICE("0123456789abcdef")));
    free(got.bytes);
}

static void test_malformed_fields(void **state)
{
    (void)state;
    expect_field_fault(CM_PGCOPY_INT4, BYTES("\0\0\0\3abc"), "no integer");
    expect_field_fault(CM_PGCOPY_INT4, BYTES("\0\0\0\10abcdefgh"), "no integer");
    expect_field_fault(CM_PGCOPY_INT4, BYTES("\0\0\0\0"), "no integer");
    expect_field_fault(CM_PGCOPY_BOOL, BYTES("\0\0\0\2\0\1"), "no boolean");
    expect_field_fault(CM_PGCOPY_BOOL, BYTES("\0\0\0\1\2"), "no boolean");
    expect_field_fault(CM_PGCOPY_BOOL, BYTES("\0\0\0\1\377"), "no boolean");
    expect_field_fault(CM_PGCOPY_TIMESTAMPTZ, BYTES("\0\0\0\4abcd"), "no timestamp");
    expect_field_fault(CM_PGCOPY_UUID, BYTES("\0\0\0\4abcd"), "no uuid");
    expect_field_fault(CM_PGCOPY_JSONB, BYTES("\0\0\0\0"), "no jsonb");
    expect_field_fault(CM_PGCOPY_JSONB, BYTES("\0\0\0\3\2[]"), "no jsonb");
    expect_field_fault(CM_PGCOPY_INET, BYTES("\0\0\0\3\2\40\0"), "no inet");
    expect_field_fault(CM_PGCOPY_INET, BYTES("\0\0\0\10\1\40\0\4\121\1\2\3"), "no inet");
    expect_field_fault(CM_PGCOPY_INET, BYTES("\0\0\0\10\2\40\0\5\121\1\2\3"), "no inet");
    expect_field_fault(CM_PGCOPY_INET, BYTES("\0\0\0\7\2\40\0\4\121\1\2"), "no inet");
    expect_field_fault(CM_PGCOPY_INET, BYTES("\0\0\0\10\3\200\0\20\121\1\2\3"), "no inet");
    expect_field_fault(CM_PGCOPY_INET, BYTES("\0\0\0\10\3\200\0\4\121\1\2\3"), "no inet");
    expect_field_fault(CM_PGCOPY_TEXT, BYTES("\377\377\377\376"), "no field has this size");
    expect_field_fault(CM_PGCOPY_TEXT, BYTES("\100\0\0\0"), "no field has this size");
    expect_field_fault(CM_PGCOPY_TEXT, BYTES("\200\0\0\0"), "no field has this size");
}

static void expect_header_fault(const char *bytes, size_t size, uint64_t byte, const char *what)
{
    cm_pgcopy_reader reader;
    cm_pgcopy_reader_init(&reader, &ALL);
    expect_fault(read_bytes(&reader, bytes, size), 1, byte, what);
}

static void test_malformed_headers(void **state)
{
    (void)state;
    expect_header_fault(BYTES("X"), 0, "no COPY signature");
    expect_header_fault(BYTES("PGCOPY\r\n"), 6, "no COPY signature");
    expect_header_fault(BYTES("PGCOPY\n\377\r\nX"), 10, "no COPY signature");
    expect_header_fault(BYTES("PGCOPY\n\377\r\n\0\0\1\0\0\0\0\0\0"), 11,
                        "unknown flags"); /* oids */
    expect_header_fault(BYTES("PGCOPY\n\377\r\n\0\200\0\0\0\0\0\0\0"), 11, "unknown flags");
    expect_header_fault(BYTES("PGCOPY\n\377\r\n\0\0\0\0\0\377\377\377\377"), 15,
                        "no header has this size");
}

/* Flags that may be ignored, and an extension that is skipped. */
static void test_header_of_a_later_version(void **state)
{
    (void)state;
    cm_pgcopy_reader reader;
    cm_pgcopy_reader_init(&reader, &ALL);
    reading got = read_bytes(&reader, BYTES("PGCOPY\n\377\r\n\0\0\0\0\1\0\0\0\3abc" TRAILER));
    assert_int_equal(got.status, CM_OK);
    assert_int_equal(got.step, CM_PGCOPY_END);
    assert_int_equal(got.used, HEADER_BYTES + 5);
    assert_int_equal(cm_pgcopy_reader_finish(&reader, NULL), CM_OK);
    free(got.bytes);
}

static void test_wrong_rows(void **state)
{
    (void)state;
    cm_pgcopy_reader reader;
    cm_pgcopy_reader_init(&reader, &ALL);
    expect_fault(read_bytes(&reader, BYTES(HEADER "\0\6")), 1, HEADER_BYTES, "number of columns");
    cm_pgcopy_reader_init(&reader, &ALL);
    expect_fault(read_bytes(&reader, BYTES(HEADER "\0\0")), 1, HEADER_BYTES, "number of columns");
    cm_pgcopy_reader_init(&reader, &ALL);
    expect_fault(read_bytes(&reader, BYTES(HEADER "\377\376")), 1, HEADER_BYTES,
                 "number of columns");
}

/* The place of a fault counts from the start of the stream, over all calls. */
static void test_fault_in_a_later_row(void **state)
{
    (void)state;
    cm_pgcopy_type type = CM_PGCOPY_BOOL;
    cm_pgcopy_columns columns = one_column(&type);
    cm_pgcopy_reader reader;
    cm_pgcopy_reader_init(&reader, &columns);
    reading got = read_bytes(&reader, BYTES(HEADER "\0\1\0\0\0\1\1"));
    assert_int_equal(got.step, CM_PGCOPY_ROW);
    free(got.bytes);
    got = read_bytes(&reader, BYTES("\0\1" NULL_FIELD));
    assert_int_equal(got.step, CM_PGCOPY_ROW);
    assert_int_equal(reader.row, 2);
    free(got.bytes);
    expect_fault(read_bytes(&reader, BYTES("\0\1\0\0\0\1\7")), 3, HEADER_BYTES + 7 + 6 + 2,
                 "no boolean");
}

static void test_ends(void **state)
{
    (void)state;
    cm_pgcopy_reader reader;
    cm_error error = {0};
    cm_pgcopy_reader_init(&reader, &ALL);
    assert_int_equal(cm_pgcopy_reader_finish(&reader, &error), CM_ERROR_FORMAT);
    assert_int_equal(error.byte, 0);
    reading got = read_bytes(&reader, BYTES(HEADER));
    assert_int_equal(got.step, CM_PGCOPY_MORE);
    assert_int_equal(got.used, HEADER_BYTES);
    free(got.bytes);
    assert_int_equal(cm_pgcopy_reader_finish(&reader, &error), CM_ERROR_FORMAT);
    assert_int_equal(error.byte, HEADER_BYTES);
    got = read_bytes(&reader, BYTES(TRAILER));
    assert_int_equal(got.step, CM_PGCOPY_END);
    free(got.bytes);
    assert_int_equal(cm_pgcopy_reader_finish(&reader, &error), CM_OK);
    got = read_bytes(&reader, "", 0);
    assert_int_equal(got.status, CM_OK);
    assert_int_equal(got.step, CM_PGCOPY_END);
    free(got.bytes);
    expect_fault(read_bytes(&reader, BYTES("\0")), 1, HEADER_BYTES + 2, "data after the end");
}

/* Columns beyond the decoded ones are handed out as they are, their sizes included. */
static void test_rest(void **state)
{
    (void)state;
    const cm_pgcopy_columns columns = {TYPES, 1, 3};
    cm_pgcopy_reader reader;
    cm_pgcopy_reader_init(&reader, &columns);
    reading got =
        read_bytes(&reader, BYTES(HEADER "\0\3\0\0\0\1a" NULL_FIELD "\0\0\0\2bc" TRAILER));
    assert_int_equal(got.step, CM_PGCOPY_ROW);
    assert_true(cm_slice_equal(got.values[0].text, CM_SLICE("a")));
    assert_true(cm_slice_equal(got.rest, CM_SLICE(NULL_FIELD "\0\0\0\2bc")));
    free(got.bytes);
    cm_pgcopy_reader_init(&reader, &columns);
    expect_fault(read_bytes(&reader, BYTES(HEADER "\0\3\0\0\0\1a\0\0\0\0\377\0\0\0")), 1,
                 HEADER_BYTES + 2 + 5 + 4, "no field has this size");
}

/* Two rows of everything, as the writer makes them. */
static void write_rows(cm_buffer *stream)
{
    cm_pgcopy_put_header(stream);
    cm_pgcopy_put_row(stream, COLUMNS);
    cm_pgcopy_put_text(stream, CM_SLICE("k\xc3\xa9y"));
    cm_pgcopy_put_bool(stream, true);
    cm_pgcopy_put_int4(stream, -60);
    cm_pgcopy_put_timestamptz(stream, 1772323200000001);
    cm_pgcopy_put_null(stream);
    cm_pgcopy_put_uuid(stream, "0123456789abcdef");
    cm_pgcopy_put_jsonb(stream, CM_SLICE("{\"a\": 1}"));
    cm_pgcopy_put_row(stream, COLUMNS);
    for (int i = 0; i < COLUMNS; i++)
        cm_pgcopy_put_null(stream);
    cm_pgcopy_put_trailer(stream);
    assert_false(stream->failed);
}

static void expect_first_row(const cm_value *values)
{
    assert_true(cm_slice_equal(values[0].text, CM_SLICE("k\xc3\xa9y")));
    assert_int_equal(values[1].integer, 1);
    assert_int_equal(values[2].integer, -60);
    assert_int_equal(values[3].integer, 1772323200000001);
    assert_int_equal(values[4].kind, CM_VALUE_MISSING);
    assert_true(cm_slice_equal(values[5].text, CM_SLICE("0123456789abcdef")));
    assert_true(cm_slice_equal(values[6].text, CM_SLICE("{\"a\": 1}")));
}

/* Read all, given at most so many bytes more each time; returns the number of rows. */
static uint64_t read_in_pieces(const cm_buffer *stream, size_t piece)
{
    cm_pgcopy_reader reader;
    size_t at = 0, end = 0;
    cm_pgcopy_reader_init(&reader, &ALL);
    for (;;) {
        reading got = read_bytes(&reader, stream->data + at, end - at);
        assert_int_equal(got.status, CM_OK);
        assert_true(got.used <= end - at);
        at += got.used;
        if (got.step == CM_PGCOPY_ROW && reader.row == 1)
            expect_first_row(got.values);
        free(got.bytes);
        if (got.step == CM_PGCOPY_END)
            break;
        if (got.step == CM_PGCOPY_MORE) {
            assert_true(end < stream->size);
            assert_int_equal(cm_pgcopy_reader_finish(&reader, NULL), CM_ERROR_FORMAT);
            end = stream->size - end < piece ? stream->size : end + piece;
        }
    }
    assert_int_equal(at, stream->size);
    assert_int_equal(reader.byte, stream->size);
    return reader.row;
}

static void test_round_trip_in_any_pieces(void **state)
{
    (void)state;
    cm_buffer stream = {0};
    write_rows(&stream);
    for (size_t piece = 1; piece <= stream.size; piece++)
        assert_int_equal(read_in_pieces(&stream, piece), 2);
    cm_buffer_destroy(&stream);
}

/* Whatever byte is changed: an error or other values, never a step beyond the input. */
static void test_any_changed_byte(void **state)
{
    (void)state;
    cm_buffer stream = {0};
    write_rows(&stream);
    for (size_t changed = 0; changed < stream.size; changed++)
        for (unsigned bit = 0; bit < 8; bit++) {
            cm_pgcopy_reader reader;
            reading got;
            size_t at = 0;
            stream.data[changed] = (char)(stream.data[changed] ^ 1 << bit);
            cm_pgcopy_reader_init(&reader, &ALL);
            do {
                got = read_bytes(&reader, stream.data + at, stream.size - at);
                at += got.used;
                free(got.bytes);
            } while (got.status == CM_OK && got.step == CM_PGCOPY_ROW);
            assert_true(got.status == CM_OK || got.status == CM_ERROR_FORMAT);
            stream.data[changed] = (char)(stream.data[changed] ^ 1 << bit);
        }
    cm_buffer_destroy(&stream);
}

static void expect_bytes(cm_buffer *got, const char *bytes, size_t size)
{
    assert_false(got->failed);
    assert_int_equal(got->size, size);
    assert_memory_equal(got->data, bytes, size);
    got->size = 0;
}

static void test_golden_bytes(void **state)
{
    (void)state;
    cm_buffer out = {0};
    cm_pgcopy_put_header(&out);
    expect_bytes(&out, BYTES(HEADER));
    cm_pgcopy_put_row(&out, 258);
    expect_bytes(&out, BYTES("\1\2"));
    cm_pgcopy_put_trailer(&out);
    expect_bytes(&out, BYTES(TRAILER));
    cm_pgcopy_put_null(&out);
    expect_bytes(&out, BYTES(NULL_FIELD));
    cm_pgcopy_put_bool(&out, true);
    expect_bytes(&out, BYTES("\0\0\0\1\1"));
    cm_pgcopy_put_int4(&out, -2);
    expect_bytes(&out, BYTES("\0\0\0\4\377\377\377\376"));
    cm_pgcopy_put_int8(&out, 0x0102030405060708);
    expect_bytes(&out, BYTES("\0\0\0\10\1\2\3\4\5\6\7\10"));
    cm_pgcopy_put_text(&out, CM_SLICE("ab"));
    expect_bytes(&out, BYTES("\0\0\0\2ab"));
    cm_pgcopy_put_text(&out, (cm_slice){NULL, 0});
    expect_bytes(&out, BYTES("\0\0\0\0"));
    cm_pgcopy_put_uuid(&out, "0123456789abcdef");
    expect_bytes(&out, BYTES("\0\0\0\0200123456789abcdef"));
    cm_pgcopy_put_timestamptz(&out, CM_PGCOPY_EPOCH_US - 1);
    expect_bytes(&out, BYTES("\0\0\0\10\377\377\377\377\377\377\377\377"));
    cm_pgcopy_put_jsonb(&out, CM_SLICE("[]"));
    expect_bytes(&out, BYTES("\0\0\0\3\1[]"));
    cm_pgcopy_put_bytes(&out, CM_SLICE("\0\377"));
    expect_bytes(&out, BYTES("\0\0\0\2\0\377"));
    cm_pgcopy_put_inet(&out, &(cm_address){4, {203, 0, 113, 7}});
    expect_bytes(&out, BYTES("\0\0\0\10\2\40\0\4\313\0\161\7"));
    cm_pgcopy_put_inet(&out, &(cm_address){6, {32, 1, 13, 184, [15] = 1}});
    expect_bytes(&out, BYTES("\0\0\0\24\3\200\0\20\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\1"));
    cm_buffer_destroy(&out);
}

/* In hex: what `SELECT numeric_send(...)` gives on PostgreSQL 15. */
static void test_golden_numerics(void **state)
{
    (void)state;
    static const struct {
        int64_t scaled;
        unsigned scale;
        const char *hex;
    } numerics[] = {
        {0, 4, "0000000000000004"},
        {10000, 4, "00010000000000040001"},
        {9000, 4, "0001ffff000000042328"},
        {1, 4, "0001ffff000000040001"},
        {1, 6, "0001fffe000000060064"},
        {990763, 6, "0002ffff0000000626b3189c"},
        {1000000, 6, "00010000000000060001"},
        {-123456789, 2, "0003000140000002007b11d722c4"},
        {1000000000, 2, "000100010000000203e8"},
        {42, 0, "0001000000000000002a"},
        {INT64_MIN, 0, "0005000440000000039a0d2c0170156516b0"},
        {INT64_MAX, 9, "0006000200000009005c092107f421631d9c1b58"},
    };
    cm_buffer out = {0}, hex = {0};
    for (size_t i = 0; i < sizeof numerics / sizeof *numerics; i++) {
        out.size = hex.size = 0;
        cm_pgcopy_put_numeric(&out, numerics[i].scaled, numerics[i].scale);
        for (size_t at = 4; at < out.size; at++) {
            cm_buffer_append_char(&hex, "0123456789abcdef"[(uint8_t)out.data[at] >> 4]);
            cm_buffer_append_char(&hex, "0123456789abcdef"[out.data[at] & 15]);
        }
        cm_buffer_append_char(&hex, '\0');
        assert_string_equal(hex.data, numerics[i].hex);
        assert_int_equal(out.data[3], out.size - 4); /* the field's size */
    }
    cm_buffer_destroy(&out);
    cm_buffer_destroy(&hex);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_text_and_missing),
        cmocka_unit_test(test_malformed_fields),
        cmocka_unit_test(test_malformed_headers),
        cmocka_unit_test(test_header_of_a_later_version),
        cmocka_unit_test(test_wrong_rows),
        cmocka_unit_test(test_fault_in_a_later_row),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_rest),
        cmocka_unit_test(test_round_trip_in_any_pieces),
        cmocka_unit_test(test_any_changed_byte),
        cmocka_unit_test(test_golden_bytes),
        cmocka_unit_test(test_golden_numerics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* CSV: golden rows, every reason with its exact line and byte, headers good and bad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "io/rows.h"
#include "util/buffer.h"

#define HEADER "tenant_id,click_id,click_timestamp\n"
#define HEADER_SIZE (sizeof HEADER - 1)

/*
 * Rows as text: one line each, `line@byte` and its first three values in brackets ("-" for a
 * missing one), or for a malformed row `line@byte`, reason and the bytes shown of it. Lines and
 * bytes count from the first row.
 */
static void show_row(cm_buffer *out, const char *block, const cm_row *row)
{
    cm_buffer_append_u64(out, row->line);
    cm_buffer_append_char(out, '@');
    cm_buffer_append_u64(out, row->byte);
    if (row->malformed != NULL) {
        cm_buffer_append_char(out, ' ');
        cm_buffer_append_text(out, row->malformed);
        cm_buffer_append_text(out, ": ");
        cm_buffer_append(out, block + row->start, row->end - row->start);
    }
    for (size_t i = 0; i < 3 && row->malformed == NULL; i++) {
        cm_buffer_append_text(out, " [");
        if (row->values[i].kind == CM_VALUE_TEXT)
            cm_buffer_append_slice(out, row->values[i].text);
        else
            cm_buffer_append_char(out, '-');
        cm_buffer_append_char(out, ']');
    }
    cm_buffer_append_char(out, ';');
}

static void show_rows(cm_row_kind kind, const char *text, size_t size, cm_buffer *out)
{
    cm_layout layout;
    cm_error error = {0};
    size_t skip;
    cm_arena arena = {0};
    if (cm_layout_read(kind, text, size, &layout, &skip, &error) != CM_OK)
        fail_msg("%s", error.message);
    assert_int_equal(layout.format, CM_FORMAT_CSV);
    /* Moved, so that sanitizers see any step beyond its end. */
    char *block = malloc(size > skip ? size - skip : 1);
    assert_non_null(block);
    memcpy(block, text + skip, size - skip);
    cm_row_reader reader;
    cm_row row;
    cm_row_reader_init(&reader, &layout, block, size - skip, &arena);
    while (cm_row_reader_next(&reader, &row))
        show_row(out, block, &row);
    assert_false(reader.out_of_memory);
    assert_false(cm_row_reader_next(&reader, &row));
    uint64_t lines = 0;
    for (size_t i = skip; i < size; i++)
        lines += text[i] == '\n';
    assert_int_equal(reader.line, lines);
    free(block);
    cm_layout_destroy(&layout);
    cm_arena_destroy(&arena);
}

static void expect_all(const char *text, const char *rows)
{
    cm_buffer out = {0};
    show_rows(CM_ROW_CLICK, text, strlen(text), &out);
    cm_buffer_append_char(&out, '\0');
    assert_string_equal(out.data, rows);
    cm_buffer_destroy(&out);
}

/* Rows behind the usual header. */
static void expect(const char *text, const char *rows)
{
    cm_buffer input = {0};
    cm_buffer_append_text(&input, HEADER);
    cm_buffer_append_text(&input, text);
    cm_buffer_append_char(&input, '\0');
    expect_all(input.data, rows);
    cm_buffer_destroy(&input);
}

/* --- Good rows -------------------------------------------------------------------------------- */

static void test_rows_have_their_values_and_places(void **state)
{
    (void)state;
    expect("", "");
    expect("t,k,1\n", "0@0 [t] [k] [1];");
    expect("t,k,1\nu,l,2\n", "0@0 [t] [k] [1];1@6 [u] [l] [2];");
    expect("t,k,1", "0@0 [t] [k] [1];");
    expect(",,\n,k,\n", "0@0 [-] [-] [-];1@3 [-] [k] [-];");
    expect(" t , k,1 \n", "0@0 [ t ] [ k] [1 ];");
}

static void test_line_ends(void **state)
{
    (void)state;
    expect("t,k,1\r\nu,l,2\r\n", "0@0 [t] [k] [1];1@7 [u] [l] [2];");
    expect("t,k,1\r\r\n", "0@0 [t] [k] [1\r];");
    expect("t,k\r,1\r", "0@0 [t] [k\r] [1\r];");
    expect("t,k,\r\n", "0@0 [t] [k] [-];");
    expect("t,k,1\ru,l,2\n", "0@8 too many fields: t,k,1\ru,l,2;");
}

static void test_blank_lines_are_no_rows(void **state)
{
    (void)state;
    expect("\n\r\n\nt,k,1\n\n\nu,l,2\n\r\n", "3@4 [t] [k] [1];6@12 [u] [l] [2];");
    expect("\n", "");
    expect("\r\n", "");
    expect("\"\"\n", "0@0 too few fields: \"\";");
    expect(" \n", "0@0 too few fields:  ;");
}

static void test_quotes(void **state)
{
    (void)state;
    expect("\"t\",\"k\",\"1\"\n", "0@0 [t] [k] [1];");
    expect("\"t\",\"k\",\"1\"\r\nu,l,2\n", "0@0 [t] [k] [1];1@13 [u] [l] [2];");
    expect("\"t\",\"k\",\"1\"", "0@0 [t] [k] [1];");
    expect("\"\",\"\",\"\"\n", "0@0 [-] [-] [-];");
    expect("\"a,b\",\"c\nd\",\"e\r\nf\"\nu,l,2\n", "0@0 [a,b] [c\nd] [e\r\nf];3@19 [u] [l] [2];");
    expect("\"\"\"\",\"a\"\"b\",\"\"\"\"\"\"\n", "0@0 [\"] [a\"b] [\"\"];");
    expect("\"a\r\",\"b\n\",\"\"\"\n\"\"\"\n", "0@0 [a\r] [b\n] [\"\n\"];");
}

static void test_a_quote_inside_a_field_is_data(void **state)
{
    (void)state;
    expect("t\",k\"\"l,1\"2\n", "0@0 [t\"] [k\"\"l] [1\"2];");
    expect(" \"t\",k,1\n", "0@0 [ \"t\"] [k] [1];");
    expect("\r\"t\",k,1\n", "0@0 [\r\"t\"] [k] [1];");
}

static void test_any_byte_is_data(void **state)
{
    (void)state;
    static const char text[] = HEADER "t\0,\xFF\xFE,\x01\n";
    static const char rows[] = "0@0 [t\0] [\xFF\xFE] [\x01];";
    cm_buffer out = {0};
    show_rows(CM_ROW_CLICK, text, sizeof text - 1, &out);
    assert_int_equal(out.size, sizeof rows - 1);
    assert_memory_equal(out.data, rows, out.size);
    cm_buffer_destroy(&out);
}

/* Marks are found 64 bytes at a time: rows of every length stand at every place in that. */
static void test_rows_of_every_length(void **state)
{
    (void)state;
    char field[140];
    memset(field, 'x', sizeof field);
    for (int size = 1; size < (int)sizeof field; size++) {
        cm_buffer text = {0}, rows = {0};
        for (uint64_t i = 0; i < 3; i++) {
            uint64_t byte = text.size;
            cm_buffer_append_text(&text, i == 1 ? "\"" : "");
            cm_buffer_append(&text, field, (size_t)size);
            cm_buffer_append_text(&text, i == 1 ? "\",k,\"1\"\"\"\n" : ",k,1\"\n");
            cm_buffer_append_u64(&rows, i);
            cm_buffer_append_char(&rows, '@');
            cm_buffer_append_u64(&rows, byte);
            cm_buffer_append_text(&rows, " [");
            cm_buffer_append(&rows, field, (size_t)size);
            cm_buffer_append_text(&rows, "] [k] [1\"];");
        }
        cm_buffer_append_char(&text, '\0');
        cm_buffer_append_char(&rows, '\0');
        expect(text.data, rows.data);
        cm_buffer_destroy(&text);
        cm_buffer_destroy(&rows);
    }
}

static void test_values_know_their_bytes(void **state)
{
    (void)state;
    static const char text[] = "\"t\",,1\n";
    int16_t fields[] = {0, 1, 2};
    cm_layout layout;
    cm_layout_ndjson(CM_ROW_CLICK, &layout);
    layout.format = CM_FORMAT_CSV;
    layout.column_count = 3;
    layout.fields = fields;
    cm_arena arena = {0};
    cm_row_reader reader;
    cm_row row;
    cm_row_reader_init(&reader, &layout, text, sizeof text - 1, &arena);
    assert_true(cm_row_reader_next(&reader, &row));
    assert_int_equal(row.value_bytes[0], 0);
    assert_int_equal(row.value_bytes[2], 5);
    assert_int_equal(row.end, 6);
}

/* --- Malformed rows --------------------------------------------------------------------------- */

static void test_wrong_number_of_fields(void **state)
{
    (void)state;
    expect("t\nu,l\nv,m,3\n", "0@0 too few fields: t;1@2 too few fields: u,l;2@6 [v] [m] [3];");
    expect("t,k,1,\nu,l,2,x,y\n", "0@6 too many fields: t,k,1,;1@13 too many fields: u,l,2,x,y;");
    expect("t,k,1,\"a\nb\"\nu,l,2\n", "0@6 too many fields: t,k,1,\"a\nb\";2@12 [u] [l] [2];");
}

static void test_text_after_a_closing_quote(void **state)
{
    (void)state;
    expect("t,\"k\"x,1\nu,l,2\n", "0@5 text after a closing quote: t,\"k\"x,1;1@9 [u] [l] [2];");
    expect("\"t\" ,k,1\n", "0@3 text after a closing quote: \"t\" ,k,1;");
    expect("t,k,\"1\"\r", "0@7 text after a closing quote: t,k,\"1\"\r;");
    expect("t,k,\"1\"\rx\r\n", "0@7 text after a closing quote: t,k,\"1\"\rx;");
    expect("t,\"k\"\"\"x,\"1\n", "0@7 text after a closing quote: t,\"k\"\"\"x,\"1;");
}

static void test_a_lost_closing_quote_costs_one_line(void **state)
{
    (void)state;
    /* To the end of the input. */
    expect("t,\"k,1\nu,l,2\nv,m,3\n",
           "0@2 quoted field is not closed: t,\"k,1;1@7 [u] [l] [2];2@13 [v] [m] [3];");
    expect("t,k,\"1", "0@4 quoted field is not closed: t,k,\"1;");
    expect("t,k,\"", "0@4 quoted field is not closed: t,k,\";");
    /* To the next quote. */
    expect("t,\"k,1\nu,l,2\nv,\"m\",3\n",
           "0@2 quoted field is not closed: t,\"k,1;1@7 [u] [l] [2];2@13 [v] [m] [3];");
    /* Where the next quote happens to close it well, nobody can tell. */
    expect("t,\"k,1\nu,l\",2\n", "0@0 [t] [k,1\nu,l] [2];");
}

/* A row of that many bytes, and a good one behind it. */
static void show_long(size_t size, cm_buffer *out)
{
    cm_buffer text = {0};
    cm_buffer_append_text(&text, HEADER "t,k,");
    while (text.size - HEADER_SIZE < size)
        cm_buffer_append_char(&text, 'x');
    cm_buffer_append_text(&text, "\nu,l,2\n");
    out->size = 0;
    show_rows(CM_ROW_CLICK, text.data, text.size, out);
    cm_buffer_append_char(out, '\0');
    cm_buffer_destroy(&text);
}

static void expect_ends(const char *text, const char *start, const char *end)
{
    assert_ptr_equal(strstr(text, start), text);
    assert_true(strlen(text) > strlen(end));
    assert_string_equal(text + strlen(text) - strlen(end), end);
}

static void test_a_row_too_long(void **state)
{
    (void)state;
    cm_buffer out = {0};
    show_long(CM_ROW_BYTES_MAX, &out);
    expect_ends(out.data, "0@0 [t] [k] [xxx", "xxx];1@1048577 [u] [l] [2];");
    show_long(CM_ROW_BYTES_MAX + 1, &out);
    expect_ends(out.data, "0@0 row longer than 1048576 bytes: t,k,xxx",
                "xxx;1@1048578 [u] [l] [2];");
    cm_buffer_destroy(&out);
}

static void test_a_quoted_row_too_long_costs_one_line(void **state)
{
    (void)state;
    cm_buffer text = {0}, out = {0};
    cm_buffer_append_text(&text, HEADER "t,\"k,\n");
    for (size_t size = 0; size < CM_ROW_BYTES_MAX; size += 6)
        cm_buffer_append_text(&text, "u,l,2\n");
    cm_buffer_append_text(&text, "\",3\n");
    show_rows(CM_ROW_CLICK, text.data, text.size, &out);
    cm_buffer_append_char(&out, '\0');
    expect_ends(out.data, "0@2 quoted field is not closed: t,\"k,;1@6 [u] [l] [2];",
                "174763@1048578 [u] [l] [2];174764@1048584 quoted field is not closed: \",3;");
    cm_buffer_destroy(&text);
    cm_buffer_destroy(&out);
}

/* --- Headers ---------------------------------------------------------------------------------- */

static void test_columns_stand_in_any_order(void **state)
{
    (void)state;
    expect_all("click_timestamp,x,tenant_id,,click_id\n1,2,t,3,k\n", "0@0 [t] [k] [1];");
    expect_all("Click_id,click_id ,click_id,tenant_id,click_timestamp\na,b,k,t,1\n",
               "0@0 [t] [k] [1];");
    expect_all("x,x,\"a,\"\"b\",\"click_id\",tenant_id,click_timestamp\r\n1,2,3,k,t,1\n",
               "0@0 [t] [k] [1];");
}

static void test_what_may_stand_before_and_behind_the_header(void **state)
{
    (void)state;
    expect_all("\xEF\xBB\xBF" HEADER "t,k,1\n", "0@0 [t] [k] [1];");
    expect_all("\xEF\xBB\xBF\"tenant_id\",click_id,click_timestamp\n", "");
    expect_all("\n\r\n" HEADER "t,k,1\n", "0@0 [t] [k] [1];");
    expect_all("tenant_id,click_id,click_timestamp", "");
    expect_all("tenant_id,click_id,click_timestamp\r\n\r\nt,k,1\r\n", "1@2 [t] [k] [1];");
}

static void test_conversions_have_their_own_columns(void **state)
{
    (void)state;
    static const char text[] = "conversion_timestamp,conversion_id,click_timestamp,tenant_id\n"
                               "1,v,ignored,t\n";
    cm_buffer out = {0};
    show_rows(CM_ROW_CONVERSION, text, sizeof text - 1, &out);
    cm_buffer_append_char(&out, '\0');
    assert_string_equal(out.data, "0@0 [t] [v] [1];");
    cm_buffer_destroy(&out);
}

static void refuse_sized(const char *text, size_t size, uint64_t line, uint64_t byte,
                         const char *message)
{
    cm_layout layout;
    cm_error error = {0};
    size_t skip;
    assert_int_equal(cm_layout_read(CM_ROW_CLICK, text, size, &layout, &skip, &error),
                     CM_ERROR_FORMAT);
    if (strstr(error.message, message) == NULL)
        fail_msg("no '%s' in '%s'", message, error.message);
    assert_int_equal(error.line, line);
    assert_int_equal(error.byte, byte);
    assert_null(strchr(error.message, '\n'));
}

static void refuse(const char *text, uint64_t line, uint64_t byte, const char *message)
{
    refuse_sized(text, strlen(text), line, byte, message);
}

static void test_headers_that_are_refused(void **state)
{
    (void)state;
    refuse("", 1, 0, "empty input");
    refuse("\xEF\xBB\xBF\r\n \t\n", 1, 0, "empty input");
    refuse("tenant_id,click_id\n", 1, 0,
           "required column missing: click_timestamp; found: tenant_id, click_id");
    refuse(
        "\nid;click_id;time\nt;k;1\n", 2, 1,
        "required columns missing: tenant_id, click_id, click_timestamp; found: id;click_id;time");
    refuse("tenant_id,\"a\nb\x01\",click_id\n", 1, 0, "found: tenant_id, a?b?, click_id");
    refuse("tenant_id,click_id,click_timestamp,\"click_id\"\n", 1, 35,
           "column click_id is there twice (columns 2 and 4)");
    refuse("\xEF\xBB\xBFtenant_id,tenant_id", 1, 13, "column tenant_id is there twice");
    refuse("tenant_id,\"click_id,click_timestamp\nt,k,1\n", 1, 0, "quotes do not fit");
    refuse("tenant_id,\"click_id\"x,click_timestamp\n", 1, 0, "quotes do not fit");
    refuse("[{\"tenant_id\":1}]", 1, 0, "one JSON object per line");
    refuse_sized("a\0b", 3, 1, 0, "found: a?b");
}

static void test_a_header_without_end_is_refused(void **state)
{
    (void)state;
    cm_buffer text = {0};
    while (text.size <= CM_ROW_BYTES_MAX)
        cm_buffer_append_text(&text, "some_column,");
    refuse_sized(text.data, text.size, 1, 0, "the CSV header is longer than 1048576 bytes");
    text.size = 10000;
    refuse_sized(text.data, text.size, 1, 0, "some_column, ...");
    cm_buffer_destroy(&text);
}

static void test_a_head_is_ready_once_it_holds_the_header(void **state)
{
    (void)state;
    static const char text[] = "\xEF\xBB\xBF\r\n\ntenant_id,\"a\nb\"\n";
    for (size_t size = 0; size < sizeof text - 1; size++)
        assert_false(cm_layout_is_ready(text, size));
    assert_true(cm_layout_is_ready(text, sizeof text - 1));
    assert_true(cm_layout_is_ready("\n {", 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_have_their_values_and_places),
        cmocka_unit_test(test_line_ends),
        cmocka_unit_test(test_blank_lines_are_no_rows),
        cmocka_unit_test(test_quotes),
        cmocka_unit_test(test_a_quote_inside_a_field_is_data),
        cmocka_unit_test(test_any_byte_is_data),
        cmocka_unit_test(test_rows_of_every_length),
        cmocka_unit_test(test_values_know_their_bytes),
        cmocka_unit_test(test_wrong_number_of_fields),
        cmocka_unit_test(test_text_after_a_closing_quote),
        cmocka_unit_test(test_a_lost_closing_quote_costs_one_line),
        cmocka_unit_test(test_a_row_too_long),
        cmocka_unit_test(test_a_quoted_row_too_long_costs_one_line),
        cmocka_unit_test(test_columns_stand_in_any_order),
        cmocka_unit_test(test_what_may_stand_before_and_behind_the_header),
        cmocka_unit_test(test_conversions_have_their_own_columns),
        cmocka_unit_test(test_headers_that_are_refused),
        cmocka_unit_test(test_a_header_without_end_is_refused),
        cmocka_unit_test(test_a_head_is_ready_once_it_holds_the_header),
    };
    return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}

/* NDJSON: what RFC 8259 accepts and refuses, as lines of one flat object; values as they are
 * delivered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "io/rows.h"
#include "util/buffer.h"

/* Rows of the lines in a block that ends exactly where its memory does. */
typedef struct lines {
    cm_layout layout;
    cm_arena arena;
    cm_row_reader reader;
    cm_row row;
    char *block;
} lines;

static void begin(lines *l, const char *text, size_t size)
{
    *l = (lines){0};
    cm_layout_ndjson(CM_ROW_CLICK, &l->layout);
    l->block = malloc(size > 0 ? size : 1);
    assert_non_null(l->block);
    memcpy(l->block, text, size);
    cm_row_reader_init(&l->reader, &l->layout, l->block, size, &l->arena);
}

static void end(lines *l)
{
    free(l->block);
    cm_arena_destroy(&l->arena);
}

static const cm_row *next(lines *l)
{
    return cm_row_reader_next(&l->reader, &l->row) ? &l->row : NULL;
}

/* --- Accepted and refused --------------------------------------------------------------------- */

/* JSON values; each stands for a known key, an unknown key and inside other values. */
static const char *const good_values[] = {
    /* Numbers */
    "0", "-0", "1", "-1", "10", "123456789012345678901234567890", "0.5", "-0.5", "1.50", "0e0",
    "0E+1", "1e10", "1E10", "1e+2", "1e-2", "1.5e+2", "-1.5E-2", "0.0e00", "1e999",
    "0.000000000000000000000000000000000000000000000000000000000000000000000000001",
    /* Words */
    "true", "false", "null",
    /* Strings */
    "\"\"", "\" \"", "\"a\"", "\"/\"", "\"\\/\"", "\"\\\"\"", "\"\\\\\"", "\"\\b\\f\\n\\r\\t\"",
    "\"\\u0041\"", "\"\\u0000\"", "\"\\u001f\"", "\"\\uD834\\uDD1E\"", "\"\\ud834\\udd1e\"",
    "\"\\uDBFF\\uDFFF\"", "\"\\uFFFF\"", "\"\\u0022\"", "\"\\uABCD\\uabcd\"", "\"\x7F\"",
    "\"\xC2\x80\"", "\"\xDF\xBF\"", "\"\xE0\xA0\x80\"", "\"\xED\x9F\xBF\"", "\"\xEE\x80\x80\"",
    "\"\xEF\xBF\xBF\"", "\"\xF0\x90\x80\x80\"", "\"\xF4\x8F\xBF\xBF\"", "\"\xE2\x80\xA8\"",
    "\"[]{}:,'//#\"", "\"\\\\u0041\"", "\"sixteen bytes...\\\"and some more behind them\"",
    /* Nested */
    "[]", "{}", "[ ]", "{ }", "[1]", "[1,2]", "[ 1 , 2 ]", "[[]]", "[{}]", "{\"a\":1}",
    "{\"a\":{\"b\":[null,true,false,\"x\"]}}", "{ \"a\" : 1 , \"a\" : 2 }", "{\"\":0}",
    "[\"\\u00e9\",\"\xC3\xA9\",1e3]", "[[[[[[[[[[1]]]]]]]]]]"};

static const char *const bad_values[] = {
    /* Numbers */
    "+1", ".5", "1.", "-", "-a", "01", "-01", "00", "0x1", "1e", "1e+", "1E-", "1.e1", "1.5e",
    "1e1.5", "Infinity", "-Infinity", "NaN", "1_000", "1 000", "--1", "1+2", "0e", "1.2.3",
    "\xEF\xBC\x91", "1a",
    /* Words */
    "True", "FALSE", "nul", "nulll", "tru", "truefalse", "undefined", "none", "t",
    /* Strings */
    "\"", "\"a", "'a'", "a", "\"\\", "\"\\\"", "\"\\x41\"", "\"\\a\"", "\"\\0\"", "\"\\u\"",
    "\"\\u0\"", "\"\\u004\"", "\"\\u00g1\"", "\"\\U0041\"", "\"\\ud800\"", "\"\\udc00\"",
    "\"\\ud800a\"", "\"\\ud800\\n\"", "\"\\ud800\\u0041\"", "\"\\ud800\\ud800\"",
    "\"\\udc00\\ud800\"", "\"\\ud834\\udd\"", "\"\\ud834\\\"", "\"\t\"", "\"\x01\"", "\"\x1F\"",
    "\"\r\"", "\"\x80\"", "\"\xC0\x80\"", "\"\xC1\xBF\"", "\"\xC3\"", "\"\xC3(\"",
    "\"\xE0\x80\x80\"", "\"\xE2\x82\"", "\"\xED\xA0\x80\"", "\"\xED\xBF\xBF\"",
    "\"\xF0\x80\x80\x80\"", "\"\xF0\x9F\x98\"", "\"\xF4\x90\x80\x80\"", "\"\xF5\x80\x80\x80\"",
    "\"\xFE\"", "\"\xFF\"", "\"a\"b\"", "\"a\" \"b\"", "\"\\\xC3\xA9\"",
    /* Nested */
    "[", "]", "{", "[1", "[1,", "[1,]", "[,1]", "[,]", "[1,,2]", "[1 2]", "[1}", "{]", "{\"a\"}",
    "{\"a\":}", "{\"a\":1,}", "{,}", "{\"a\" 1}", "{\"a\"::1}", "{a:1}", "{1:1}", "{null:1}",
    "{'a':1}", "{\"a\":1 \"b\":2}", "{\"a\":1;\"b\":2}", "{\"a\":\"\\x\"}", "[\"\xFF\"]",
    "{\"\xFF\":1}", "{\"a\":01}", "[1]]", "{}}", "[a]", "//", "/**/1", "1/**/", "#", "", " "};

/* Whole lines that are refused, whatever the values. */
static const char *const bad_lines[] = {"{",
                                        "}",
                                        "{}x",
                                        "{}{}",
                                        "{},",
                                        "[]",
                                        "[{}]",
                                        "1",
                                        "\"a\"",
                                        "null",
                                        "x",
                                        "{,}",
                                        "{\"a\"}",
                                        "{\"a\":}",
                                        "{\"a\":1,}",
                                        "{,\"a\":1}",
                                        "{\"a\":1,,\"b\":2}",
                                        "{\"a\":1}}",
                                        "{\"a\":1]",
                                        "{a:1}",
                                        "{\"a\" 1}",
                                        "{\"a\":1 \"b\":2}",
                                        "{\"a\",1}",
                                        "{\"a\":1",
                                        "{\"a\":",
                                        "{\"a\"",
                                        "{\"a",
                                        "{\"a\\",
                                        "{\"a\":1,",
                                        "\xEF\xBB\xBF{}",
                                        "{}\x0C",
                                        "{\x0B}",
                                        "{\"a\":1}//",
                                        "{\"a\"=1}",
                                        "{\"\\x\":1}",
                                        "{\"\\ud800\":1}",
                                        "{\"\xC3\":1}",
                                        "{\"\t\":1}",
                                        "{\xC2\xA0}"};

#define COUNT(list) (sizeof(list) / sizeof *(list))

static void append(cm_buffer *line, const char *before, const char *value, const char *behind)
{
    line->size = 0;
    cm_buffer_append_text(line, before);
    cm_buffer_append_text(line, value);
    cm_buffer_append_text(line, behind);
}

/* A line alone, with and without its end, and between others, which must come through. */
static void check_line(const cm_buffer *line, bool is_good)
{
    static const char *const ends[] = {"", "\n", "\r\n", "\n{\"click_id\":\"next\"}"};
    static const char before[] = "{\"click_id\":\"before\"}\n";
    for (size_t i = 0; i < COUNT(ends); i++) {
        cm_buffer block = {0};
        cm_buffer_append_text(&block, before);
        cm_buffer_append(&block, line->data, line->size);
        cm_buffer_append_text(&block, ends[i]);
        lines l;
        begin(&l, block.data, block.size);
        assert_non_null(next(&l));
        assert_null(l.row.malformed);
        const cm_row *row = next(&l);
        assert_non_null(row);
        if ((row->malformed == NULL) != is_good)
            fail_msg("%s: %.*s", is_good ? row->malformed : "accepted", (int)line->size,
                     line->data);
        assert_int_equal(row->start, sizeof before - 1);
        assert_int_equal(row->line, 1);
        assert_in_range(row->byte, row->start, row->start + line->size + 1);
        assert_int_equal(row->end, row->start + line->size);
        if (i == 3)
            assert_non_null(next(&l));
        assert_null(next(&l));
        end(&l);
        cm_buffer_destroy(&block);
    }
}

static void check_value(const char *value, bool is_good)
{
    static const char *const frames[][2] = {{"{\"click_id\":", "}"},
                                            {"{\"other\":", "}"},
                                            {"{ \"other\" : ", " } "},
                                            {"{\"os\":\"x\",\"other\":[0,", "],\"os\":1}"},
                                            {"{\"other\":{\"a\":", "}}"}};
    cm_buffer line = {0};
    for (size_t i = 0; i < COUNT(frames); i++) {
        append(&line, frames[i][0], value, frames[i][1]);
        check_line(&line, is_good);
    }
    cm_buffer_destroy(&line);
}

static void test_good_values_are_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good_values); i++)
        check_value(good_values[i], true);
}

static void test_bad_values_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad_values); i++)
        check_value(bad_values[i], false);
}

static void test_bad_lines_are_refused(void **state)
{
    (void)state;
    cm_buffer line = {0};
    for (size_t i = 0; i < COUNT(bad_lines); i++) {
        append(&line, bad_lines[i], "", "");
        check_line(&line, false);
    }
    cm_buffer_destroy(&line);
}

static void test_nul_bytes_are_refused_where_json_has_none(void **state)
{
    (void)state;
    static const char *const frames[][2] = {
        {"{", "}"}, {"{}", ""}, {"{\"a\":\"", "\"}"}, {"{\"a\":1", "}"}, {"{\"a\":\"\\", "\"}"}};
    cm_buffer line = {0};
    for (size_t i = 0; i < COUNT(frames); i++) {
        append(&line, frames[i][0], "", "");
        cm_buffer_append_char(&line, '\0');
        cm_buffer_append_text(&line, frames[i][1]);
        check_line(&line, false);
    }
    cm_buffer_destroy(&line);
}

/* --- Reasons ---------------------------------------------------------------------------------- */

static void expect_reason(const char *text, size_t byte, const char *reason)
{
    lines l;
    begin(&l, text, strlen(text));
    assert_non_null(next(&l));
    assert_non_null(l.row.malformed);
    assert_string_equal(l.row.malformed, reason);
    assert_int_equal(l.row.byte, byte);
    end(&l);
}

static void test_each_reason_stands_at_its_byte(void **state)
{
    (void)state;
    expect_reason("  x\n", 2, "not a JSON object");
    expect_reason("{} x\n", 3, "text after the object");
    expect_reason("{\"a\":1,x}\n", 7, "expected a key in quotes");
    expect_reason("{\"a\" 1}\n", 5, "expected ':'");
    expect_reason("{\"a\":1 2}\n", 7, "expected ',' or '}'");
    expect_reason("{\"a\":[1 2]}\n", 8, "expected ',' or ']'");
    expect_reason("{\"a\":x}\n", 5, "not a JSON value");
    expect_reason("{\"a\":tru}\n", 5, "not a JSON value");
    expect_reason("{\"a\":1.x}\n", 7, "malformed number");
    expect_reason("{\"a\":\"b\n", 7, "string without a closing quote");
    expect_reason("{\"a\":\"b\tc\"}\n", 7, "control character in a string");
    expect_reason("{\"a\":\"b\xFF\"}\n", 7, "malformed UTF-8 in a string");
    expect_reason("{\"a\":\"b\\x\"}\n", 7, "malformed escape or lone surrogate in a string");
    expect_reason("{\"a\":\"b\\ud800\"}\n", 7, "malformed escape or lone surrogate in a string");
}

/* Brackets that many deep inside the line's object. */
static void check_depth(size_t depth, bool is_good)
{
    for (int kind = 0; kind < 2; kind++) {
        cm_buffer line = {0};
        cm_buffer_append_text(&line, "{\"a\":");
        for (size_t i = 0; i < depth; i++)
            cm_buffer_append_text(&line, kind == 0 ? "[" : "{\"a\":");
        cm_buffer_append_text(&line, "1");
        for (size_t i = 0; i < depth; i++)
            cm_buffer_append_text(&line, kind == 0 ? "]" : "}");
        cm_buffer_append_text(&line, "}");
        check_line(&line, is_good);
        cm_buffer_destroy(&line);
    }
}

static void test_depth_is_limited(void **state)
{
    (void)state;
    check_depth(63, true);
    check_depth(64, false);
    check_depth(100000, false);
    char text[200] = "{\"a\":";
    memset(text + 5, '[', 100);
    expect_reason(text, 5 + 63, "nested deeper than 64 levels");
}

static void test_a_line_too_long(void **state)
{
    (void)state;
    cm_buffer text = {0};
    cm_buffer_append_text(&text, "{\"click_id\":\"");
    while (text.size < CM_ROW_BYTES_MAX - 2)
        cm_buffer_append_char(&text, 'x');
    cm_buffer_append_text(&text, "\"}\n");
    lines l;
    begin(&l, text.data, text.size);
    assert_null(next(&l)->malformed);
    end(&l);
    text.data[text.size - 1] = ' ';
    cm_buffer_append_text(&text, "\n{}\n");
    begin(&l, text.data, text.size);
    assert_string_equal(next(&l)->malformed, "row longer than 1048576 bytes");
    assert_int_equal(l.row.byte, 0);
    assert_null(next(&l)->malformed);
    assert_int_equal(l.row.line, 1);
    end(&l);
    cm_buffer_destroy(&text);
}

/* --- Values ----------------------------------------------------------------------------------- */

static void expect_click_id(const char *line, cm_value_kind kind, cm_slice text)
{
    lines l;
    begin(&l, line, strlen(line));
    assert_null(next(&l)->malformed);
    cm_value value = l.row.values[CM_CLICK_CLICK_ID];
    assert_int_equal(value.kind, kind);
    if (kind == CM_VALUE_TEXT || kind == CM_VALUE_NUMBER) {
        assert_int_equal(value.text.size, text.size);
        assert_memory_equal(value.text.data, text.data, text.size);
    } else if (kind == CM_VALUE_BOOLEAN) {
        assert_int_equal(value.integer, text.size);
    }
    end(&l);
}

static void test_kinds(void **state)
{
    (void)state;
    expect_click_id("{\"click_id\":\"k\"}", CM_VALUE_TEXT, CM_SLICE("k"));
    expect_click_id("{\"click_id\":-1.5e3}", CM_VALUE_NUMBER, CM_SLICE("-1.5e3"));
    expect_click_id("{\"click_id\":0}", CM_VALUE_NUMBER, CM_SLICE("0"));
    expect_click_id("{\"click_id\":true}", CM_VALUE_BOOLEAN, CM_SLICE("1"));
    expect_click_id("{\"click_id\":false}", CM_VALUE_BOOLEAN, CM_SLICE(""));
    expect_click_id("{\"click_id\":null}", CM_VALUE_MISSING, CM_SLICE(""));
    expect_click_id("{\"click_id\":[1,\"k\"]}", CM_VALUE_WRONG, CM_SLICE(""));
    expect_click_id("{\"click_id\":{\"click_id\":\"k\"}}", CM_VALUE_WRONG, CM_SLICE(""));
    expect_click_id("{}", CM_VALUE_MISSING, CM_SLICE(""));
    expect_click_id("{\"Click_id\":\"k\",\"click_id \":\"k\",\"\":\"k\",\"click_i\":\"k\"}",
                    CM_VALUE_MISSING, CM_SLICE(""));
}

static void test_the_last_of_a_key_counts(void **state)
{
    (void)state;
    expect_click_id("{\"click_id\":1,\"click_id\":\"k\"}", CM_VALUE_TEXT, CM_SLICE("k"));
    expect_click_id("{\"click_id\":\"k\",\"click_id\":null}", CM_VALUE_MISSING, CM_SLICE(""));
    expect_click_id("{\"click_id\":[],\"click_id\":2}", CM_VALUE_NUMBER, CM_SLICE("2"));
}

static void test_escapes_are_undone(void **state)
{
    (void)state;
    expect_click_id("{\"click_id\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", CM_VALUE_TEXT,
                    CM_SLICE("\"\\/\b\f\n\r\t"));
    expect_click_id("{\"click_id\":\"a\\u0000b\"}", CM_VALUE_TEXT, CM_SLICE("a\0b"));
    expect_click_id("{\"click_id\":\"\\u0041\\u00e9\\u20AC\\uD83D\\uDE00\\uFFFF\"}", CM_VALUE_TEXT,
                    CM_SLICE("A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\xEF\xBF\xBF"));
    expect_click_id("{\"click_id\":\"\\u0080\\u07FF\\u0800\\uDBFF\\uDFFF\"}", CM_VALUE_TEXT,
                    CM_SLICE("\xC2\x80\xDF\xBF\xE0\xA0\x80\xF4\x8F\xBF\xBF"));
    expect_click_id("{\"click_id\":\"x\\\\u0041\"}", CM_VALUE_TEXT, CM_SLICE("x\\u0041"));
}

static void test_escaped_keys_are_the_same_keys(void **state)
{
    (void)state;
    expect_click_id("{\"click\\u005fid\":\"k\"}", CM_VALUE_TEXT, CM_SLICE("k"));
    expect_click_id("{\"\\u0063\\u006c\\u0069\\u0063\\u006b\\u005f\\u0069\\u0064\":\"k\"}",
                    CM_VALUE_TEXT, CM_SLICE("k"));
    expect_click_id("{\"click\\u005fid\\u0000\":\"k\"}", CM_VALUE_MISSING, CM_SLICE(""));
    cm_buffer line = {0};
    cm_buffer_append_text(&line, "{\"");
    for (int i = 0; i < 1000; i++)
        cm_buffer_append_text(&line, "\\u0063");
    cm_buffer_append_text(&line, "\":1,\"click_id\":2}");
    cm_buffer_append_char(&line, '\0');
    expect_click_id(line.data, CM_VALUE_NUMBER, CM_SLICE("2"));
    cm_buffer_destroy(&line);
}

/* Every name finds its field, in both kinds. */
static void test_all_names_are_known(void **state)
{
    (void)state;
    for (int kind = CM_ROW_CLICK; kind <= CM_ROW_CONVERSION; kind++) {
        cm_layout layout;
        cm_layout_ndjson((cm_row_kind)kind, &layout);
        for (size_t field = 0; field < cm_field_count((cm_row_kind)kind); field++) {
            const char *name = cm_field_name((cm_row_kind)kind, field);
            assert_int_equal(cm_layout_field(&layout, name, strlen(name)), field);
            assert_int_equal(cm_layout_field(&layout, name, strlen(name) - 1), CM_FIELD_COUNT_MAX);
        }
        assert_int_equal(cm_layout_field(&layout, "", 0), CM_FIELD_COUNT_MAX);
    }
}

static void test_values_know_their_bytes(void **state)
{
    (void)state;
    static const char text[] = "\n \t\r\n{ \"os\" : \"x\" ,\"click_id\":12}\r\n\n";
    lines l;
    begin(&l, text, sizeof text - 1);
    const cm_row *row = next(&l);
    assert_non_null(row);
    assert_int_equal(row->line, 2);
    assert_int_equal(row->start, 5);
    assert_int_equal(row->end, sizeof text - 1 - 3);
    assert_int_equal(row->value_bytes[CM_CLICK_OS], 14);
    assert_int_equal(row->value_bytes[CM_CLICK_CLICK_ID], 30);
    assert_null(next(&l));
    assert_int_equal(l.reader.line, 4);
    end(&l);
}

/* Strings of every length, with what ends a run at every place in it. */
static void test_strings_of_every_length(void **state)
{
    (void)state;
    char line[128], value[64];
    for (size_t size = 0; size < sizeof value; size++) {
        for (size_t at = 0; at <= size; at++) {
            memset(value, 'v', sizeof value);
            memcpy(line, "{\"click_id\":\"", 13);
            memset(line + 13, 'v', size);
            if (at < size)
                value[at] = line[13 + at] = '\x7F';
            memcpy(line + 13 + size, "\"}", 3);
            expect_click_id(line, CM_VALUE_TEXT, cm_slice_of(value, size));
            if (at == size)
                continue;
            line[13 + at] = '\x1F';
            expect_reason(line, 13 + at, "control character in a string");
            line[13 + at] = '\x80';
            expect_reason(line, 13 + at, "malformed UTF-8 in a string");
        }
    }
}

static void test_format_is_recognised_by_the_first_byte(void **state)
{
    (void)state;
    static const char *const heads[] = {"{", " {", "\n\r\n\t{", "\xEF\xBB\xBF{\"a\":1}"};
    for (size_t i = 0; i < COUNT(heads); i++) {
        cm_layout layout;
        size_t skip;
        assert_int_equal(
            cm_layout_read(CM_ROW_CLICK, heads[i], strlen(heads[i]), &layout, &skip, NULL), CM_OK);
        assert_int_equal(layout.format, CM_FORMAT_NDJSON);
        assert_int_equal(skip, i == 3 ? 3 : 0);
        cm_layout_destroy(&layout);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_values_are_accepted),
        cmocka_unit_test(test_bad_values_are_refused),
        cmocka_unit_test(test_bad_lines_are_refused),
        cmocka_unit_test(test_nul_bytes_are_refused_where_json_has_none),
        cmocka_unit_test(test_each_reason_stands_at_its_byte),
        cmocka_unit_test(test_depth_is_limited),
        cmocka_unit_test(test_a_line_too_long),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_the_last_of_a_key_counts),
        cmocka_unit_test(test_escapes_are_undone),
        cmocka_unit_test(test_escaped_keys_are_the_same_keys),
        cmocka_unit_test(test_all_names_are_known),
        cmocka_unit_test(test_values_know_their_bytes),
        cmocka_unit_test(test_strings_of_every_length),
        cmocka_unit_test(test_format_is_recognised_by_the_first_byte),
    };
    return cmocka_run_group_tests_name("ndjson", tests, NULL, NULL);
}

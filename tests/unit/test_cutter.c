/*
 * Any input gives the same rows however it is cut into blocks, and those that a plain reading of
 * the rules, one byte at a time, gives: src/io/rows.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "io/blocks.h"
#include "io/scan.h"
#include "util/buffer.h"

#define HEADER "tenant_id,click_id,click_timestamp\n"

/* A random sequence that is the same in each run. */
static uint64_t random_state = 1;

static uint64_t random_below(uint64_t bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % bound;
}

/* Bytes in memory as a source that gives them out in pieces. */
typedef struct pieces {
    const char *bytes;
    size_t size, at, piece_max;
} pieces;

static cm_status pieces_read(void *context, char *buffer, size_t size, size_t *got, cm_error *error)
{
    (void)error;
    pieces *p = context;
    size_t left = p->size - p->at;
    size_t count = 1 + random_below(p->piece_max);
    count = count < left ? count : left;
    count = count < size ? count : size;
    if (count > 0)
        memcpy(buffer, p->bytes + p->at, count);
    p->at += count;
    *got = count;
    return CM_OK;
}

/* One row as a line of text: where it is, and what it is. */
static void show(cm_buffer *out, uint64_t line, uint64_t start, uint64_t end, const char *malformed,
                 uint64_t byte)
{
    cm_buffer_append_u64(out, line);
    cm_buffer_append_char(out, ' ');
    cm_buffer_append_u64(out, start);
    cm_buffer_append_char(out, '-');
    cm_buffer_append_u64(out, end);
    cm_buffer_append_char(out, ' ');
    if (malformed != NULL) {
        cm_buffer_append_u64(out, byte);
        cm_buffer_append_char(out, ' ');
        cm_buffer_append_text(out, malformed);
    }
}

static void show_values(cm_buffer *out, const cm_row *row, uint64_t offset)
{
    for (size_t i = 0; i < CM_FIELD_REQUIRED_COUNT && row->malformed == NULL; i++) {
        cm_buffer_append_char(out, '|');
        if (row->values[i].kind != CM_VALUE_TEXT)
            continue;
        cm_buffer_append_u64(out, offset + row->value_bytes[i]);
        cm_buffer_append_char(out, ' ');
        cm_buffer_append_slice(out, row->values[i].text);
    }
    cm_buffer_append_char(out, '\n');
}

/* All rows of an input, read through blocks. */
static void read_blocks(const char *bytes, size_t size, size_t piece_max,
                        const cm_block_options *options, cm_buffer *out)
{
    pieces p = {bytes, size, 0, piece_max};
    cm_source source = {&p, "pieces", pieces_read, NULL};
    cm_block_reader blocks;
    cm_error error;
    assert_int_equal(cm_block_reader_open(&source, CM_ROW_CLICK, options, &blocks, &error), CM_OK);
    uint64_t line = blocks.first_line;
    cm_block block = {0};
    cm_arena arena = {0};
    for (;;) {
        assert_int_equal(cm_block_reader_next(&blocks, &block, &error), CM_OK);
        if (block.size == 0)
            break;
        assert_true(block.capacity <= 8 * CM_ROW_BYTES_MAX);
        cm_row_reader reader;
        cm_row row;
        cm_row_reader_init(&reader, &blocks.layout, block.data, block.size, &arena);
        while (cm_row_reader_next(&reader, &row)) {
            uint64_t offset = block.offset;
            show(out, line + row.line, offset + row.start, offset + row.end, row.malformed,
                 offset + row.byte);
            show_values(out, &row, offset);
        }
        assert_false(reader.out_of_memory);
        line += reader.line + block.lines_skipped;
        cm_arena_reset(&arena);
    }
    cm_arena_destroy(&arena);
    cm_block_destroy(&block);
    cm_block_reader_close(&blocks);
}

/* --- The rules, one byte at a time ------------------------------------------------------------ */

typedef struct plain_row {
    size_t end;         /* its line end */
    const char *reason; /* malformed */
    size_t fault;
    size_t columns;
    size_t starts[4];
    char *values[4]; /* of the first columns */
    size_t sizes[4];
} plain_row;

/* Read a row by the grammar. False where its quotes do not fit or it is too long. */
static bool parse_row(const char *bytes, size_t size, size_t start, plain_row *row)
{
    size_t at = start;
    row->columns = 0;
    for (;;) {
        char *value = malloc(size - start + 1);
        size_t length = 0, field = at;
        bool is_good = true;
        if (at < size && bytes[at] == '"') {
            for (at++; at < size; at++) {
                if (bytes[at] == '"' && at + 1 < size && bytes[at + 1] == '"')
                    at++;
                else if (bytes[at] == '"')
                    break;
                value[length++] = bytes[at];
            }
            row->fault = at < size ? at + 1 : field;
            row->reason = at < size ? "text after a closing quote" : "quoted field is not closed";
            is_good = at++ < size;
            if (at + 1 < size && bytes[at] == '\r' && bytes[at + 1] == '\n')
                at++;
            is_good = is_good && (at == size || bytes[at] == ',' || bytes[at] == '\n');
        } else {
            for (; at < size && bytes[at] != ',' && bytes[at] != '\n'; at++)
                value[length++] = bytes[at];
            if (at < size && bytes[at] == '\n' && length > 0 && value[length - 1] == '\r')
                length--;
        }
        if (row->columns < 4) {
            row->values[row->columns] = value;
            row->starts[row->columns] = field;
            row->sizes[row->columns] = length;
        } else {
            free(value);
        }
        row->columns++;
        if (!is_good || at >= size || bytes[at] == '\n') {
            row->end = at < size ? at : size;
            return is_good && row->end - start <= CM_ROW_BYTES_MAX;
        }
        at++;
    }
}

static void free_values(plain_row *row)
{
    for (size_t i = 0; i < row->columns && i < 4; i++)
        free(row->values[i]);
}

/* What is wrong with a broken row: a matter of its first line alone. */
static void judge_broken(const char *bytes, size_t size, size_t start, plain_row *row)
{
    size_t line_end = cm_scan_byte(bytes, start, size, '\n');
    free_values(row);
    (void)parse_row(bytes, line_end, start, row);
    free_values(row);
    row->columns = 0;
    row->end = line_end;
    if (line_end - start > CM_ROW_BYTES_MAX) {
        row->reason = "row longer than 1048576 bytes";
        row->fault = start;
    }
}

static void show_plain(cm_buffer *out, const char *bytes, uint64_t line, size_t start,
                       const plain_row *row)
{
    bool is_cr = row->end > start && bytes[row->end - 1] == '\r' && bytes[row->end] == '\n';
    size_t end = row->end - is_cr;
    if (row->end - start > CM_ROW_BYTES_MAX)
        end = start + CM_ROW_BYTES_MAX + 1;
    show(out, line, start, end, row->reason, row->fault);
    for (size_t i = 0; row->reason == NULL && i < 3; i++) {
        cm_buffer_append_char(out, '|');
        if (row->sizes[i] == 0)
            continue;
        cm_buffer_append_u64(out, row->starts[i]);
        cm_buffer_append_char(out, ' ');
        cm_buffer_append(out, row->values[i], row->sizes[i]);
    }
    cm_buffer_append_char(out, '\n');
}

/* bytes has a NUL behind its end. */
static void read_plainly(const char *bytes, size_t size, cm_buffer *out)
{
    size_t start = strlen(HEADER);
    uint64_t line = 2;
    while (start < size) {
        plain_row row = {0};
        bool is_good = parse_row(bytes, size, start, &row);
        if (!is_good) {
            judge_broken(bytes, size, start, &row);
        } else if (row.columns != 3) {
            row.reason = row.columns < 3 ? "too few fields" : "too many fields";
            row.fault = row.columns < 3 ? start : row.starts[3];
        } else {
            row.reason = NULL;
        }
        bool is_blank =
            row.end == start || (row.end == start + 1 && bytes[start] == '\r' && row.end < size);
        if (!is_blank)
            show_plain(out, bytes, line, start, &row);
        free_values(&row);
        for (; start <= row.end && start < size; start++)
            line += bytes[start] == '\n';
    }
}

/* --- Tests ------------------------------------------------------------------------------------ */

/* The line around a place where two texts differ. */
static void print_line(const char *what, const cm_buffer *text, size_t at)
{
    size_t start = at;
    while (start > 0 && text->data[start - 1] != '\n')
        start--;
    size_t end = at < text->size ? cm_scan_byte(text->data, at, text->size, '\n') : at;
    fprintf(stderr, "%s: %.*s\n", what, (int)(end - start), text->data + start);
}

static void expect_same(const cm_buffer *input, const cm_buffer *expected, const cm_buffer *got)
{
    size_t at = 0, shared = expected->size < got->size ? expected->size : got->size;
    while (at < shared && expected->data[at] == got->data[at])
        at++;
    if (at == expected->size && at == got->size)
        return;
    print_line("expected", expected, at);
    print_line("got     ", got, at);
    fprintf(stderr, "input of %zu bytes:\n%.*s\n", input->size,
            input->size > 4000 ? 4000 : (int)input->size, input->data);
    fail();
}

/* Bytes that mean something to CSV, mostly. */
static void append_hostile(cm_buffer *input, size_t size)
{
    static const char alphabet[] = "\"\"\"\"\",,,,\n\n\n\r\rab\0\xC3";
    while (input->size < size)
        cm_buffer_append_char(input, alphabet[random_below(sizeof alphabet - 1)]);
}

/* Lines of fields, some of them quoted, a few badly. */
static void append_lines(cm_buffer *input, size_t size)
{
    static const char *const fields[] = {"a",        "",     "\"b\"",  "\"c,d\"", "\"e\"\"f\"",
                                         "\"g\nh\"", "\"\"", "\"lost", "x\"y",    "\"z\"z"};
    while (input->size < size) {
        for (int i = 0; i < 3; i++) {
            uint64_t field = random_below(40);
            cm_buffer_append_text(input, fields[field < 10 ? field : field % 7]);
            cm_buffer_append_text(input, i < 2 ? "," : random_below(4) > 0 ? "\n" : "\r\n");
        }
    }
}

static void check_csv(cm_buffer *input, size_t block_bytes_max, size_t piece_max, int times)
{
    cm_buffer expected = {0}, got = {0};
    cm_buffer_append_char(input, '\0');
    input->size--;
    read_plainly(input->data, input->size, &expected);
    /* Without the bytes behind its end, so that sanitizers see any step beyond. */
    char *exact = malloc(input->size);
    assert_non_null(exact);
    memcpy(exact, input->data, input->size);
    for (int i = 0; i < times; i++) {
        cm_block_options options = {1 + random_below(block_bytes_max), random_below(2) == 0, false};
        got.size = 0;
        read_blocks(exact, input->size, piece_max, &options, &got);
        expect_same(input, &expected, &got);
    }
    free(exact);
    cm_buffer_destroy(&expected);
    cm_buffer_destroy(&got);
}

static void test_any_split_gives_the_same_rows(void **state)
{
    (void)state;
    for (int i = 0; i < 3000; i++) {
        cm_buffer input = {0};
        cm_buffer_append_text(&input, HEADER);
        size_t size = input.size + random_below(i % 10 == 0 ? 2000 : 60);
        if (i % 2 == 0)
            append_hostile(&input, size);
        else
            append_lines(&input, size);
        check_csv(&input, 100, 1 + random_below(40), 4);
        cm_buffer_destroy(&input);
    }
}

/* Long enough for what is looked at together to end anywhere in a row. */
static void test_long_inputs_give_the_same_rows(void **state)
{
    (void)state;
    for (int i = 0; i < 60; i++) {
        cm_buffer input = {0};
        cm_buffer_append_text(&input, HEADER);
        size_t size = input.size + random_below(40000);
        if (i % 4 == 0)
            append_hostile(&input, size);
        else
            append_lines(&input, size);
        check_csv(&input, 30000, 1 + random_below(20000), 4);
        cm_buffer_destroy(&input);
    }
}

/* Pieces whose lengths add up to about as much as a row may be long. */
static void append_huge(cm_buffer *input)
{
    static const char *const marks[] = {"\"",   "\"",      "\"\"",       ",",   ",",
                                        "\n",   "\n",      "\r\n",       ",\"", "\",",
                                        "\"\n", "t,k,1\n", "t,\"k\",1\n"};
    size_t parts = 3 + random_below(12);
    for (size_t i = 0; i < parts; i++) {
        for (uint64_t count = random_below(6); count > 0; count--)
            cm_buffer_append_text(input, marks[random_below(sizeof marks / sizeof *marks)]);
        static const size_t lengths[] = {1, CM_ROW_BYTES_MAX / 2, CM_ROW_BYTES_MAX};
        size_t length = lengths[random_below(3)] + random_below(20);
        length -= length > CM_ROW_BYTES_MAX / 4 ? random_below(40) : 0;
        if (!cm_buffer_reserve(input, length))
            fail();
        memset(input->data + input->size, 'x', length);
        input->size += length;
    }
}

static void test_rows_about_as_long_as_they_may_be(void **state)
{
    (void)state;
    for (int i = 0; i < 60; i++) {
        cm_buffer input = {0};
        cm_buffer_append_text(&input, HEADER);
        append_huge(&input);
        check_csv(&input, 5 * CM_ROW_BYTES_MAX / 2, 1 + random_below(CM_ROW_BYTES_MAX), 3);
        cm_buffer_destroy(&input);
    }
}

/* What each of the lines is, whatever the blocks. */
static void test_ndjson_lines_are_the_same_in_any_split(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"tenant_id\":\"t\"}\n", "\n", " \r\n", "{\n", "x\r\n", "{\"click_id\":\"\\u0041\"}\r\n",
        "{\"a\":\"\"\"}\n"};
    for (int i = 0; i < 300; i++) {
        cm_buffer input = {0}, whole = {0}, got = {0};
        cm_buffer_append_text(&input, "{}\n");
        for (uint64_t count = random_below(60); count > 0; count--)
            cm_buffer_append_text(&input, texts[random_below(7)]);
        input.size -= random_below(3);
        read_blocks(input.data, input.size, input.size, NULL, &whole);
        for (int k = 0; k < 5; k++) {
            cm_block_options options = {1 + random_below(100), random_below(2) == 0, false};
            got.size = 0;
            read_blocks(input.data, input.size, 1 + random_below(20), &options, &got);
            expect_same(&input, &whole, &got);
        }
        cm_buffer_destroy(&input);
        cm_buffer_destroy(&whole);
        cm_buffer_destroy(&got);
    }
}

static void test_kernels_agree_with_their_portable_twins(void **state)
{
    (void)state;
    static const char odd[] = ",\"\n\r\\ \x1F\x7F\x80\xFF\0-#+\x0B!";
    char bytes[64];
    for (int i = 0; i < 20000; i++) {
        memset(bytes, 'x', sizeof bytes);
        for (uint64_t count = random_below(8); count > 0; count--)
            bytes[random_below(sizeof bytes)] = odd[random_below(sizeof odd)];
        size_t size = random_below(sizeof bytes + 1);
        assert_int_equal(cm_scan_json(bytes, size), cm_scan_json_portable(bytes, size));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_split_gives_the_same_rows),
        cmocka_unit_test(test_long_inputs_give_the_same_rows),
        cmocka_unit_test(test_rows_about_as_long_as_they_may_be),
        cmocka_unit_test(test_ndjson_lines_are_the_same_in_any_split),
        cmocka_unit_test(test_kernels_agree_with_their_portable_twins),
    };
    return cmocka_run_group_tests_name("cutter", tests, NULL, NULL);
}

/* Blocks out of sources that fail, do not end or are made to take long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "io/blocks.h"
#include "util/buffer.h"
#include "util/error.h"

#define HEADER "tenant_id,click_id,click_timestamp\n"

/* Bytes in memory as a source that gives out so many at once. */
typedef struct text {
    const char *bytes;
    size_t size, at, piece;
} text;

static cm_status text_read(void *context, char *buffer, size_t size, size_t *got, cm_error *error)
{
    (void)error;
    text *t = context;
    size_t count = t->size - t->at;
    count = count < t->piece ? count : t->piece;
    count = count < size ? count : size;
    if (count > 0)
        memcpy(buffer, t->bytes + t->at, count);
    t->at += count;
    *got = count;
    return CM_OK;
}

/* --- Hostile sizes ---------------------------------------------------------------------------- */

/* A source of a long line of one byte, its end, and a good row. */
typedef struct endless {
    const char *start;
    char byte;
    uint64_t left;
    const char *behind;
} endless;

static cm_status endless_read(void *context, char *buffer, size_t size, size_t *got,
                              cm_error *error)
{
    (void)error;
    endless *e = context;
    const char **part = e->start != NULL ? &e->start : &e->behind;
    if (e->start == NULL && e->left > 0) {
        *got = e->left < size ? e->left : size;
        memset(buffer, e->byte, *got);
        e->left -= *got;
        return CM_OK;
    }
    *got = *part == NULL ? 0 : strlen(*part);
    assert_true(*got <= size);
    if (*got > 0)
        memcpy(buffer, *part, *got);
    *part = NULL;
    return CM_OK;
}

/* One row too long, then line 3 in its place. */
static void check_endless(const char *start, char byte, const char *behind)
{
    static const uint64_t long_size = 300u << 20;
    endless e = {start, byte, long_size, behind};
    cm_source source = {&e, "endless", endless_read, NULL};
    cm_block_reader blocks;
    assert_int_equal(cm_block_reader_open(&source, CM_ROW_CLICK, NULL, &blocks, NULL), CM_OK);
    cm_block block = {0};
    cm_arena arena = {0};
    cm_row row;
    cm_row_reader reader;
    assert_int_equal(cm_block_reader_next(&blocks, &block, NULL), CM_OK);
    assert_int_equal(block.lines_skipped, 1);
    assert_int_equal(block.size, CM_ROW_BYTES_MAX + 1);
    assert_true(block.capacity <= CM_BLOCK_BYTES);
    cm_row_reader_init(&reader, &blocks.layout, block.data, block.size, &arena);
    assert_true(cm_row_reader_next(&reader, &row));
    assert_string_equal(row.malformed, "row longer than 1048576 bytes");
    assert_false(cm_row_reader_next(&reader, &row));
    assert_int_equal(reader.line, 0);
    uint64_t offset = block.offset;
    assert_int_equal(cm_block_reader_next(&blocks, &block, NULL), CM_OK);
    assert_in_range(block.offset - offset, long_size, long_size + 20);
    cm_row_reader_init(&reader, &blocks.layout, block.data, block.size, &arena);
    assert_true(cm_row_reader_next(&reader, &row));
    assert_null(row.malformed);
    assert_true(blocks.rest_capacity <= CM_BLOCK_BYTES);
    cm_block_destroy(&block);
    cm_block_reader_close(&blocks);
    cm_arena_destroy(&arena);
}

static void test_memory_is_bounded_whatever_the_row(void **state)
{
    (void)state;
    check_endless(HEADER "t,", 'x', "\nt,k,1\n");
    check_endless(HEADER "t,", '\0', "\nt,k,1\n");
    check_endless(HEADER "t,\"", 'x', "\nt,k,1\n");
    check_endless(HEADER "t,", '"', "\nt,k,1\n");
    check_endless(HEADER, ',', "\nt,k,1\n");
    check_endless("{", ' ', "}\n{}\n");
}

static void test_blank_lines_without_end_are_no_header(void **state)
{
    (void)state;
    endless e = {"\n", '\n', 1u << 30, HEADER};
    cm_source source = {&e, "endless", endless_read, NULL};
    cm_block_reader blocks;
    cm_error error;
    assert_int_equal(cm_block_reader_open(&source, CM_ROW_CLICK, NULL, &blocks, &error),
                     CM_ERROR_FORMAT);
    assert_string_equal(error.message, "endless: empty input; give a CSV header or NDJSON rows");
    assert_true(e.left > 1u << 29);
}

/* Count the rows of an input in memory. */
static uint64_t count_rows(const cm_buffer *input)
{
    text t = {input->data, input->size, 0, input->size};
    cm_source source = {&t, "text", text_read, NULL};
    cm_block_reader blocks;
    cm_block block = {0};
    cm_arena arena = {0};
    uint64_t rows = 0;
    assert_int_equal(cm_block_reader_open(&source, CM_ROW_CLICK, NULL, &blocks, NULL), CM_OK);
    while (cm_block_reader_next(&blocks, &block, NULL) == CM_OK && block.size > 0) {
        cm_row_reader reader;
        cm_row row;
        cm_row_reader_init(&reader, &blocks.layout, block.data, block.size, &arena);
        while (cm_row_reader_next(&reader, &row))
            rows++;
    }
    cm_arena_destroy(&arena);
    cm_block_destroy(&block);
    cm_block_reader_close(&blocks);
    return rows;
}

/* Each line is inside quotes at its end: looked at again from each of them, this would take hours.
 */
static void test_broken_rows_take_linear_time(void **state)
{
    (void)state;
    static const char *const texts[] = {"a\",\"b\n", "\"a\"\",\"b\"\"\n", "a\",\"\n"};
    for (size_t i = 0; i < 3; i++) {
        cm_buffer input = {0};
        cm_buffer_append_text(&input, HEADER);
        uint64_t lines = 0;
        for (; input.size < 4 * CM_ROW_BYTES_MAX; lines++)
            cm_buffer_append_text(&input, texts[i]);
        assert_in_range(count_rows(&input), lines / 2, lines);
        cm_buffer_destroy(&input);
    }
}

/* --- Blocks ----------------------------------------------------------------------------------- */

static cm_status failing_read(void *context, char *buffer, size_t size, size_t *got,
                              cm_error *error)
{
    int *reads = context;
    if ((*reads)-- > 0) {
        *got = strlen(HEADER);
        assert_true(*got <= size);
        memcpy(buffer, HEADER, *got);
        return CM_OK;
    }
    return cm_error_set(error, CM_ERROR_IO, "gone");
}

static void test_errors_of_the_source_pass_through(void **state)
{
    (void)state;
    for (int count = 0; count < 3; count++) {
        int reads = count;
        cm_source source = {&reads, "failing", failing_read, NULL};
        cm_block_reader blocks;
        cm_block block = {0};
        cm_error error = {0};
        cm_status status = cm_block_reader_open(&source, CM_ROW_CLICK, NULL, &blocks, &error);
        if (count > 0) {
            assert_int_equal(status, CM_OK);
            status = cm_block_reader_next(&blocks, &block, &error);
            cm_block_reader_close(&blocks);
        }
        assert_int_equal(status, CM_ERROR_IO);
        assert_string_equal(error.message, "gone");
        cm_block_destroy(&block);
    }
}

static void test_header_errors_name_the_source(void **state)
{
    (void)state;
    text t = {"\na,b\n", 5, 0, 1};
    cm_source source = {&t, "clicks.csv", text_read, NULL};
    cm_block_reader blocks;
    cm_error error;
    assert_int_equal(cm_block_reader_open(&source, CM_ROW_CLICK, NULL, &blocks, &error),
                     CM_ERROR_FORMAT);
    assert_ptr_equal(strstr(error.message, "clicks.csv: required columns missing: "),
                     error.message);
    assert_int_equal(error.line, 2);
    assert_int_equal(error.byte, 1);
}

static void test_eager_blocks_come_as_soon_as_a_row_is_there(void **state)
{
    (void)state;
    static const char rows[] = HEADER "t,k,1\nt,k,2\nt,";
    text t = {rows, sizeof rows - 1, 0, 1};
    cm_source source = {&t, "text", text_read, NULL};
    cm_block_options options = {.eager = true};
    cm_block_reader blocks;
    cm_block block = {0};
    assert_int_equal(cm_block_reader_open(&source, CM_ROW_CLICK, &options, &blocks, NULL), CM_OK);
    assert_int_equal(blocks.first_line, 2);
    assert_int_equal(t.at, strlen(HEADER));
    for (size_t row = 1; row <= 2; row++) {
        assert_int_equal(cm_block_reader_next(&blocks, &block, NULL), CM_OK);
        assert_int_equal(block.size, 6);
        assert_int_equal(t.at, strlen(HEADER) + 6 * row);
    }
    cm_block_destroy(&block);
    cm_block_reader_close(&blocks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_is_bounded_whatever_the_row),
        cmocka_unit_test(test_blank_lines_without_end_are_no_header),
        cmocka_unit_test(test_broken_rows_take_linear_time),
        cmocka_unit_test(test_errors_of_the_source_pass_through),
        cmocka_unit_test(test_header_errors_name_the_source),
        cmocka_unit_test(test_eager_blocks_come_as_soon_as_a_row_is_there),
    };
    return cmocka_run_group_tests_name("blocks", tests, NULL, NULL);
}

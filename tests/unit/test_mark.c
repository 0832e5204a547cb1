/*
 * Every level of the kernels gives the same: the same marks, and of CSV the same rows, the same
 * borders, and the borders are those of the walk, which goes row by row. Rows of NDJSON:
 * test_ndjson_mark.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "io/mark.h"
#include "io/rows.h"
#include "util/buffer.h"

/* A random sequence that is the same in each run. */
static uint64_t random_state = 88172645463325252u;

static uint64_t random_below(uint64_t bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % bound;
}

/* --- Marks ------------------------------------------------------------------------------------ */

/* What means something in a JSON string. */
static const char *json_marked(void)
{
    static char marked[256];
    size_t count = 0;
    for (int byte = 1; byte < 256; byte++)
        if (byte < ' ' || byte >= 0x80 || byte == '"' || byte == '\\')
            marked[count++] = (char)byte;
    return marked;
}

static void expect_marks(cm_mark_function *function, const char *bytes, size_t size,
                         const char *marked)
{
    uint16_t marks[CM_MARK_ROOM];
    size_t count = function(bytes, size, marks), next = 0;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '\0' ? marked != json_marked() : strchr(marked, bytes[i]) == NULL)
            continue;
        assert_true(next < count);
        assert_int_equal(marks[next++], i);
    }
    assert_int_equal(next, count);
}

/* Bytes of which one in `rarity` is marked; the others differ from those by little. */
static void fill(char *bytes, size_t size, uint64_t rarity)
{
    static const char near[] = "\x0B\x09\x21\x23\x2B\x2D\x8A\xA2\xAC\0x \r\\[]\x1F\x7F\x80\xFF";
    for (size_t i = 0; i < size; i++)
        bytes[i] = random_below(rarity) == 0 ? ",\n\""[random_below(3)]
                                             : near[random_below(sizeof near - 1)];
}

static void every_level_marks_the_same(void **state)
{
    (void)state;
    for (int i = 0; i < 6000; i++) {
        size_t size = random_below(i % 10 == 0 ? CM_STRETCH_BYTES + 1 : 300);
        size_t offset = random_below(64);
        /* Not a byte more, so that sanitizers see any step beyond. */
        char *room = malloc(offset + size + (offset + size == 0));
        assert_non_null(room);
        fill(room + offset, size, 1 + random_below(40));
        for (size_t at = 0; at < size && i % 3 == 0;
             at++) /* any bytes, few of them marks of JSON */
            room[offset + at] =
                random_below(20) > 0 ? (char)(' ' + random_below(95)) : (char)random_below(256);
        for (int level = 0; level < CM_MARK_LEVEL_COUNT; level++) {
            const cm_mark_kernel *kernel = cm_mark_kernel_at((cm_mark_level)level);
            if (kernel == NULL)
                continue;
            expect_marks(kernel->csv, room + offset, size, ",\n\"");
            expect_marks(kernel->quotes, room + offset, size, "\"");
            expect_marks(kernel->json, room + offset, size, json_marked());
        }
        free(room);
    }
}

static void a_stretch_may_be_all_marks(void **state)
{
    (void)state;
    char bytes[CM_STRETCH_BYTES];
    memset(bytes, '"', sizeof bytes);
    for (int level = 0; level < CM_MARK_LEVEL_COUNT; level++) {
        const cm_mark_kernel *kernel = cm_mark_kernel_at((cm_mark_level)level);
        if (kernel == NULL)
            continue;
        print_message("  level: %s\n", kernel->name);
        expect_marks(kernel->csv, bytes, sizeof bytes, ",\n\"");
        expect_marks(kernel->quotes, bytes, sizeof bytes, "\"");
        expect_marks(kernel->json, bytes, sizeof bytes, json_marked());
    }
}

static void the_best_level_is_the_last_there_is(void **state)
{
    (void)state;
    const cm_mark_kernel *last = NULL;
    for (int level = 0; level < CM_MARK_LEVEL_COUNT; level++)
        if (cm_mark_kernel_at((cm_mark_level)level) != NULL)
            last = cm_mark_kernel_at((cm_mark_level)level);
    assert_non_null(last);
    assert_ptr_equal(last, cm_mark_kernel_best());
}

/* --- Files ------------------------------------------------------------------------------------ */

/* Lines of fields, some quoted, with one fault among `rarity` fields. */
static void append_lines(cm_buffer *file, size_t size, size_t columns, uint64_t rarity)
{
    static const char *const good[] = {"a",          "",         "\"b\"",    "\"c,d\"",
                                       "\"e\"\"f\"", "\"\"",     "\"\"\"\"", "\"g, h; i\"",
                                       "0123456789", "\"j\nk\"", "l\"m",     "\xC3\xA9"};
    static const char *const bad[] = {"\"lost", "\"z\"z", "\"z\"\r", "\"", "x,y", "\"\"\""};
    while (file->size < size) {
        for (size_t field = 0; field < columns; field++) {
            if (random_below(rarity) == 0)
                cm_buffer_append_text(file, bad[random_below(6)]);
            else
                cm_buffer_append_text(file, good[random_below(12)]);
            for (uint64_t i = random_below(30); i > 20; i--)
                cm_buffer_append_text(file, "filling filling ");
            cm_buffer_append_text(file, field + 1 < columns   ? ","
                                        : random_below(5) > 0 ? "\n"
                                                              : "\r\n");
        }
    }
}

static void append_noise(cm_buffer *file, size_t size)
{
    static const char alphabet[] = "\"\"\"\",,,,,\n\n\n\r\rab\0\xC3";
    while (file->size < size)
        cm_buffer_append_char(file, alphabet[random_below(sizeof alphabet - 1)]);
}

/* A file of one kind or another, without its header; a copy without a byte more. */
static char *make_file(int turn, size_t columns, size_t *size)
{
    static const uint64_t rarities[] = {1000000, 2000, 100, 5};
    cm_buffer file = {0};
    *size = random_below(turn % 4 == 0 ? 40000 : 3000);
    if (turn % 5 == 0)
        append_noise(&file, *size);
    else
        append_lines(&file, *size, columns, rarities[turn % 4]);
    *size = *size < file.size ? *size : file.size; /* cut off anywhere */
    char *exact = malloc(*size + (*size == 0));
    assert_non_null(exact);
    if (*size > 0)
        memcpy(exact, file.data, *size);
    cm_buffer_destroy(&file);
    return exact;
}

static void show_row(cm_buffer *out, const cm_row *row)
{
    const uint64_t places[] = {row->line, row->start, row->end, row->byte};
    for (size_t i = 0; i < 4; i++) {
        cm_buffer_append_u64(out, places[i]);
        cm_buffer_append_char(out, ' ');
    }
    if (row->malformed != NULL)
        cm_buffer_append_text(out, row->malformed);
    for (size_t i = 0; i < CM_CLICK_FIELD_COUNT && row->malformed == NULL; i++) {
        cm_buffer_append_char(out, '|');
        if (row->values[i].kind == CM_VALUE_MISSING)
            continue;
        cm_buffer_append_u64(out, row->value_bytes[i]);
        cm_buffer_append_char(out, ':');
        cm_buffer_append_slice(out, row->values[i].text);
    }
    cm_buffer_append_char(out, '\n');
}

static void show_rows(const cm_layout *layout, const char *block, size_t size,
                      const cm_mark_kernel *kernel, cm_buffer *out)
{
    cm_arena arena = {0};
    cm_row_reader reader;
    cm_row row;
    cm_row_reader_init(&reader, layout, block, size, &arena);
    reader.kernel = kernel;
    while (cm_row_reader_next(&reader, &row))
        show_row(out, &row);
    assert_false(reader.out_of_memory);
    cm_buffer_append_u64(out, reader.line);
    cm_arena_destroy(&arena);
}

static void expect_same_rows(const char *header, size_t columns)
{
    cm_layout layout;
    cm_error error;
    size_t skip;
    assert_int_equal(cm_layout_read(CM_ROW_CLICK, header, strlen(header), &layout, &skip, &error),
                     CM_OK);
    assert_int_equal(layout.column_count, columns);
    for (int turn = 0; turn < 300; turn++) {
        size_t size;
        char *block = make_file(turn, columns, &size);
        cm_buffer expected = {0}, got = {0};
        show_rows(&layout, block, size, cm_mark_kernel_at(CM_MARK_PORTABLE), &expected);
        for (int level = 1; level < CM_MARK_LEVEL_COUNT; level++) {
            if (cm_mark_kernel_at((cm_mark_level)level) == NULL)
                continue;
            got.size = 0;
            show_rows(&layout, block, size, cm_mark_kernel_at((cm_mark_level)level), &got);
            assert_int_equal(got.size, expected.size);
            assert_memory_equal(got.data, expected.data, got.size);
        }
        cm_buffer_destroy(&expected);
        cm_buffer_destroy(&got);
        free(block);
    }
    cm_layout_destroy(&layout);
}

static void every_level_reads_the_same_rows(void **state)
{
    (void)state;
    expect_same_rows("tenant_id,click_id,click_timestamp\n", 3);
    expect_same_rows("os,unknown,click_timestamp,tenant_id,,is_valid,click_id,gclid,other\n", 9);
}

/* --- Borders ---------------------------------------------------------------------------------- */

/* A cutter that walks every row. */
static size_t walk_border(cm_csv_walk *walk, const char *buffer, size_t size, size_t border)
{
    size_t end;
    while (cm_csv_walk_row(walk, buffer, size, false, &end) != CM_CSV_END_UNKNOWN)
        border = walk->row;
    return border;
}

/* Bytes come in pieces; now and then what lies before the border is taken off. */
static void expect_borders(const char *file, size_t size, const cm_mark_kernel *kernel,
                           uint64_t piece_max)
{
    cm_cutter cutter;
    cm_csv_walk walk = {0};
    size_t start = 0, border = 0;
    cm_cutter_init(&cutter, CM_FORMAT_CSV);
    cutter.kernel = kernel;
    for (size_t given = 0; given < size;) {
        given += 1 + random_below(piece_max);
        given = given < size ? given : size;
        border = walk_border(&walk, file + start, given - start, border);
        assert_int_equal(cm_cutter_border(&cutter, file + start, given - start), border);
        if (random_below(3) == 0) {
            cm_csv_walk_take(&walk, border);
            cm_cutter_take(&cutter);
            start += border;
            border = 0;
        }
    }
}

static void the_cutter_finds_the_borders_of_the_walk(void **state)
{
    (void)state;
    static const uint64_t pieces[] = {3, 100, 5000, 100000};
    for (int turn = 0; turn < 600; turn++) {
        size_t size;
        char *file = make_file(turn, 3, &size);
        for (int level = 0; level < CM_MARK_LEVEL_COUNT; level++)
            if (cm_mark_kernel_at((cm_mark_level)level) != NULL)
                expect_borders(file, size, cm_mark_kernel_at((cm_mark_level)level),
                               pieces[random_below(4)]);
        free(file);
    }
}

/* Rows about as long as they may be, in quotes and not, good and lost. */
static void long_rows_have_the_borders_of_the_walk(void **state)
{
    (void)state;
    static const char *const marks[] = {"\"",       "\"",   "\"\"",   ",",           ",\"",
                                        "\",",      "\n",   "\"\n",   "t,k,1\n",     "t,\"k\",1\n",
                                        "\"x\"y\n", "\r\n", "\"\r\n", "\"lost\n,\"", "\n\n"};
    for (int turn = 0; turn < 30; turn++) {
        cm_buffer file = {0};
        for (uint64_t parts = 2 + random_below(6); parts > 0; parts--) {
            for (uint64_t count = random_below(6); count > 0; count--)
                cm_buffer_append_text(&file, marks[random_below(15)]);
            size_t length = random_below(3) == 0 ? CM_ROW_BYTES_MAX - 20 + random_below(40)
                                                 : random_below(CM_ROW_BYTES_MAX);
            if (!cm_buffer_reserve(&file, length))
                fail();
            memset(file.data + file.size, 'x', length);
            file.size += length;
        }
        expect_borders(file.data, file.size, cm_mark_kernel_best(), 700000);
        cm_buffer_destroy(&file);
    }
}

/* Lost quotes over and over: each line again looks like the start of a row that spans many. */
static void lost_quotes_take_linear_time(void **state)
{
    (void)state;
    cm_buffer file = {0};
    while (file.size < 8 * CM_ROW_BYTES_MAX)
        cm_buffer_append_text(&file, random_below(3) == 0 ? "\"a,b\n" : "\"a\"\"b,\"\"\n");
    cm_cutter cutter;
    cm_csv_walk walk = {0};
    cm_cutter_init(&cutter, CM_FORMAT_CSV);
    size_t border = walk_border(&walk, file.data, file.size, 0);
    assert_int_equal(cm_cutter_border(&cutter, file.data, file.size), border);
    cm_buffer_destroy(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_level_marks_the_same),
        cmocka_unit_test(a_stretch_may_be_all_marks),
        cmocka_unit_test(the_best_level_is_the_last_there_is),
        cmocka_unit_test(every_level_reads_the_same_rows),
        cmocka_unit_test(the_cutter_finds_the_borders_of_the_walk),
        cmocka_unit_test(long_rows_have_the_borders_of_the_walk),
        cmocka_unit_test(lost_quotes_take_linear_time),
    };
    return cmocka_run_group_tests_name("mark", tests, NULL, NULL);
}

/*
 * What NDJSON members are read from mark to mark is what the scanner reads: the same rows, the same
 * events, the same faults at the same bytes, at every level, on lines of all kinds and mutations of
 * them, wherever a stretch or the block ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "harness/random.h"
#include "io/event_reader.h"
#include "io/key.h"
#include "util/buffer.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

/* A random sequence that is the same in each run. */
static uint64_t random_state = 20260301;

static size_t below(size_t end)
{
    return random_below(&random_state, (uint32_t)end);
}

/* --- Rows as text ----------------------------------------------------------------------------- */

/* Without marks every member is left to the scanner. */
static size_t no_marks(const char *bytes, size_t size, uint16_t *marks)
{
    (void)bytes, (void)size, (void)marks;
    return 0;
}

static const cm_mark_kernel scanner_alone = {"scanner", no_marks, no_marks, no_marks};

static void show_number(cm_buffer *out, uint64_t number)
{
    cm_buffer_append_u64(out, number);
    cm_buffer_append_char(out, ' ');
}

static void show_value(cm_buffer *out, const cm_value *value, size_t byte)
{
    show_number(out, value->kind);
    if (value->kind == CM_VALUE_MISSING)
        return; /* where it stood does not matter */
    show_number(out, byte);
    if (value->kind == CM_VALUE_BOOLEAN)
        show_number(out, (uint64_t)value->integer);
    if (value->kind == CM_VALUE_TEXT || value->kind == CM_VALUE_NUMBER)
        cm_buffer_append_slice(out, value->text);
}

static void show_row(cm_buffer *out, const cm_row *row, size_t field_count)
{
    show_number(out, row->line);
    show_number(out, row->start);
    show_number(out, row->end);
    show_number(out, row->byte);
    if (row->malformed != NULL)
        cm_buffer_append_text(out, row->malformed);
    for (size_t i = 0; i < field_count && row->malformed == NULL; i++) {
        cm_buffer_append_char(out, '|');
        show_value(out, &row->values[i], row->value_bytes[i]);
    }
    cm_buffer_append_char(out, '\n');
}

static void show_rows(const cm_layout *layout, cm_slice block, const cm_mark_kernel *kernel,
                      cm_buffer *out)
{
    cm_arena arena = {0};
    cm_row_reader reader;
    cm_row row;
    cm_row_reader_init(&reader, layout, block.data, block.size, &arena);
    reader.kernel = kernel;
    while (cm_row_reader_next(&reader, &row))
        show_row(out, &row, layout->field_count);
    assert_false(reader.out_of_memory);
    show_number(out, reader.line);
    cm_arena_destroy(&arena);
}

static void show_events(const cm_event_layouts *layouts, cm_slice block,
                        const cm_mark_kernel *kernel, cm_buffer *out)
{
    cm_arena arena = {0};
    cm_event_reader reader;
    cm_event event;
    cm_event_reader_init(&reader, layouts, block.data, block.size, &arena);
    reader.rows.kernel = kernel;
    while (cm_event_reader_next(&reader, &event)) {
        if (event.field != NULL)
            cm_buffer_append_text(out, event.field);
        if (event.row.malformed == NULL) {
            show_number(out, event.kind);
            show_number(out, event.has_seq);
            show_number(out, event.seq);
        }
        show_row(out, &event.row, CM_FIELD_COUNT_MAX);
    }
    assert_false(reader.out_of_memory);
    show_number(out, reader.rows.line);
    cm_arena_destroy(&arena);
}

typedef struct layouts {
    cm_event_layouts events;
    cm_layout clicks, conversions;
} layouts;

static void init_layouts(layouts *l)
{
    cm_event_layouts_init(&l->events);
    cm_layout_ndjson(CM_ROW_CLICK, &l->clicks);
    cm_layout_ndjson(CM_ROW_CONVERSION, &l->conversions);
}

static void show_all(const layouts *l, cm_slice block, const cm_mark_kernel *kernel, cm_buffer *out)
{
    out->size = 0;
    show_rows(&l->clicks, block, kernel, out);
    show_rows(&l->conversions, block, kernel, out);
    show_events(&l->events, block, kernel, out);
}

/* The same at every level as by the scanner; in memory that ends where the block does. */
static void expect_same(const layouts *l, const cm_buffer *text, size_t size)
{
    static cm_buffer expected, got;
    char *exact = malloc(size + (size == 0));
    assert_non_null(exact);
    if (size > 0)
        memcpy(exact, text->data, size);
    cm_slice block = cm_slice_of(exact, size);
    show_all(l, block, &scanner_alone, &expected);
    for (int level = 0; level < CM_MARK_LEVEL_COUNT; level++) {
        const cm_mark_kernel *kernel = cm_mark_kernel_at((cm_mark_level)level);
        if (kernel == NULL)
            continue;
        show_all(l, block, kernel, &got);
        if (got.size != expected.size || memcmp(got.data, expected.data, got.size) != 0)
            fail_msg("%s differs on %.*s", kernel->name, (int)size, exact);
    }
    free(exact);
}

/* --- Lines ------------------------------------------------------------------------------------ */

static const char *const keys[] = {"event",
                                   "seq",
                                   "tenant_id",
                                   "click_id",
                                   "conversion_id",
                                   "click_timestamp",
                                   "conversion_timestamp",
                                   "is_valid",
                                   "fbclid",
                                   "gclid",
                                   "campaign_id",
                                   "creative_id",
                                   "adset_id",
                                   "ad_id",
                                   "os",
                                   "ip_address",
                                   "user_agent",
                                   "screen_width",
                                   "timezone_offset",
                                   "conversion_fingerprint_hash",
                                   "fingerprint_hash",
                                   "conversion_type",
                                   "conversion_value",
                                   "",
                                   "a",
                                   "unknown",
                                   "click\\u005fid",
                                   "campaignxid",
                                   "conversion_fingerprint_hash_and_more",
                                   "\xC3\xA9",
                                   "click_id ",
                                   "Seq"};

static const char *const values[] = {
    "\"click\"",
    "\"conversion\"",
    "\"plain\"",
    "\"\"",
    "\"a text of more than 64 bytes, so that it goes on from one chunk to another\"",
    "\"with \\\"escapes\\\" \\u00e9\"",
    "\"\xC3\xA9t\xC3\xA9\"",
    "\"{}[]:,\"",
    "0",
    "402",
    "-1.5e3",
    "9223372036854775807",
    "true",
    "false",
    "null",
    "[]",
    "{}",
    "[1,\"a\",{\"b\":[null]}]",
    "{\"seq\":\"x\",\"b\":\"\\n\"}"};

/* What is wrong in a line now and then. */
static const char *const bad_values[] = {
    "01",      "1.",          "tru",        "nulll",    "\"open",
    "\"\\x\"", "\"\\ud800\"", "\"\x01\"",   "\"\xFF\"", "\"\xED\xA0\x80\"",
    "[1,]",    "{\"a\"}",     "",           "x",        "'a'",
    "+1",      "1 2",         "\"a\"\"b\"", "\t"};

static const char *const spaces[] = {"", "", "", "", "", "", " ", "  ", "\t", " \r"};

#define PICK(list) ((list)[below(COUNT(list))])

static void append_member(cm_buffer *line, size_t rarity, bool is_spaced)
{
    bool is_bad = below(rarity) == 0;
    const char *space = is_spaced ? " " : "";
    cm_buffer_append_text(line, "\"");
    cm_buffer_append_text(line, PICK(keys));
    cm_buffer_append_text(line, "\"");
    cm_buffer_append_text(line, is_bad ? PICK(spaces) : "");
    cm_buffer_append_text(line, ":");
    cm_buffer_append_text(line, is_bad ? PICK(spaces) : space);
    if (is_bad && below(2) == 0)
        cm_buffer_append_text(line, PICK(bad_values));
    else if (below(60) == 0)
        for (size_t i = below(500); i < 500; i++)
            cm_buffer_append_text(line, i < 499 ? "1000000000" : "0");
    else
        cm_buffer_append_text(line, PICK(values));
    cm_buffer_append_text(line, is_bad ? PICK(spaces) : "");
}

static void append_line(cm_buffer *text, size_t rarity)
{
    bool is_spaced = below(3) == 0;
    size_t members = below(20);
    cm_buffer_append_text(text, below(20) == 0 ? PICK(spaces) : "");
    cm_buffer_append_text(text, "{");
    if (below(2) == 0)
        cm_buffer_append_text(text,
                              below(2) == 0 ? "\"event\":\"click\"," : "\"event\":\"conversion\",");
    for (size_t i = 0; i < members; i++) {
        append_member(text, rarity, is_spaced);
        if (i + 1 < members)
            cm_buffer_append_text(text, is_spaced ? ", " : ",");
    }
    cm_buffer_append_text(text, below(rarity) == 0 ? PICK(bad_values) : "}");
    cm_buffer_append_text(text, below(30) == 0 ? PICK(spaces) : "");
    cm_buffer_append_text(text, below(10) == 0 ? "\r\n" : "\n");
}

/* Bytes changed, taken out and put in. */
static void mutate(cm_buffer *text)
{
    static const char bytes[] = "\"\"\\\\{}[]:,, \n\r\t0x\0\x1F\x7F\x80\xC3\xFF";
    for (size_t i = below(4); i > 0 && text->size > 0; i--) {
        size_t at = below(text->size);
        char byte = bytes[below(sizeof bytes - 1)];
        if (below(3) > 0) {
            text->data[at] = byte;
        } else if (below(2) == 0) {
            memmove(text->data + at, text->data + at + 1, text->size - at - 1);
            text->size--;
        } else {
            cm_buffer_append_char(text, byte);
            memmove(text->data + at + 1, text->data + at, text->size - at - 1);
            text->data[at] = byte;
        }
    }
}

static void lines_of_all_kinds(void **state)
{
    (void)state;
    static const size_t rarities[] = {1000000, 300, 30, 3};
    static layouts l;
    init_layouts(&l);
    cm_buffer text = {0};
    for (int turn = 0; turn < 20000; turn++) {
        text.size = 0;
        for (size_t i = below(turn % 20 == 0 ? 60 : 4) + 1; i > 0; i--)
            append_line(&text, rarities[turn % 4]);
        if (turn % 8 >= 4)
            mutate(&text);
        bool is_cut = below(4) == 0;
        expect_same(&l, &text, is_cut ? below(text.size + 1) : text.size);
    }
    assert_false(text.failed);
    cm_buffer_destroy(&text);
}

/* A line whose parts come to lie at every place about the end of a stretch. */
static void every_place_about_a_stretch_end(void **state)
{
    (void)state;
    static const char line[] =
        "{\"event\":\"click\",\"seq\":12,\"tenant_id\":\"t\",\"click_id\":\"k\\n\",\"os\": \"x\", "
        "\"browser\":\"\xC3\xA9\",\"is_valid\":true,\"ad_id\":\"1\"}\n";
    static layouts l;
    init_layouts(&l);
    cm_buffer text = {0};
    for (size_t before = CM_STRETCH_BYTES - 2 * sizeof line; before < CM_STRETCH_BYTES; before++) {
        text.size = 0;
        cm_buffer_append_text(&text, "{\"unknown\":\"");
        while (text.size < before)
            cm_buffer_append_char(&text, 'x');
        cm_buffer_append_text(&text, "\"}\n");
        cm_buffer_append_text(&text, line);
        cm_buffer_append_text(&text, line);
        expect_same(&l, &text, text.size);
    }
    cm_buffer_destroy(&text);
}

/* A line that the block cuts off at every byte. */
static void every_place_about_the_block_end(void **state)
{
    (void)state;
    static const char lines[] =
        "{\"event\":\"conversion\",\"tenant_id\":\"t\",\"conversion_id\":\"v\",\"os\":\"x\"}\n"
        "{\"event\":\"click\",\"tenant_id\":\"t\",\"screen_width\":402,\"screen_height\":874}\n";
    static layouts l;
    init_layouts(&l);
    cm_buffer text = {0};
    cm_buffer_append_text(&text, lines);
    for (size_t size = 0; size <= text.size; size++)
        expect_same(&l, &text, size);
    cm_buffer_destroy(&text);
}

/* Names at once and byte by byte; those of one letter more, less or other. */
static void names_are_compared_whole(void **state)
{
    (void)state;
    char name[CM_KEY_NAME_MAX], bytes[CM_KEY_BYTES + 1];
    for (int turn = 0; turn < 20000; turn++) {
        size_t size = below(CM_KEY_NAME_MAX + 1);
        for (size_t i = 0; i < size; i++)
            name[i] = (char)('a' + below(26));
        cm_key key = cm_key_of(name, size, 7);
        memcpy(bytes, key.bytes, CM_KEY_BYTES);
        size_t changed = below(CM_KEY_BYTES);
        bytes[changed] = (char)(bytes[changed] + (int)below(2));
        bool is_same = memcmp(bytes, key.bytes, CM_KEY_BYTES) == 0;
        assert_int_equal(cm_key_is_at(&key, key.text_bits, bytes), is_same || changed >= size + 3);
        assert_int_equal(cm_key_is_at(&key, key.name_bits, bytes), is_same || changed >= size + 1);
        assert_int_equal(cm_key_is_at_portable(&key, key.text_bits, bytes),
                         is_same || changed >= size + 3);
        assert_int_equal(cm_key_is_at_portable(&key, key.name_bits, bytes),
                         is_same || changed >= size + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_all_kinds),
        cmocka_unit_test(every_place_about_a_stretch_end),
        cmocka_unit_test(every_place_about_the_block_end),
        cmocka_unit_test(names_are_compared_whole),
    };
    return cmocka_run_group_tests_name("ndjson_mark", tests, NULL, NULL);
}

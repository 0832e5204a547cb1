/*
 * A public conformance suite (tests/golden/json), every case of it, at every level.
 *
 * A text is tried as the value of a member of an event, known and unknown, alone and inside an
 * array; and, as far as it is an object, as a whole line. As no value goes over a line end, one in
 * a text stands as a space, but for the case that is about a line end in a string.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "harness/json_cases.h"
#include "io/event_reader.h"
#include "util/buffer.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

/* Of those that a parser may take as it likes: numbers of any size are numbers. The others are
 * rejected: what is no UTF-8, lone surrogates, a byte-order mark in a line, 500 levels. */
static const char *const accepted[] = {
    "i_number_double_huge_neg_exp",  "i_number_huge_exp",          "i_number_neg_int_huge_exp",
    "i_number_pos_double_huge_exp",  "i_number_real_neg_overflow", "i_number_real_pos_overflow",
    "i_number_real_underflow",       "i_number_too_big_neg_int",   "i_number_too_big_pos_int",
    "i_number_very_big_negative_int"};

static json_cases cases;

static bool is_accepted(const json_case *one)
{
    for (size_t i = 0; i < COUNT(accepted); i++)
        if (strcmp(one->name, accepted[i]) == 0)
            return true;
    return one->verdict == JSON_MUST_ACCEPT;
}

static void append_case(cm_buffer *out, const json_case *one)
{
    bool is_kept = strcmp(one->name, "n_string_unescaped_newline") == 0;
    for (size_t i = 0; i < one->size; i++)
        cm_buffer_append_char(out, one->text[i] == '\n' && !is_kept ? ' ' : one->text[i]);
}

/* Without marks every member is left to the scanner. */
static size_t no_marks(const char *bytes, size_t size, uint16_t *marks)
{
    (void)bytes, (void)size, (void)marks;
    return 0;
}

static const cm_mark_kernel scanner_alone = {"scanner", no_marks, no_marks, no_marks};

/* The second of the lines, which are three, or four if it has a line end inside: is it JSON? */
static bool is_json(const cm_buffer *lines, const cm_mark_kernel *kernel)
{
    static cm_event_layouts layouts;
    cm_event_layouts_init(&layouts);
    cm_arena arena = {0};
    cm_event_reader reader;
    cm_event event;
    cm_event_reader_init(&reader, &layouts, lines->data, lines->size, &arena);
    reader.rows.kernel = kernel;
    assert_true(cm_event_reader_next(&reader, &event));
    assert_null(event.row.malformed);
    assert_true(cm_event_reader_next(&reader, &event));
    assert_int_equal(event.row.line, 1);
    bool is_good = event.row.malformed == NULL || event.field != NULL;
    while (cm_event_reader_next(&reader, &event))
        ;
    assert_null(event.row.malformed); /* what stands behind comes through */
    assert_false(reader.out_of_memory);
    cm_arena_destroy(&arena);
    return is_good;
}

/* A case between others; at every level the same. */
static void expect_verdict(const json_case *one, const char *before, const char *behind,
                           bool is_good)
{
    static const char whole[] = "{\"event\":\"click\",\"click_id\":\"k\"}\n";
    cm_buffer lines = {0};
    cm_buffer_append_text(&lines, whole);
    cm_buffer_append_text(&lines, before);
    append_case(&lines, one);
    cm_buffer_append_text(&lines, behind);
    cm_buffer_append_char(&lines, '\n');
    cm_buffer_append_text(&lines, whole);
    assert_false(lines.failed);
    for (int level = -1; level < CM_MARK_LEVEL_COUNT; level++) {
        const cm_mark_kernel *kernel =
            level < 0 ? &scanner_alone : cm_mark_kernel_at((cm_mark_level)level);
        if (kernel != NULL && is_json(&lines, kernel) != is_good)
            fail_msg("%s%s%s is %s (%s)", before, one->name, behind,
                     is_good ? "rejected" : "accepted", kernel->name);
    }
    cm_buffer_destroy(&lines);
}

static void every_case_is_there(void **state)
{
    (void)state;
    size_t counts[256] = {0};
    for (size_t i = 0; i < cases.count; i++)
        counts[cases.list[i].verdict]++;
    assert_int_equal(counts[JSON_MUST_ACCEPT], 95);
    assert_int_equal(counts[JSON_MUST_REJECT], 188);
    assert_int_equal(counts[JSON_MAY_ACCEPT], 35);
    for (size_t i = 0; i < COUNT(accepted); i++) {
        size_t at = 0;
        while (at < cases.count && strcmp(cases.list[at].name, accepted[i]) != 0)
            at++;
        assert_true(at < cases.count);
    }
}

static void as_the_value_of_a_member(void **state)
{
    (void)state;
    static const char *const frames[][2] = {
        {"{\"event\":\"click\",\"unknown\":", "}"},
        {"{\"event\":\"click\",\"os\":", ",\"ad_id\":\"1\",\"adset_id\":\"2\"}"},
        {"{\"unknown\":", ",\"event\":\"conversion\",\"conversion_value\":1}"},
        {"{\"event\":\"click\",\"os\": ", " }"},
        {"{\"event\":\"click\",\"unknown\":[0,", "],\"seq\":1}"},
        {"{\"event\":\"click\",\"os\":[1,", ",2],\"seq\":1}"}};
    for (size_t i = 0; i < cases.count; i++)
        for (size_t frame = 0; frame < COUNT(frames); frame++)
            expect_verdict(&cases.list[i], frames[frame][0], frames[frame][1],
                           is_accepted(&cases.list[i]));
}

/* Of what is JSON only objects are lines. */
static void as_a_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < cases.count; i++) {
        const json_case *one = &cases.list[i];
        size_t at = 0;
        while (at < one->size && strchr(" \t\r\n", one->text[at]) != NULL)
            at++;
        bool is_blank = at == one->size || one->size == 0;
        if (!is_blank)
            expect_verdict(one, "", "", is_accepted(one) && one->text[at] == '{');
    }
}

int main(void)
{
    cases = json_cases_load();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_is_there),
        cmocka_unit_test(as_the_value_of_a_member),
        cmocka_unit_test(as_a_line),
    };
    int failed = cmocka_run_group_tests_name("json_suite", tests, NULL, NULL);
    json_cases_free(&cases);
    return failed;
}

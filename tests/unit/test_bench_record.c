/* What `bench` makes of the values that it measured: spread, table, JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after those it needs */
#include <cmocka.h>

#include "cmd/bench_record.h"
#include "harness/failing_malloc.h"

static const cm_bench_measure TIME = {"time per click", "ns", CM_BENCH_LESS};
static const cm_bench_measure RATE = {"clicks", "clicks/s", CM_BENCH_MORE};

static void test_spread(void **state)
{
    (void)state;
    static const double values[] = {5, 1, 4, 1, 9, 2};
    static const double medians[] = {5, 3, 4, 2.5, 4, 3};
    for (size_t count = 1; count <= 6; count++) {
        cm_bench_spread spread = cm_bench_spread_of(values, count);
        assert_true(spread.median == medians[count - 1]);
        assert_true(spread.min == (count == 1 ? 5 : 1));
        assert_true(spread.max == (count < 5 ? 5 : 9));
    }
    static const double equal[] = {7, 7, 7, 7};
    assert_true(cm_bench_spread_of(equal, 4).median == 7);
}

static cm_bench_record make_record(void)
{
    cm_bench_record record = {0};
    cm_bench_record_begin(&record, "load");
    cm_bench_say(&record, "%d clicks", 3);
    cm_bench_say(&record, "second line");
    cm_bench_note(&record, "1 thread", &TIME, 1234567);
    cm_bench_note(&record, "2 threads", &TIME, 0.5);
    cm_bench_note(&record, "1 thread", &RATE, 12.345);
    cm_bench_note(&record, "1 thread", &TIME, 1234569);
    cm_bench_record_end(&record, 1.25);
    cm_bench_record_begin(&record, "match");
    cm_bench_note(&record, "1 thread", &TIME, 3);
    cm_bench_record_end(&record, 2);
    assert_false(record.failed);
    return record;
}

static void test_same_case_and_measure_is_a_repetition(void **state)
{
    (void)state;
    cm_bench_record record = make_record();
    assert_int_equal(record.part_count, 2);
    assert_int_equal(record.parts[0].figure_count, 3);
    assert_int_equal(record.parts[0].figures[0].count, 2);
    assert_int_equal(record.parts[1].figure_count, 1); /* a section has its own */
    assert_true(record.parts[1].figures[0].values[0] == 3);
    cm_bench_record_destroy(&record);
}

static void test_long_names_are_kept_apart_as_far_as_they_are_kept(void **state)
{
    (void)state;
    cm_bench_record record = {0};
    char name[2 * CM_BENCH_CASE_BYTES];
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    cm_bench_record_begin(&record, "load");
    cm_bench_note(&record, name, &TIME, 1);
    name[CM_BENCH_CASE_BYTES] = 'y';
    cm_bench_note(&record, name, &TIME, 2);
    assert_int_equal(record.parts[0].figure_count, 1);
    assert_int_equal(strlen(record.parts[0].figures[0].of), CM_BENCH_CASE_BYTES - 1);
    cm_bench_record_destroy(&record);
}

/* A case stands once, with all its figures below it. */
static void test_table(void **state)
{
    (void)state;
    cm_bench_record record = make_record();
    cm_buffer text = {0};
    cm_bench_part_text(&record.parts[0], &text);
    cm_buffer_append_char(&text, '\0');
    assert_string_equal(
        text.data, "load, 1.2 s\n"
                   "  # 3 clicks\n"
                   "  # second line\n"
                   "  case                       figure                          median         min"
                   "         max  unit        n\n"
                   "  1 thread                   time per click               1,234,568   1,234,567"
                   "   1,234,569  ns          2\n"
                   "                             clicks                           12.35       12.35"
                   "       12.35  clicks/s    1\n"
                   "  2 threads                  time per click                  0.5000      0.5000"
                   "      0.5000  ns          1\n"
                   "\n");
    cm_buffer_destroy(&text);
    cm_bench_record_destroy(&record);
}

static void test_what_is_left_out_is_one_line(void **state)
{
    (void)state;
    cm_bench_record record = {0};
    cm_buffer text = {0};
    cm_bench_record_leave_out(&record, "batch", "not measured; give --db");
    assert_int_equal(record.part_count, 1);
    cm_bench_part_text(&record.parts[0], &text);
    cm_buffer_append_char(&text, '\0');
    assert_string_equal(text.data, "batch: not measured; give --db\n\n");
    json_t *json = cm_bench_record_json(&record);
    json_t *wanted = json_pack("[{s:s,s:f,s:[s],s:[]}]", "name", "batch", "seconds", 0.0, "notes",
                               "not measured; give --db", "figures");
    assert_non_null(wanted);
    assert_true(json_equal(json, wanted));
    json_decref(json);
    json_decref(wanted);
    cm_buffer_destroy(&text);
    cm_bench_record_destroy(&record);
}

static void test_json(void **state)
{
    (void)state;
    cm_bench_record record = make_record();
    json_t *json = cm_bench_record_json(&record);
    json_t *wanted = json_pack(
        "[{s:s,s:f,s:[s,s],s:[{s:s,s:s,s:s,s:s,s:f,s:f,s:f,s:i,s:[f,f]},"
        "{s:s,s:s,s:s,s:s,s:f,s:f,s:f,s:i,s:[f]},{s:s,s:s,s:s,s:s,s:f,s:f,s:f,s:i,s:[f]}]}]",
        "name", "load", "seconds", 1.25, "notes", "3 clicks", "second line", "figures", "case",
        "1 thread", "figure", "time per click", "unit", "ns", "better", "less", "median", 1234568.0,
        "min", 1234567.0, "max", 1234569.0, "repetitions", 2, "values", 1234567.0, 1234569.0,
        "case", "2 threads", "figure", "time per click", "unit", "ns", "better", "less", "median",
        0.5, "min", 0.5, "max", 0.5, "repetitions", 1, "values", 0.5, "case", "1 thread", "figure",
        "clicks", "unit", "clicks/s", "better", "more", "median", 12.345, "min", 12.345, "max",
        12.345, "repetitions", 1, "values", 12.345);
    assert_non_null(json);
    assert_non_null(wanted);
    assert_int_equal(json_array_size(json), 2);
    assert_true(json_equal(json_array_get(json, 0), json_array_get(wanted, 0)));
    json_decref(json);
    json_decref(wanted);
    cm_bench_record_destroy(&record);
}

/* Whichever allocation fails, sections go on being begun; nothing is lost, nor freed twice. */
static void test_short_memory(void **state)
{
    (void)state;
    if (!failing_malloc_works)
        skip();
    bool has_failed = true;
    for (size_t allocations = 0; has_failed; allocations++) {
        ptrdiff_t live = failing_malloc_live();
        cm_bench_record record = {0};
        failing_malloc_arm(allocations);
        for (int i = 0; i < 40; i++) {
            cm_bench_record_begin(&record, "load");
            cm_bench_say(&record, "%d clicks", i);
            cm_bench_note(&record, "1 thread", &TIME, 1);
            cm_bench_record_end(&record, 1);
        }
        has_failed = failing_malloc_disarm();
        assert_int_equal(record.failed, has_failed);
        cm_bench_record_destroy(&record);
        assert_int_equal(failing_malloc_live(), live);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spread),
        cmocka_unit_test(test_same_case_and_measure_is_a_repetition),
        cmocka_unit_test(test_long_names_are_kept_apart_as_far_as_they_are_kept),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_what_is_left_out_is_one_line),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_short_memory),
    };
    return cmocka_run_group_tests_name("bench_record", tests, NULL, NULL);
}

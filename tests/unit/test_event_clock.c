/* The time of a stream: by its events, but not by one broken clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stream/event_clock.h"

#define MINUTE 60000000LL
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define START (20000 * DAY)

static cm_event_clock make_clock(void)
{
    const cm_clock_options options = {
        .lateness_us = 5 * MINUTE, .grace_us = MINUTE, .max_future_us = HOUR};
    cm_event_clock clock;
    cm_event_clock_init(&clock, &options);
    return clock;
}

/* Look, and move where that is what is to be done. */
static cm_clock_verdict pass(cm_event_clock *clock, int64_t time_us)
{
    cm_clock_verdict verdict = cm_event_clock_look(clock, time_us);
    if (verdict == CM_CLOCK_IN_RANGE || verdict == CM_CLOCK_AGREED)
        cm_event_clock_move(clock, time_us);
    return verdict;
}

static void test_watermark_follows_the_latest(void **state)
{
    (void)state;
    cm_event_clock clock = make_clock();
    assert_int_equal(cm_event_clock_watermark(&clock), CM_CLOCK_UNSET);
    assert_int_equal(cm_event_clock_horizon(&clock), CM_CLOCK_UNSET);
    assert_int_equal(pass(&clock, START), CM_CLOCK_IN_RANGE);
    assert_int_equal(pass(&clock, START + MINUTE), CM_CLOCK_IN_RANGE);
    assert_int_equal(pass(&clock, START - DAY), CM_CLOCK_IN_RANGE);
    assert_int_equal(clock.latest_us, START + MINUTE);
    assert_int_equal(cm_event_clock_watermark(&clock), START - 4 * MINUTE);
    assert_int_equal(cm_event_clock_horizon(&clock), START - 5 * MINUTE);
}

static void test_exactly_the_limit_is_in_range(void **state)
{
    (void)state;
    cm_event_clock clock = make_clock();
    pass(&clock, START);
    assert_int_equal(pass(&clock, START + HOUR), CM_CLOCK_IN_RANGE);
    assert_int_equal(pass(&clock, START + 2 * HOUR + 1), CM_CLOCK_AHEAD);
}

static void test_one_event_of_next_year_moves_nothing(void **state)
{
    (void)state;
    cm_event_clock clock = make_clock();
    pass(&clock, START);
    assert_int_equal(pass(&clock, START + 365 * DAY), CM_CLOCK_AHEAD);
    assert_int_equal(pass(&clock, START + MINUTE), CM_CLOCK_IN_RANGE);
    assert_int_equal(clock.latest_us, START + MINUTE);
    assert_int_equal(clock.ahead_count, 0);
}

static void test_a_hundred_in_a_row_are_believed(void **state)
{
    (void)state;
    cm_event_clock clock = make_clock();
    pass(&clock, START);
    for (int i = 1; i < 100; i++)
        assert_int_equal(pass(&clock, START + 9 * HOUR + i), CM_CLOCK_AHEAD);
    assert_int_equal(clock.latest_us, START);
    assert_int_equal(pass(&clock, START + 9 * HOUR), CM_CLOCK_AGREED);
    assert_int_equal(pass(&clock, START + 9 * HOUR + MINUTE), CM_CLOCK_IN_RANGE);
}

static void test_in_a_row_means_without_one_in_range(void **state)
{
    (void)state;
    cm_event_clock clock = make_clock();
    pass(&clock, START);
    for (int i = 0; i < 1000; i++) {
        cm_clock_verdict wanted = i % 100 == 99 ? CM_CLOCK_IN_RANGE : CM_CLOCK_AHEAD;
        assert_int_equal(pass(&clock, i % 100 == 99 ? START : START + DAY), wanted);
    }
    assert_int_equal(clock.latest_us, START);
}

static void test_those_that_wait_must_agree(void **state)
{
    (void)state;
    cm_event_clock clock = make_clock();
    pass(&clock, START);
    for (int i = 0; i < 98; i++)
        pass(&clock, START + DAY);
    assert_int_equal(pass(&clock, START + 365 * DAY), CM_CLOCK_APART);
    assert_int_equal(pass(&clock, START + DAY), CM_CLOCK_APART);
    for (int i = 0; i < 98; i++)
        assert_int_equal(pass(&clock, START + DAY), CM_CLOCK_AHEAD);
    assert_int_equal(pass(&clock, START + DAY), CM_CLOCK_AGREED);
}

/* With the latest of them: they may not stray one from the other. */
static void test_those_that_wait_agree_with_the_latest(void **state)
{
    (void)state;
    cm_event_clock clock = make_clock();
    pass(&clock, START);
    assert_int_equal(pass(&clock, START + 9 * HOUR + 50 * MINUTE), CM_CLOCK_AHEAD);
    assert_int_equal(pass(&clock, START + 9 * HOUR), CM_CLOCK_AHEAD);
    assert_int_equal(pass(&clock, START + 8 * HOUR + 50 * MINUTE), CM_CLOCK_AHEAD);
    assert_int_equal(pass(&clock, START + 8 * HOUR + 49 * MINUTE), CM_CLOCK_APART);
}

/* A night after which events come slowly: each is ahead of the one before, and they agree. */
static void test_a_slow_stream_agrees_as_it_goes_on(void **state)
{
    (void)state;
    cm_event_clock clock = make_clock();
    pass(&clock, START);
    for (int i = 0; i < 99; i++)
        assert_int_equal(pass(&clock, START + 9 * HOUR + i * 50 * MINUTE), CM_CLOCK_AHEAD);
    assert_int_equal(pass(&clock, START + 9 * HOUR + 99 * 50 * MINUTE), CM_CLOCK_AGREED);
}

/* The very first event may be the broken one. */
static void test_a_first_event_that_nothing_confirms_is_given_up(void **state)
{
    (void)state;
    cm_event_clock clock = make_clock();
    pass(&clock, START + 365 * DAY);
    assert_int_equal(pass(&clock, START), CM_CLOCK_IN_RANGE);
    assert_int_equal(clock.latest_us, START);
    pass(&clock, START + MINUTE);
    assert_int_equal(pass(&clock, START - 30 * DAY), CM_CLOCK_IN_RANGE);
    assert_int_equal(clock.latest_us, START + MINUTE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_watermark_follows_the_latest),
        cmocka_unit_test(test_exactly_the_limit_is_in_range),
        cmocka_unit_test(test_one_event_of_next_year_moves_nothing),
        cmocka_unit_test(test_a_hundred_in_a_row_are_believed),
        cmocka_unit_test(test_in_a_row_means_without_one_in_range),
        cmocka_unit_test(test_those_that_wait_must_agree),
        cmocka_unit_test(test_those_that_wait_agree_with_the_latest),
        cmocka_unit_test(test_a_slow_stream_agrees_as_it_goes_on),
        cmocka_unit_test(test_a_first_event_that_nothing_confirms_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

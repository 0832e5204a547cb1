/* A stream goes by the times in its events: what is late, held, ahead, and forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "harness/streams.h"

#define T0 STREAMS_T0
#define SECOND STREAMS_SECOND
#define MINUTE STREAMS_MINUTE
#define HOUR STREAMS_HOUR
#define DAY STREAMS_DAY

#define FOUND "\"url_param\""
#define LATE "\"late\":true"
#define assert_has(run, id, part) streams_assert_line(run, id, part, true)
#define assert_has_not(run, id, part) streams_assert_line(run, id, part, false)

static void begin(streams_run *run, int64_t grace_us)
{
    cm_clock_options clock = streams_clock();
    clock.grace_us = grace_us;
    streams_begin(run, &clock, NULL);
}

/* Clicks of one time, so many. */
static void clicks_at(cm_buffer *text, const char *prefix, int64_t time_us, int count)
{
    char id[32];
    for (int i = 0; i < count; i++) {
        (void)snprintf(id, sizeof id, "%s%d", prefix, i);
        streams_click(text, id, time_us, "");
    }
}

/* ---- late ---- */

static void test_older_than_the_watermark_is_late(void **state)
{
    (void)state;
    streams_run run;
    cm_buffer text = {0};
    begin(&run, 0);
    streams_click(&text, "k", T0 - HOUR, "");
    streams_click(&text, "latest", T0, "");
    streams_conversion(&text, "on_it", "k", T0 - 5 * MINUTE, "");
    streams_conversion(&text, "before_it", "k", T0 - 5 * MINUTE - 1, "");
    streams_conversion(&text, "far_before", "k", T0 - 30 * MINUTE, ",\"seq\":3");
    streams_feed(&run, &text);
    streams_assert_told(&run, "on_it before_it far_before"); /* at once */
    assert_has_not(&run, "on_it", LATE);
    assert_has(&run, "before_it", LATE);
    assert_has(&run, "far_before", "\"seq\":3,\"late\":true}");
    assert_has(&run, "far_before", FOUND);
    assert_int_equal(run.stream->counts.late, 2);
    streams_end(&run);
}

/* ---- grace ---- */

static void test_grace_holds_until_the_watermark_has_passed(void **state)
{
    (void)state;
    streams_run run;
    cm_buffer text = {0};
    begin(&run, MINUTE);
    streams_conversion(&text, "c", "k", T0, "");
    streams_click(&text, "tick", T0 + 6 * MINUTE - 1, "");
    streams_feed(&run, &text);
    streams_assert_told(&run, "");
    streams_click(&text, "k", T0 - DAY, "");
    streams_click(&text, "tock", T0 + 6 * MINUTE, "");
    streams_click(&text, "too_late", T0, "");
    streams_feed(&run, &text);
    streams_assert_told(&run, "c");
    assert_has(&run, "c", FOUND);
    assert_has_not(&run, "c", LATE);
    streams_end(&run);
}

/* One click comes while the conversion is held, the other just after. */
static void test_a_click_after_the_grace_does_not_count(void **state)
{
    (void)state;
    streams_run run;
    cm_buffer text = {0};
    begin(&run, MINUTE);
    streams_conversion(&text, "c", "k", T0, "");
    streams_click(&text, "tock", T0 + 6 * MINUTE, "");
    streams_click(&text, "k", T0, "");
    streams_feed(&run, &text);
    assert_has_not(&run, "c", FOUND);
    streams_end(&run);
}

/* Held ones come out in the order they came in, each only when those before it have. */
static void test_held_order(void **state)
{
    (void)state;
    streams_run run;
    cm_buffer text = {0};
    begin(&run, 2 * MINUTE);
    streams_click(&text, "latest", T0, "");
    streams_conversion(&text, "young", NULL, T0 + MINUTE, "");
    streams_conversion(&text, "old", NULL, T0 - 6 * MINUTE, "");
    streams_conversion(&text, "late", NULL, T0 - 8 * MINUTE, "");
    streams_conversion(&text, "young", NULL, T0 + MINUTE, "");
    streams_feed(&run, &text);
    streams_assert_told(&run, "");
    assert_int_equal(run.stream->held.count, 3);
    streams_click(&text, "later", T0 + 8 * MINUTE, "");
    streams_feed(&run, &text);
    streams_assert_told(&run, "young old late");
    assert_has_not(&run, "old", LATE);
    assert_has(&run, "late", LATE);
    assert_int_equal(run.stream->counts.kinds[CM_ROW_CONVERSION].duplicates, 1);
    streams_end(&run);
}

static void test_a_late_one_is_matched_at_once_where_nothing_is_held(void **state)
{
    (void)state;
    streams_run run;
    cm_buffer text = {0};
    begin(&run, 2 * MINUTE);
    streams_click(&text, "latest", T0, "");
    streams_conversion(&text, "late", NULL, T0 - 7 * MINUTE - 1, "");
    streams_feed(&run, &text);
    streams_assert_told(&run, "late");
    streams_end(&run);
}

static void test_letting_go_matches_what_is_held(void **state)
{
    (void)state;
    streams_run run;
    cm_buffer text = {0};
    begin(&run, DAY);
    streams_conversion(&text, "a", "k", T0, "");
    streams_conversion(&text, "b", "k", T0 - HOUR, "");
    streams_click(&text, "k", T0 - 2 * HOUR, "");
    streams_feed(&run, &text);
    streams_assert_told(&run, "");
    streams_let_go(&run);
    streams_assert_told(&run, "a b");
    assert_has(&run, "a", FOUND);
    assert_has(&run, "b", FOUND);
    streams_let_go(&run);
    assert_int_equal(run.results_count, 2);
    streams_end(&run);
}

/* ---- ahead ---- */

static void test_one_of_next_year_expires_nothing(void **state)
{
    (void)state;
    streams_run run;
    cm_buffer text = {0};
    begin(&run, 0);
    clicks_at(&text, "k", T0, 64);
    streams_click(&text, "broken", T0 + 365 * DAY, "");
    streams_feed(&run, &text);
    assert_int_equal(run.stream->waiting.count, 1);
    clicks_at(&text, "m", T0 + SECOND, 128);
    streams_conversion(&text, "c", "k63", T0 + SECOND, "");
    streams_feed(&run, &text);
    assert_has(&run, "c", FOUND);
    assert_has_not(&run, "c", LATE);
    assert_int_equal(run.stream->waiting.count, 0);
    assert_int_equal(run.stream->counts.waited, 1);
    assert_int_equal(cm_engine_click_count(run.engine), 64 + 1 + 128);
    streams_end(&run);
}

/* It waits with a conversion of its own time, whose result comes in its turn. */
static void test_those_ahead_are_taken_as_they_stand(void **state)
{
    (void)state;
    streams_run run;
    cm_buffer text = {0};
    begin(&run, 0);
    streams_conversion(&text, "first", NULL, T0, "");
    streams_click(&text, "k", T0 + DAY, "");
    streams_conversion(&text, "ahead", "k", T0 + DAY + SECOND, "");
    streams_feed(&run, &text);
    streams_assert_told(&run, "first");
    streams_conversion(&text, "back", "k", T0 + SECOND, "");
    streams_feed(&run, &text);
    streams_assert_told(&run, "first ahead back");
    assert_has(&run, "ahead", FOUND);
    assert_has_not(&run, "back", FOUND);
    assert_has_not(&run, "back", LATE);
    streams_conversion(&text, "waits", "k", T0 + DAY, "");
    streams_feed(&run, &text);
    streams_let_go(&run);
    streams_assert_told(&run, "first ahead back waits");
    assert_int_equal(run.stream->clock.latest_us, T0 + SECOND);
    streams_end(&run);
}

/* They wait behind a full batch of conversions, and are read again into it. */
static void test_those_ahead_join_a_full_batch(void **state)
{
    (void)state;
    streams_run run;
    cm_buffer text = {0};
    char id[16];
    begin(&run, 0);
    for (int i = 0; i < CM_STREAM_BATCH; i++) {
        (void)snprintf(id, sizeof id, "c%d", i);
        streams_conversion(&text, id, "k", T0, "");
    }
    streams_conversion(&text, "ahead", "k", T0 + 365 * DAY, "");
    streams_click(&text, "k", T0 + 365 * DAY - 1, "");
    streams_conversion(&text, "last", "k", T0, "");
    streams_feed(&run, &text);
    assert_int_equal(run.results_count, CM_STREAM_BATCH + 2);
    assert_has_not(&run, "ahead", FOUND);
    streams_conversion(&text, "proof", "k", T0 + 365 * DAY, "");
    streams_feed(&run, &text);
    streams_let_go(&run);
    assert_has(&run, "proof", FOUND);
    streams_end(&run);
}

static void test_an_idle_night_does_not_lock_the_stream_out(void **state)
{
    (void)state;
    streams_run run;
    cm_buffer text = {0};
    begin(&run, 0);
    streams_click(&text, "evening", T0, "");
    clicks_at(&text, "morning", T0 + 9 * HOUR, 99);
    streams_feed(&run, &text);
    assert_int_equal(run.stream->waiting.count, 99);
    streams_conversion(&text, "c", "morning98", T0 + 9 * HOUR, "");
    streams_feed(&run, &text);
    streams_assert_told(&run, "c");
    assert_has(&run, "c", FOUND);
    assert_int_equal(run.stream->waiting.count, 0);
    streams_conversion(&text, "d", "evening", T0, "");
    streams_feed(&run, &text);
    assert_has(&run, "d", LATE);
    streams_end(&run);
}

/* Those of two broken clocks in turns never agree, and never pile up. */
static void test_what_waits_is_bounded(void **state)
{
    (void)state;
    streams_run run;
    cm_buffer text = {0};
    begin(&run, 0);
    streams_click(&text, "k", T0, "");
    streams_feed(&run, &text);
    for (int i = 0; i < 1000; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "k%d", i);
        streams_click(&text, id, T0 + (i / 7 % 2 == 0 ? 365 : 30) * DAY, "");
        streams_feed(&run, &text);
        assert_true(run.stream->waiting.count < CM_CLOCK_AGREE_COUNT);
    }
    assert_int_equal(run.stream->clock.latest_us, T0);
    streams_end(&run);
}

/* What clicks ahead can cost is bounded; each beyond that is rejected with a reason. */
static void test_clicks_ahead_are_bounded(void **state)
{
    (void)state;
    streams_run run;
    cm_buffer text = {0};
    begin(&run, 0);
    const int count = CM_SEGMENT_ROWS + 10;
    for (int i = 0; i < count; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "k%d", i);
        streams_click(&text, id, T0 + (i % 2 == 0 ? 365 : 30) * DAY, "");
        if (i % 1000 == 0)
            streams_click(&text, "now", T0, "");
    }
    streams_click(&text, "now", T0, "");
    streams_feed(&run, &text);
    /* The first of all is not ahead of anything. */
    assert_int_equal(run.stream->counts.refused, 9);
    assert_int_equal(run.stream->counts.kinds[CM_ROW_CLICK].rejected, 9);
    cm_buffer_append_char(&run.rejects, '\0');
    assert_non_null(strstr(run.rejects.data, "\"field\":\"click_timestamp\""));
    assert_non_null(strstr(run.rejects.data, "far ahead of the stream's time"));
    /* There is room again when their time has come. */
    for (int i = 0; i < 100; i++)
        streams_click(&text, "then", T0 + 365 * DAY, "");
    streams_click(&text, "ahead", T0 + 400 * DAY, "");
    streams_click(&text, "then", T0 + 365 * DAY, "");
    streams_feed(&run, &text);
    assert_int_equal(run.stream->counts.refused, 9);
    streams_end(&run);
}

/* ---- the first event is the broken one ---- */

static void test_a_broken_first_event_holds_nothing_up(void **state)
{
    (void)state;
    streams_run run;
    cm_buffer text = {0};
    begin(&run, MINUTE);
    streams_conversion(&text, "broken", NULL, T0 + 365 * DAY, "");
    streams_conversion(&text, "c", "k", T0, "");
    streams_click(&text, "k", T0, "");
    streams_click(&text, "later", T0 + 6 * MINUTE, "");
    streams_feed(&run, &text);
    streams_assert_told(&run, "broken c");
    assert_has(&run, "c", FOUND);
    assert_has_not(&run, "c", LATE);
    streams_end(&run);
}

/* Nor are ids kept until its time has come. */
static void test_a_broken_first_event_keeps_no_ids(void **state)
{
    (void)state;
    streams_run run;
    cm_buffer text = {0};
    begin(&run, 0);
    streams_conversion(&text, "broken", NULL, T0 + 3650 * DAY, "");
    streams_conversion(&text, "c", NULL, T0, "");
    for (int day = 1; day < 20; day++)
        clicks_at(&text, "k", T0 + day * DAY, 100);
    clicks_at(&text, "k", T0 + 20 * DAY, 200);
    streams_feed(&run, &text);
    assert_int_equal(run.stream->seen.count, 0);
    streams_end(&run);
}

/* ---- too old ---- */

static void test_a_click_that_nobody_can_find_is_not_stored(void **state)
{
    (void)state;
    streams_run run;
    cm_buffer text = {0};
    begin(&run, 0);
    int64_t horizon = T0 - 5 * MINUTE;
    streams_click(&text, "sure", T0 - SECOND, "");
    streams_click(&text, "latest", T0, "");
    streams_click(&text, "dead", horizon - 8 * DAY, "");
    streams_click(&text, "just", horizon - 8 * DAY + 1, "");
    streams_click(&text, "flagged", horizon - 9 * DAY, ",\"is_valid\":false");
    streams_click(&text, "longer", horizon - 20 * DAY, ",\"expires_at\":\"2026-03-01T12:00:00Z\"");
    streams_feed(&run, &text);
    assert_int_equal(run.stream->counts.too_old, 2);
    assert_int_equal(cm_engine_click_count(run.engine), 4);
    /* Who keeps all clicks is told of them all the same. */
    streams_assert_text(&run.clicks, "sure\nlatest\ndead\njust\nflagged\nlonger\n");
    streams_conversion(&text, "c", "longer", T0 - SECOND, "");
    streams_feed(&run, &text);
    assert_has(&run, "c", FOUND);
    streams_end(&run);
}

/* What a held conversion may still ask for stays, however far the clock has gone. */
static void test_what_is_held_keeps_its_clicks(void **state)
{
    (void)state;
    streams_run run;
    cm_buffer text = {0};
    cm_clock_options clock = {.grace_us = 30 * DAY, .max_future_us = 100 * DAY};
    streams_begin(&run, &clock, NULL);
    streams_click(&text, "k", T0, "");
    streams_conversion(&text, "c", "k", T0 + DAY, "");
    clicks_at(&text, "a", T0 + 20 * DAY, 128);
    streams_click(&text, "old", T0 - 6 * DAY, "");
    streams_conversion(&text, "d", "old", T0 + DAY - 1, "");
    clicks_at(&text, "b", T0 + 32 * DAY, 128);
    streams_feed(&run, &text);
    streams_assert_told(&run, "c d");
    assert_has(&run, "c", FOUND);
    assert_has(&run, "d", FOUND);
    assert_int_equal(run.stream->counts.too_old, 0);
    streams_end(&run);
}

/* Those that are behind one that is held for longer ask for older clicks than the clock says. */
static void test_what_is_held_behind_keeps_its_clicks(void **state)
{
    (void)state;
    streams_run run;
    cm_buffer text = {0};
    const cm_clock_options clock = {.grace_us = 10 * DAY, .max_future_us = 100 * DAY};
    streams_begin(&run, &clock, NULL);
    streams_click(&text, "k", T0 + 4 * DAY, "");
    streams_conversion(&text, "young", NULL, T0 + 20 * DAY, "");
    streams_conversion(&text, "old", "k", T0 + 10 * DAY, "");
    streams_conversion(&text, "middle", "k", T0 + 15 * DAY, "");
    clicks_at(&text, "a", T0 + 29 * DAY, 192);
    streams_click(&text, "m", T0 + 9 * DAY, ""); /* not too old, either */
    streams_conversion(&text, "last", "m", T0 + 25 * DAY, "");
    streams_feed(&run, &text);
    streams_assert_told(&run, "");
    assert_int_equal(run.stream->counts.too_old, 0);
    clicks_at(&text, "b", T0 + 30 * DAY, 192);
    streams_feed(&run, &text);
    streams_assert_told(&run, "young old middle");
    assert_has(&run, "old", FOUND);
    assert_has_not(&run, "old", LATE);
    streams_end(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_older_than_the_watermark_is_late),
        cmocka_unit_test(test_grace_holds_until_the_watermark_has_passed),
        cmocka_unit_test(test_a_click_after_the_grace_does_not_count),
        cmocka_unit_test(test_held_order),
        cmocka_unit_test(test_a_late_one_is_matched_at_once_where_nothing_is_held),
        cmocka_unit_test(test_letting_go_matches_what_is_held),
        cmocka_unit_test(test_one_of_next_year_expires_nothing),
        cmocka_unit_test(test_those_ahead_are_taken_as_they_stand),
        cmocka_unit_test(test_those_ahead_join_a_full_batch),
        cmocka_unit_test(test_an_idle_night_does_not_lock_the_stream_out),
        cmocka_unit_test(test_what_waits_is_bounded),
        cmocka_unit_test(test_clicks_ahead_are_bounded),
        cmocka_unit_test(test_a_broken_first_event_holds_nothing_up),
        cmocka_unit_test(test_a_broken_first_event_keeps_no_ids),
        cmocka_unit_test(test_a_click_that_nobody_can_find_is_not_stored),
        cmocka_unit_test(test_what_is_held_keeps_its_clicks),
        cmocka_unit_test(test_what_is_held_behind_keeps_its_clicks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

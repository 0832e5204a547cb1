/*
 * A stream that goes on for long: what nobody can find leaves it, a little at a time, and no result
 * shows it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "harness/random.h"
#include "harness/streams.h"

#define DAYS 12
#define PER_DAY 20000u /* clicks; a tenth as many conversions */
#define BLOCK 64u      /* events between two marks, at which something is forgotten */
#define FORGOTTEN_MAX 192u

/* A click is found for a day and an hour. */
static const char day_model[] = "{\"window_hours\": 24, \"probabilistic_window_hours\": 6, "
                                "\"retention_hours\": 1}";

/* What both kinds of events show. */
static const char *device_of(uint64_t *random, char *room, size_t size)
{
    uint32_t device = random_below(random, random_below(random, 2) > 0 ? 20 : 20000);
    (void)snprintf(room, size,
                   ",\"fingerprint_hash\":\"%064x\",\"ip_address\":\"203.0.%u.%u\","
                   "\"device_type\":\"mobile\"",
                   device + 1, device / 3 >> 8 & 255, device / 3 & 255);
    return room;
}

/* Event number i: mostly clicks, times in order but for some seconds. */
static void add_event(cm_buffer *text, uint32_t i)
{
    uint64_t random = i;
    char id[16], carried[16], more[200];
    (void)random_below(&random, 2);
    int64_t time = STREAMS_T0 + (int64_t)i * STREAMS_DAY / (PER_DAY + PER_DAY / 10) -
                   random_below(&random, 40) * STREAMS_SECOND;
    (void)device_of(&random, more, sizeof more);
    if (i % 11 != 10) {
        (void)snprintf(id, sizeof id, "k%u", i);
        streams_click(text, id, time, more);
        return;
    }
    uint32_t ago = random_below(&random, 2 * PER_DAY);
    (void)snprintf(id, sizeof id, "v%u", i);
    (void)snprintf(carried, sizeof carried, "k%u", i < ago ? 0 : i - ago);
    streams_conversion(text, id, i % 3 > 0 ? carried : NULL, time, more);
}

#define EVENTS (DAYS * (PER_DAY + PER_DAY / 10))

/* Take so many events from one on, as a block. */
static void slide(streams_run *run, uint32_t first, uint32_t count)
{
    static cm_buffer text;
    text.size = 0;
    for (uint32_t i = first; i < first + count; i++)
        add_event(&text, i);
    streams_take(run, text.data, text.size);
    if (first + count >= EVENTS)
        cm_buffer_destroy(&text);
}

static void test_nothing_grows_and_nothing_is_forgotten_at_once(void **state)
{
    (void)state;
    streams_run run;
    const cm_clock_options clock = streams_clock();
    size_t settled_bytes = 0, most_clicks = 0, before = 0;
    streams_begin(&run, &clock, day_model);
    for (uint32_t at = 0; at + BLOCK <= EVENTS; at += BLOCK) {
        slide(&run, at, BLOCK);
        size_t clicks = cm_engine_click_count(run.engine), bytes = cm_stream_memory(run.stream);
        assert_true(clicks + FORGOTTEN_MAX >= before);
        before = clicks;
        most_clicks = clicks > most_clicks ? clicks : most_clicks;
        if (at < EVENTS / 2)
            settled_bytes = bytes > settled_bytes ? bytes : settled_bytes;
        else if (bytes > settled_bytes + settled_bytes / 10)
            fail_msg("%zu bytes after %u events, %zu before", bytes, at, settled_bytes);
        run.results.size = run.clicks.size = 0;
    }
    /* A day and an hour, and up to two segments that are not dead as a whole. */
    assert_in_range(most_clicks, PER_DAY, PER_DAY * 25 / 24 + 2 * CM_SEGMENT_ROWS);
    assert_true(run.stream->seen.count < PER_DAY / 10 * 2 + CM_SEEN_SEGMENT_IDS);
    assert_int_equal(run.stream->counts.late, 0);
    streams_end(&run);
}

static void keep_on(void *context, int64_t until_us)
{
    (void)context;
    (void)until_us;
}

/* Beside a stream that never forgets: no result shows a difference. */
static void test_what_is_forgotten_changes_no_result(void **state)
{
    (void)state;
    streams_run forgets, never;
    const cm_clock_options clock = streams_clock();
    streams_begin(&forgets, &clock, day_model);
    streams_begin(&never, &clock, day_model);
    never.stream->keeper = (cm_stream_keeper){CM_KEEPS_ALL, keep_on, NULL};
    for (uint32_t at = 0; at < EVENTS; at += EVENTS / 12) {
        slide(&forgets, at, EVENTS / 12);
        slide(&never, at, EVENTS / 12);
        streams_assert_same(&forgets, &never);
        forgets.results.size = never.results.size = 0;
    }
    assert_int_equal(cm_engine_click_count(never.engine), DAYS * PER_DAY);
    assert_true(cm_engine_click_count(forgets.engine) < DAYS * PER_DAY * 2 / 3);
    const uint64_t *methods = forgets.stream->counts.matched.methods;
    for (int method = 0; method < CM_METHOD_COUNT; method++)
        assert_true(methods[method] > 100);
    streams_end(&forgets);
    streams_end(&never);
}

typedef struct keeping {
    cm_stream *stream;
    int64_t until_us;
    size_t count;
} keeping;

static void stop_keeping(void *context, int64_t until_us)
{
    keeping *k = context;
    k->until_us = until_us;
    k->count++;
    k->stream->keeper.from_us = CM_KEEPS_NONE;
}

/* Segments that somebody writes down stay until they are given up, when it is their turn. */
static void test_what_is_kept_stays_until_it_is_given_up(void **state)
{
    (void)state;
    streams_run run;
    const cm_clock_options clock = streams_clock();
    streams_begin(&run, &clock, day_model);
    keeping k = {.stream = run.stream};
    slide(&run, 0, EVENTS / 2);
    slide(&run, EVENTS / 2, EVENTS / 12);
    size_t before = cm_engine_click_count(run.engine);
    int64_t from_us = run.stream->clock.latest_us - STREAMS_DAY * 3;
    run.stream->keeper = (cm_stream_keeper){from_us, keep_on, NULL};
    slide(&run, EVENTS / 2 + EVENTS / 12, EVENTS / 4);
    assert_true(cm_engine_click_count(run.engine) > before + PER_DAY);
    run.stream->keeper = (cm_stream_keeper){from_us, stop_keeping, &k};
    slide(&run, EVENTS / 2 + EVENTS / 12 + EVENTS / 4, EVENTS / 6);
    assert_int_equal(k.count, 1);
    assert_true(k.until_us >= from_us);
    assert_true(cm_engine_click_count(run.engine) < PER_DAY * 25 / 24 + 2 * CM_SEGMENT_ROWS);
    streams_end(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_grows_and_nothing_is_forgotten_at_once),
        cmocka_unit_test(test_what_is_forgotten_changes_no_result),
        cmocka_unit_test(test_what_is_kept_stays_until_it_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

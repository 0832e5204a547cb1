/* The figures of a real stream. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after those it needs */
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "cmd/stream_figures.h"
#include "util/time.h"

#define T0_TEXT "2026-03-01T00:00:00Z"
#define T0_US (1772323200 * CM_SECOND_US)

static cm_engine *engine;
static cm_stream *stream;
static cm_stream_figures figures;

static cm_status take_reject(void *context, const cm_event_place *place, const cm_event *event,
                             const cm_reject_line *reject, cm_error *error)
{
    (void)context;
    (void)place;
    (void)error;
    cm_reject_counts_add(&figures.rejected, event, reject->field);
    return CM_OK;
}

static int begin(void **state)
{
    (void)state;
    const cm_stream_options options = {
        .clock = {.lateness_us = 60 * CM_SECOND_US, .max_future_us = 3600 * CM_SECOND_US},
        .source = "events"};
    const cm_stream_listener listener = {.reject = take_reject};
    memset(&figures, 0, sizeof figures);
    return cm_engine_create(NULL, NULL, &engine, NULL) == CM_OK &&
                   cm_stream_create(engine, &options, &listener, &stream, NULL) == CM_OK
               ? 0
               : -1;
}

static int end(void **state)
{
    (void)state;
    cm_stream_destroy(stream);
    cm_engine_destroy(engine);
    return 0;
}

static void take(const char *text)
{
    uint64_t line = 1;
    cm_error error = {0};
    if (cm_stream_take(stream, text, strlen(text), &line, 0, &error) != CM_OK)
        fail_msg("%s", error.message);
    cm_stream_figures_take(&figures, stream);
}

static void take_click(const char *seq, const char *id, const char *time)
{
    char line[256];
    (void)snprintf(line, sizeof line,
                   "{\"seq\":%s,\"event\":\"click\",\"tenant_id\":\"t\",\"click_id\":\"%s\","
                   "\"click_timestamp\":\"%s\"}\n",
                   seq, id, time);
    take(line);
}

static void take_conversion(const char *seq, const char *id, const char *time, const char *address)
{
    char line[256];
    (void)snprintf(line, sizeof line,
                   "{\"seq\":%s,\"event\":\"conversion\",\"tenant_id\":\"t\","
                   "\"conversion_id\":\"%s\",\"conversion_timestamp\":\"%s\","
                   "\"click_id\":\"a\",\"ip_address\":\"%s\"}\n",
                   seq, id, time, address);
    take(line);
}

static void test_nothing_yet(void **state)
{
    (void)state;
    cm_stream_figures_take(&figures, stream);
    assert_int_equal(cm_stream_figures_lines(&figures), 0);
    assert_true(figures.latest_us <= 0 && figures.watermark_us <= 0);
    assert_false(figures.has_position);
    assert_true(figures.memory_bytes > sizeof *stream);
}

static void test_what_comes_of_events(void **state)
{
    (void)state;
    take_click("5", "a", T0_TEXT);
    take_click("6", "a", T0_TEXT);
    take_click("7", "b", "2025-01-01T00:00:00Z");
    take_conversion("4", "c", T0_TEXT, "");
    take_conversion("9", "c", T0_TEXT, "");
    take_conversion("10", "d", "2026-02-28T00:00:00Z", "");
    take_click("11", "e", "2026-04-01T00:00:00Z");
    assert_int_equal(figures.events[CM_ROW_CLICK], 4);
    assert_int_equal(figures.events[CM_ROW_CONVERSION], 3);
    assert_int_equal(figures.duplicates[CM_ROW_CLICK], 1);
    assert_int_equal(figures.duplicates[CM_ROW_CONVERSION], 1);
    assert_int_equal(figures.disordered, 1);
    assert_int_equal(figures.late_conversions, 1);
    assert_int_equal(figures.expired_clicks, 1);
    assert_int_equal(figures.waited, 1);
    assert_int_equal(figures.waiting, 1);
    assert_int_equal(figures.results[CM_METHOD_URL_PARAM], 1);
    assert_int_equal(figures.results[CM_METHOD_UNATTRIBUTED], 1);
    assert_int_equal(figures.active_clicks, 1);
    assert_true(figures.latest_us == T0_US);
    assert_true(figures.watermark_us == T0_US - 60 * CM_SECOND_US);
    assert_true(figures.has_position);
    assert_int_equal(figures.position_seq, 11);
    assert_int_equal(cm_stream_figures_rejected(&figures), 0);
}

static void test_what_was_wrong(void **state)
{
    (void)state;
    take("nothing\n"
         "{\"event\":\"click\"\n"
         "{\"tenant_id\":\"t\"}\n"
         "{\"event\":\"visit\"}\n"
         "{\"event\":\"visits\"}\n");
    take_click("-1", "a", T0_TEXT);
    take_click("1", "", T0_TEXT);
    take_click("2", "a", "yesterday");
    take_conversion("3", "c", T0_TEXT, "x");
    const cm_reject_counts *rejected = &figures.rejected;
    assert_int_equal(rejected->lines, 2);
    assert_int_equal(rejected->words, 3);
    assert_int_equal(rejected->seqs, 1);
    assert_int_equal(rejected->fields[CM_ROW_CLICK][CM_CLICK_CLICK_ID], 1);
    assert_int_equal(rejected->fields[CM_ROW_CLICK][CM_CLICK_CLICK_TIMESTAMP], 1);
    assert_int_equal(rejected->fields[CM_ROW_CONVERSION][CM_CONVERSION_IP_ADDRESS], 1);
    assert_int_equal(cm_stream_figures_rejected(&figures), 9);
    assert_int_equal(cm_stream_figures_lines(&figures), 9);
    assert_int_equal(figures.events[CM_ROW_CLICK], 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nothing_yet, begin, end),
        cmocka_unit_test_setup_teardown(test_what_comes_of_events, begin, end),
        cmocka_unit_test_setup_teardown(test_what_was_wrong, begin, end),
    };
    return cmocka_run_group_tests_name("stream_figures", tests, NULL, NULL);
}

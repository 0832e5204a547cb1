/* A stream in memory: order, seq, duplicates, rejects, position, model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "harness/streams.h"

#define T0 STREAMS_T0
#define SECOND STREAMS_SECOND
#define DAY STREAMS_DAY

#define FOUND "\"url_param\""
#define assert_has(run, id, part) streams_assert_line(run, id, part, true)
#define assert_has_not(run, id, part) streams_assert_line(run, id, part, false)

static void begin(streams_run *run)
{
    const cm_clock_options clock = streams_clock();
    streams_begin(run, &clock, NULL);
}

/* ---- order ---- */

static void test_results_come_in_the_order_of_conversions(void **state)
{
    (void)state;
    streams_run run;
    cm_buffer text = {0};
    begin(&run);
    streams_conversion(&text, "before", "k", T0, ",\"seq\":0");
    streams_click(&text, "k", T0, ",\"seq\":1");
    streams_conversion(&text, "after", "k", T0, ",\"seq\":2");
    streams_conversion(&text, "earlier", "k", T0 - SECOND, "");
    streams_feed(&run, &text);
    streams_assert_told(&run, "before after earlier");
    assert_has(&run, "before", "\"seq\":0}");
    assert_has_not(&run, "before", FOUND);
    assert_has(&run, "after", "\"seq\":2}");
    assert_has(&run, "after", FOUND);
    assert_has_not(&run, "earlier", "seq");
    assert_has_not(&run, "earlier", FOUND);
    streams_end(&run);
}

/* A click that comes later but is of an earlier time counts for conversions after it, and only
 * those, however many of either are dealt with together. */
static void test_a_late_click_counts_from_then_on(void **state)
{
    (void)state;
    streams_run run;
    cm_buffer text = {0};
    char id[16];
    begin(&run);
    for (int i = 0; i < 200; i++) {
        (void)snprintf(id, sizeof id, "c%d", i);
        if (i == 97)
            streams_click(&text, "k", T0 - 60 * SECOND, "");
        streams_conversion(&text, id, "k", T0 + i, "");
    }
    streams_feed(&run, &text);
    assert_int_equal(run.results_count, 200);
    for (int i = 0; i < 200; i++) {
        (void)snprintf(id, sizeof id, "c%d", i);
        streams_assert_line(&run, id, FOUND, i >= 97);
    }
    assert_int_equal(run.stream->counts.matched.methods[CM_METHOD_URL_PARAM], 103);
    streams_end(&run);
}

/* ---- duplicates ---- */

static void test_a_conversion_that_comes_again_has_no_result(void **state)
{
    (void)state;
    streams_run run;
    cm_buffer text = {0};
    begin(&run);
    streams_conversion(&text, "c", NULL, T0, "");
    streams_conversion(&text, "c", NULL, T0 + SECOND, "");
    streams_conversion(&text, "c", NULL, T0, ",\"tenant_id\":\"u\"");
    streams_feed(&run, &text);
    streams_conversion(&text, "c", NULL, T0, "");
    streams_conversion(&text, "C", NULL, T0, "");
    streams_feed(&run, &text);
    streams_assert_told(&run, "c c C");
    assert_int_equal(run.stream->counts.kinds[CM_ROW_CONVERSION].duplicates, 2);
    assert_int_equal(run.stream->counts.kinds[CM_ROW_CONVERSION].rows, 5);
    streams_end(&run);
}

static void test_a_rejected_conversion_does_not_use_up_its_id(void **state)
{
    (void)state;
    streams_run run;
    cm_buffer text = {0};
    begin(&run);
    streams_conversion(&text, "c", NULL, T0, ",\"ip_address\":\"1.2.3\"");
    streams_conversion(&text, "c", NULL, T0, "");
    streams_feed(&run, &text);
    streams_assert_told(&run, "c");
    assert_int_equal(run.stream->counts.kinds[CM_ROW_CONVERSION].rejected, 1);
    assert_int_equal(run.stream->counts.kinds[CM_ROW_CONVERSION].duplicates, 0);
    streams_end(&run);
}

static void test_the_first_click_of_an_id_stands(void **state)
{
    (void)state;
    streams_run run;
    cm_buffer text = {0};
    begin(&run);
    streams_click(&text, "k", T0, ",\"campaign_id\":\"first\"");
    streams_click(&text, "k", T0, ",\"campaign_id\":\"second\"");
    streams_click(&text, "k", T0, ",\"campaign_id\":\"other\",\"tenant_id\":\"u\"");
    streams_feed(&run, &text);
    streams_click(&text, "k", T0 + SECOND, ",\"campaign_id\":\"third\"");
    streams_conversion(&text, "c", "k", T0 + SECOND, "");
    streams_feed(&run, &text);
    assert_has(&run, "c", "\"campaign_id\":\"first\"");
    assert_int_equal(run.stream->counts.kinds[CM_ROW_CLICK].duplicates, 2);
    assert_int_equal(cm_engine_click_count(run.engine), 2);
    /* The listener hears of each: what was stored before may not have been everywhere. */
    streams_assert_text(&run.clicks, "k\nk\nk\nk\n");
    streams_end(&run);
}

/* Ids are known for the window, and forgotten after it: memory does not grow for ever. */
static void test_conversion_ids_are_known_for_the_window(void **state)
{
    (void)state;
    streams_run run;
    cm_buffer text = {0};
    char id[16];
    const cm_clock_options clock = {.max_future_us = 100 * DAY};
    streams_begin(&run, &clock, NULL);
    streams_conversion(&text, "c", NULL, T0, "");
    for (int i = 0; i < 64; i++)
        streams_click(&text, "within", T0 + 8 * DAY - 1, "");
    streams_conversion(&text, "c", NULL, T0 + 8 * DAY - 1, "");
    streams_feed(&run, &text);
    streams_assert_told(&run, "c");
    for (int i = 0; i < 128; i++) {
        (void)snprintf(id, sizeof id, "k%d", i);
        streams_click(&text, id, T0 + 8 * DAY + i, "");
    }
    streams_conversion(&text, "c", NULL, T0 + 9 * DAY, "");
    streams_feed(&run, &text);
    streams_assert_told(&run, "c c");
    streams_end(&run);
}

/* ---- what is no event ---- */

static void test_malformed_lines_are_told_where_they_are(void **state)
{
    (void)state;
    streams_run run;
    cm_buffer text = {0};
    begin(&run);
    streams_click(&text, "k", T0, "");
    size_t first = text.size;
    cm_buffer_append_text(&text, "no JSON\n\n");
    streams_conversion(&text, "c", "k", T0, ",\"ip_address\":\"300.1.1.1\"");
    streams_feed(&run, &text);
    cm_buffer_append_text(&text,
                          "{\"event\":\"view\"}\n{\"a\":1}\n{\"event\":\"click\",\"seq\":-1}");
    streams_feed(&run, &text);
    char *at = run.rejects.data;
    cm_buffer_append_char(&run.rejects, '\0');
    char wanted[64];
    (void)snprintf(wanted, sizeof wanted, "\"line\":2,\"byte\":%zu,\"field\":null,", first);
    assert_non_null(at = strstr(at, wanted));
    assert_non_null(at = strstr(at, "\"line\":4,"));
    assert_non_null(at = strstr(at, "\"field\":\"ip_address\""));
    assert_non_null(at = strstr(at, "\"line\":5,"));
    assert_non_null(at = strstr(at, "\"field\":\"event\""));
    assert_non_null(at = strstr(at, "\"line\":6,"));
    assert_non_null(at = strstr(at, "\"field\":\"event\""));
    assert_non_null(at = strstr(at, "\"line\":7,"));
    assert_non_null(at = strstr(at, "\"field\":\"seq\""));
    assert_int_equal(run.stream->counts.malformed, 4);
    assert_int_equal(run.stream->counts.kinds[CM_ROW_CONVERSION].rejected, 1);
    assert_int_equal(run.results_count, 0);
    streams_end(&run);
}

/* ---- seq ---- */

static uint64_t position_of(const streams_run *run)
{
    uint64_t seq;
    return cm_stream_position(run->stream, &seq) ? seq : UINT64_MAX;
}

static void test_position_is_before_what_is_held(void **state)
{
    (void)state;
    streams_run run;
    cm_buffer text = {0};
    cm_clock_options clock = streams_clock();
    clock.grace_us = 10 * SECOND;
    streams_begin(&run, &clock, NULL);
    streams_click(&text, "none", T0, "");
    streams_feed(&run, &text);
    assert_int_equal(position_of(&run), UINT64_MAX);
    streams_click(&text, "a", T0, ",\"seq\":10");
    streams_feed(&run, &text);
    assert_int_equal(position_of(&run), 10);
    streams_conversion(&text, "held", NULL, T0, ",\"seq\":11");
    streams_click(&text, "b", T0, ",\"seq\":12");
    streams_feed(&run, &text);
    assert_int_equal(position_of(&run), 10);
    streams_click(&text, "ahead", T0 + 365 * DAY, ",\"seq\":13");
    streams_feed(&run, &text);
    assert_int_equal(position_of(&run), 10);
    streams_let_go(&run);
    assert_int_equal(position_of(&run), 13);
    streams_end(&run);
}

static void test_there_is_no_position_before_the_first(void **state)
{
    (void)state;
    streams_run run;
    cm_buffer text = {0};
    cm_clock_options clock = streams_clock();
    clock.grace_us = SECOND;
    streams_begin(&run, &clock, NULL);
    streams_conversion(&text, "held", NULL, T0, ",\"seq\":0");
    streams_click(&text, "a", T0, ",\"seq\":1");
    streams_feed(&run, &text);
    assert_int_equal(position_of(&run), UINT64_MAX);
    streams_let_go(&run);
    assert_int_equal(position_of(&run), 1);
    streams_end(&run);
}

static void test_a_seq_that_does_not_rise_is_counted(void **state)
{
    (void)state;
    streams_run run;
    cm_buffer text = {0};
    begin(&run);
    streams_conversion(&text, "a", NULL, T0, ",\"seq\":5");
    streams_conversion(&text, "b", NULL, T0, ",\"seq\":5");
    streams_conversion(&text, "c", NULL, T0, ",\"seq\":4");
    streams_conversion(&text, "d", NULL, T0, ",\"seq\":6");
    streams_feed(&run, &text);
    streams_assert_told(&run, "a b c d");
    assert_int_equal(run.stream->counts.disordered, 2);
    assert_int_equal(position_of(&run), 6);
    streams_end(&run);
}

static void test_events_of_an_earlier_run_are_left_out(void **state)
{
    (void)state;
    streams_run run;
    cm_buffer text = {0};
    begin(&run);
    run.stream->options.has_resume = true;
    run.stream->options.resume_seq = 2;
    streams_click(&text, "k", T0, ",\"seq\":1");
    cm_buffer_append_text(&text, "a broken line between them\n");
    streams_conversion(&text, "old", "k", T0, ",\"seq\":2");
    streams_conversion(&text, "new", "k", T0, ",\"seq\":3");
    cm_buffer_append_text(&text, "a broken line after them\n");
    streams_feed(&run, &text);
    streams_assert_told(&run, "new");
    assert_has_not(&run, "new", FOUND);
    assert_int_equal(run.stream->counts.seen_before, 3);
    assert_int_equal(run.stream->counts.malformed, 1);
    assert_int_equal(run.stream->counts.kinds[CM_ROW_CLICK].rows, 0);
    streams_end(&run);
}

/* ---- the rest ---- */

static cm_model *model_of(const char *json)
{
    cm_model *model;
    assert_int_equal(cm_model_create(json, strlen(json), &model, NULL), CM_OK);
    return model;
}

/* Lines at the beginning go with the event that follows; not without bound. */
static void test_lines_before_the_first_event_wait_for_it(void **state)
{
    (void)state;
    for (unsigned resume_seq = 1; resume_seq <= 2; resume_seq++) {
        streams_run run;
        cm_buffer text = {0};
        begin(&run);
        run.stream->options.is_resumable = run.stream->options.has_resume = true;
        run.stream->options.resume_seq = resume_seq;
        cm_buffer_append_text(&text, "a broken line\nanother\n");
        streams_feed(&run, &text);
        assert_int_equal(run.stream->counts.malformed, 0);
        streams_click(&text, "k", T0, ",\"seq\":2");
        cm_buffer_append_text(&text, "a third\n");
        streams_feed(&run, &text);
        assert_int_equal(run.stream->counts.malformed, resume_seq == 1 ? 3 : 1);
        assert_int_equal(run.stream->counts.seen_before, resume_seq == 1 ? 0 : 3);
        assert_int_equal(run.line, 5);
        streams_end(&run);
    }
}

static void test_lines_that_wait_are_bounded(void **state)
{
    (void)state;
    streams_run run;
    begin(&run);
    run.stream->options.is_resumable = true;
    for (int i = 0; i < 1000; i++)
        streams_take(&run, "broken\n", strlen("broken\n"));
    assert_int_equal(run.stream->counts.malformed, 0);
    streams_take(&run, "broken\n", strlen("broken\n"));
    assert_int_equal(run.stream->counts.malformed, 1001);
    streams_end(&run);
    begin(&run);
    run.stream->options.is_resumable = true;
    streams_take(&run, "broken\n", strlen("broken\n"));
    streams_let_go(&run);
    assert_int_equal(run.stream->counts.malformed, 1);
    streams_end(&run);
}

static void test_another_model_from_now_on(void **state)
{
    (void)state;
    streams_run run;
    cm_buffer text = {0};
    cm_error error;
    begin(&run);
    streams_conversion(&text, "a", NULL, T0, "");
    streams_feed(&run, &text);
    cm_model *model = model_of("{\"name\":\"new\",\"version\":\"2\"}");
    assert_int_equal(cm_stream_set_model(run.stream, model, NULL), CM_OK);
    cm_model_destroy(model);
    streams_conversion(&text, "b", NULL, T0, "");
    streams_feed(&run, &text);
    model = model_of("{\"name\":\"other\",\"version\":\"3\",\"retention_hours\":1}");
    assert_int_equal(cm_stream_set_model(run.stream, model, &error), CM_ERROR_MODEL);
    cm_model_destroy(model);
    model = model_of("{\"fingerprint\": {\"traits\": {\"os\": [0.9, 0.4]}}}");
    assert_int_equal(cm_stream_set_model(run.stream, model, &error), CM_ERROR_MODEL);
    assert_non_null(strstr(error.message, "traits: "));
    cm_model_destroy(model);
    streams_conversion(&text, "c", NULL, T0, "");
    streams_feed(&run, &text);
    assert_has(&run, "a", "\"default@1\"");
    assert_has(&run, "b", "\"new@2\"");
    assert_has(&run, "c", "\"new@2\"");
    streams_end(&run);
}

static void test_what_the_listener_returns_ends_the_stream(void **state)
{
    (void)state;
    streams_run run;
    cm_buffer text = {0};
    cm_clock_options clock = streams_clock();
    clock.grace_us = SECOND;
    streams_begin(&run, &clock, NULL);
    streams_conversion(&text, "a", NULL, T0, "");
    streams_feed(&run, &text);
    streams_click(&text, "k", T0 + 400 * SECOND, "");
    run.refuses = CM_ERROR_IO;
    assert_int_equal(streams_try(&run, text.data, text.size), CM_ERROR_IO);
    cm_buffer_destroy(&text);
    streams_end(&run);
}

static void test_lenient_takes_malformed_fields_as_missing(void **state)
{
    (void)state;
    streams_run run;
    cm_buffer text = {0};
    begin(&run);
    run.stream->options.build.lenient = true;
    streams_conversion(&text, "c", NULL, T0, ",\"ip_address\":\"x\"");
    streams_feed(&run, &text);
    streams_assert_told(&run, "c");
    const cm_source_counts *counts = &run.stream->counts.kinds[CM_ROW_CONVERSION];
    assert_int_equal(counts->rejected, 0);
    assert_int_equal(counts->lenient[CM_CONVERSION_IP_ADDRESS], 1);
    streams_end(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_results_come_in_the_order_of_conversions),
        cmocka_unit_test(test_a_late_click_counts_from_then_on),
        cmocka_unit_test(test_a_conversion_that_comes_again_has_no_result),
        cmocka_unit_test(test_a_rejected_conversion_does_not_use_up_its_id),
        cmocka_unit_test(test_the_first_click_of_an_id_stands),
        cmocka_unit_test(test_conversion_ids_are_known_for_the_window),
        cmocka_unit_test(test_malformed_lines_are_told_where_they_are),
        cmocka_unit_test(test_position_is_before_what_is_held),
        cmocka_unit_test(test_there_is_no_position_before_the_first),
        cmocka_unit_test(test_a_seq_that_does_not_rise_is_counted),
        cmocka_unit_test(test_events_of_an_earlier_run_are_left_out),
        cmocka_unit_test(test_lines_before_the_first_event_wait_for_it),
        cmocka_unit_test(test_lines_that_wait_are_bounded),
        cmocka_unit_test(test_another_model_from_now_on),
        cmocka_unit_test(test_what_the_listener_returns_ends_the_stream),
        cmocka_unit_test(test_lenient_takes_malformed_fields_as_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Figures as Prometheus text, and as a line for people. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after those it needs */
#include <cmocka.h>
#include <string.h>

#include "cmd/metrics_text.h"
#include "cmd/stream_status.h"
#include "harness/metrics.h"

static cm_histogram latency; /* too large for a stack */
static cm_metrics_snapshot snapshot;
static cm_buffer text;

static const cm_metrics_process process = {.now_us = 1772323700000001,
                                           .started_us = 1772300000500000,
                                           .rss_bytes = 4096,
                                           .core_seconds = 1.5};

static int clear(void **state)
{
    (void)state;
    cm_buffer_destroy(&text);
    return 0;
}

static void render(const cm_stream_figures *figures)
{
    cm_metrics_snapshot_take(&snapshot, figures);
    cm_metrics_text(&snapshot, &process, &text);
    assert_true(cm_test_exposition_is_good(text.data, text.size));
    cm_buffer_append_char(&text, '\0');
    assert_false(text.failed);
}

/* Is there such a line? */
static bool has(const char *line)
{
    for (const char *at = text.data; (at = strstr(at, line)) != NULL; at++)
        if ((at == text.data || at[-1] == '\n') && at[strlen(line)] == '\n')
            return true;
    return false;
}

static void expect_lines(const char *const *lines, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!has(lines[i]))
            fail_msg("no line '%s' in\n%s", lines[i], text.data);
}

static size_t sample_lines(void)
{
    size_t count = 0;
    for (const char *at = text.data; (at = strchr(at, '\n')) != NULL; at++)
        count += at[1] != '#' && at[1] != '\0';
    return count;
}

/* --- Prometheus ------------------------------------------------------------------------------- */

static void test_every_figure_has_its_line(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "clickmatch_stream_events_total{kind=\"click\"} 1000001",
        "clickmatch_stream_events_total{kind=\"conversion\"} 20002",
        "clickmatch_stream_rejected_total{kind=\"unknown\",field=\"line\"} 3",
        "clickmatch_stream_rejected_total{kind=\"unknown\",field=\"event\"} 4",
        "clickmatch_stream_rejected_total{kind=\"unknown\",field=\"seq\"} 5",
        "clickmatch_stream_rejected_total{kind=\"click\",field=\"ip_address\"} 6",
        "clickmatch_stream_rejected_total{kind=\"conversion\",field=\"conversion_id\"} 7",
        "clickmatch_stream_duplicates_total{kind=\"click\"} 60",
        "clickmatch_stream_duplicates_total{kind=\"conversion\"} 70",
        "clickmatch_stream_late_conversions_total 80",
        "clickmatch_stream_expired_clicks_total 90",
        "clickmatch_stream_seen_before_total 71",
        "clickmatch_stream_disordered_total 72",
        "clickmatch_stream_ahead_total 100",
        "clickmatch_stream_ahead_waiting 110",
        "clickmatch_stream_refused_clicks_total 115",
        "clickmatch_stream_dropped_clicks_total 117",
        "clickmatch_stream_results_total{method=\"unattributed\"} 120",
        "clickmatch_stream_results_total{method=\"url_param\"} 130",
        "clickmatch_stream_results_total{method=\"fingerprint\"} 140",
        "clickmatch_stream_results_total{method=\"probabilistic\"} 150",
        "clickmatch_stream_results_written_total 160",
        "clickmatch_stream_held_conversions 170",
        "clickmatch_stream_active_clicks 1800",
        "clickmatch_stream_memory_bytes 1900000",
        "clickmatch_stream_watermark_seconds 1772323200.000001",
        "clickmatch_stream_latest_event_seconds 1772323500.000000",
        "clickmatch_stream_watermark_lag_seconds 500.000000",
        "clickmatch_stream_position_seq 200",
        "clickmatch_stream_latency_seconds_bucket{le=\"1e-05\"} 1",
        "clickmatch_stream_latency_seconds_bucket{le=\"0.0005\"} 1",
        "clickmatch_stream_latency_seconds_bucket{le=\"0.001\"} 2",
        "clickmatch_stream_latency_seconds_bucket{le=\"10\"} 2",
        "clickmatch_stream_latency_seconds_bucket{le=\"+Inf\"} 3",
        "clickmatch_stream_latency_seconds_sum 20.000909000",
        "clickmatch_stream_latency_seconds_count 3",
        "clickmatch_stream_checkpoints_total 210",
        "clickmatch_stream_checkpoint_failures_total 220",
        "clickmatch_stream_checkpoint_last_seconds 1772323600.000000",
        "clickmatch_stream_checkpoint_duration_seconds 0.250000",
        "clickmatch_stream_sink_connected 1",
        "clickmatch_stream_sink_batches_total 230",
        "clickmatch_stream_sink_rows_total 240",
        "clickmatch_stream_sink_attempts_total 250",
        "clickmatch_stream_sink_dead_rows_total 260",
        "clickmatch_stream_sink_position_seq 270",
        "clickmatch_stream_sink_backlog_rows 280",
        "clickmatch_process_resident_memory_bytes 4096",
        "clickmatch_process_cpu_seconds_total 1.500000",
        "clickmatch_process_start_time_seconds 1772300000.500000",
    };
    cm_stream_figures figures = cm_test_figures(&latency);
    render(&figures);
    size_t count = sizeof lines / sizeof *lines;
    expect_lines(lines, count);
    assert_true(has("clickmatch_build_info{version=\"" CM_VERSION "\",model=\"default@1\"} 1"));
    /* What is not above: the build, the other fields and the other 15 bounds of latency. */
    size_t fields = cm_field_count(CM_ROW_CLICK) + cm_field_count(CM_ROW_CONVERSION);
    assert_int_equal(sample_lines(), count + 1 + fields - 2 + CM_METRICS_BUCKETS - 4);
}

static void test_what_is_unknown_has_no_line(void **state)
{
    (void)state;
    static const char *const gone[] = {"\nclickmatch_stream_watermark",
                                       "\nclickmatch_stream_latest",
                                       "\nclickmatch_stream_checkpoint_last",
                                       "\nclickmatch_stream_checkpoint_duration",
                                       "clickmatch_stream_sink",
                                       "clickmatch_stream_latency",
                                       "clickmatch_stream_position"};
    cm_stream_figures figures = {.latest_us = CM_TIME_MISSING};
    render(&figures);
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++)
        assert_null(strstr(text.data, gone[i]));
    assert_true(has("clickmatch_stream_events_total{kind=\"click\"} 0"));
    assert_true(has("clickmatch_stream_checkpoints_total 0"));
}

static void test_a_sink_that_is_gone_says_zero(void **state)
{
    (void)state;
    cm_stream_figures figures = {.sink = {.is_used = true}};
    render(&figures);
    assert_true(has("clickmatch_stream_sink_connected 0"));
}

static void test_labels_are_escaped(void **state)
{
    (void)state;
    cm_stream_figures figures = {.model = "a\"b\\c\nd\xc3\xa9@1"};
    render(&figures);
    assert_non_null(strstr(text.data, "model=\"a\\\"b\\\\c\\nd\xc3\xa9@1\"} 1\n"));
    figures.model = "broken\xff@1";
    text.size = 0;
    render(&figures);
    assert_non_null(strstr(text.data, "model=\"broken?@1\"} 1\n"));
}

/* A model's name has no limit; ours does, and may cut a character in two. */
static void test_a_long_label_is_cut(void **state)
{
    (void)state;
    char model[3 * CM_METRICS_MODEL_BYTES];
    for (size_t i = 0; i + 1 < sizeof model; i += 2)
        memcpy(model + i, "\xc3\xa9", 2);
    model[sizeof model - 1] = '\0';
    cm_stream_figures figures = {.model = model};
    render(&figures);
}

/* --- A line for people ------------------------------------------------------------------------ */

static void test_the_status_line_tells_all(void **state)
{
    (void)state;
    char line[CM_STREAM_STATUS_BYTES];
    cm_stream_figures figures = cm_test_figures(&latency);
    cm_stream_status last = {.events = 20086, .seconds = 100};
    cm_stream_status_line(&figures, &last, 104, 1772323690000000, line, sizeof line);
    assert_string_equal(
        line, "1,020,086 events, 250,000/s, 25 rejected, 130 duplicates, 80 late conversions, "
              "115 clicks refused, 117 clicks dropped for want of room, seq 200; results: 130 "
              "url_param, 140 fingerprint, "
              "150 probabilistic, 120 unattributed, 170 held, 110 ahead, waiting; "
              "1,800 clicks, 1.8 MiB; watermark 2026-03-01T00:00:00Z; checkpoint 90 s ago; "
              "220 checkpoints failed; database connected, 280 rows behind, "
              "260 rows given up");
    assert_true(last.events == 1020086);
    cm_stream_status_line(&figures, &last, 105, 1772323690000000, line, sizeof line);
    assert_non_null(strstr(line, "events, 0/s"));
}

static void test_the_status_line_of_nothing(void **state)
{
    (void)state;
    char line[CM_STREAM_STATUS_BYTES];
    cm_stream_figures figures = {.sink = {.is_used = true}};
    cm_stream_status last = {.seconds = 7};
    cm_stream_status_line(&figures, &last, 7, 0, line, sizeof line);
    assert_string_equal(line, "0 events, 0/s; results: 0 url_param, 0 fingerprint, "
                              "0 probabilistic, 0 unattributed; 0 clicks, 0.0 MiB; "
                              "database NOT connected");
}

/* The largest numbers fit into the room that is advised; less room cuts the line. */
static void test_the_status_line_stays_within_its_room(void **state)
{
    (void)state;
    char line[CM_STREAM_STATUS_BYTES + 1];
    cm_stream_figures figures;
    memset(&figures, 0x7f, sizeof figures);
    figures.model = NULL;
    figures.has_position = true;
    figures.watermark_us = figures.checkpoint.last_us = INT64_MAX;
    figures.sink.is_used = true;
    figures.sink.is_connected = false;
    cm_stream_status last = {0};
    cm_stream_status_line(&figures, &last, 1, INT64_MAX, line, CM_STREAM_STATUS_BYTES);
    assert_true(strlen(line) < CM_STREAM_STATUS_BYTES - 1);
    for (size_t size = 1; size < CM_STREAM_STATUS_BYTES; size++) {
        line[size] = 'x';
        cm_stream_status_line(&figures, &last, 1, 0, line, size);
        assert_true(strlen(line) < size);
        assert_int_equal(line[size], 'x');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_every_figure_has_its_line, clear),
        cmocka_unit_test_teardown(test_what_is_unknown_has_no_line, clear),
        cmocka_unit_test_teardown(test_a_sink_that_is_gone_says_zero, clear),
        cmocka_unit_test_teardown(test_labels_are_escaped, clear),
        cmocka_unit_test_teardown(test_a_long_label_is_cut, clear),
        cmocka_unit_test(test_the_status_line_tells_all),
        cmocka_unit_test(test_the_status_line_of_nothing),
        cmocka_unit_test(test_the_status_line_stays_within_its_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

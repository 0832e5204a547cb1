#include "harness/metrics.h"

#include <stdio.h>
#include <string.h>

cm_stream_figures cm_test_figures(cm_histogram *latency)
{
    cm_stream_figures figures = {
        .model = "default@1",
        .events = {1000001, 20002},
        .rejected = {.lines = 3, .words = 4, .seqs = 5},
        .duplicates = {60, 70},
        .seen_before = 71,
        .disordered = 72,
        .late_conversions = 80,
        .expired_clicks = 90,
        .waited = 100,
        .waiting = 110,
        .refused_clicks = 115,
        .dropped_clicks = 117,
        .results = {120, 130, 140, 150},
        .results_written = 160,
        .held_conversions = 170,
        .active_clicks = 1800,
        .memory_bytes = 1900000,
        .watermark_us = 1772323200000001,
        .latest_us = 1772323500000000,
        .has_position = true,
        .position_seq = 200,
        .latency_ns = latency,
        .latency_sum_seconds = 20.000909,
        .checkpoint = {210, 220, 1772323600000000, 0.25},
        .sink = {true, true, 230, 240, 250, 260, 270, 280},
    };
    figures.rejected.fields[CM_ROW_CLICK][CM_CLICK_IP_ADDRESS] = 6;
    figures.rejected.fields[CM_ROW_CONVERSION][CM_CONVERSION_CONVERSION_ID] = 7;
    memset(latency, 0, sizeof *latency);
    cm_histogram_record(latency, 9000);
    cm_histogram_record(latency, 900000);
    cm_histogram_record(latency, 20000000000);
    return figures;
}

bool cm_test_exposition_is_good(const char *text, size_t size)
{
    FILE *reader = popen("python3 tests/harness/exposition.py clickmatch_build_info "
                         "clickmatch_stream_events_total clickmatch_stream_results_total >&2",
                         "w");
    if (reader == NULL)
        return false;
    bool is_written = fwrite(text, 1, size, reader) == size;
    return pclose(reader) == 0 && is_written;
}

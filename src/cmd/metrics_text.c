#include "cmd/metrics_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/text.h"
#include "util/time.h"

static const char *const kind_names[CM_ROW_KIND_COUNT] = {"click", "conversion"};

/* Bounds as they are written, and in nanoseconds. */
static const struct {
    const char *text;
    uint64_t ns;
} bounds[CM_METRICS_BUCKETS] = {
    {"1e-05", 10000},    {"2.5e-05", 25000},  {"5e-05", 50000},    {"0.0001", 100000},
    {"0.00025", 250000}, {"0.0005", 500000},  {"0.001", 1000000},  {"0.0025", 2500000},
    {"0.005", 5000000},  {"0.01", 10000000},  {"0.025", 25000000}, {"0.05", 50000000},
    {"0.1", 100000000},  {"0.25", 250000000}, {"0.5", 500000000},  {"1", 1000000000},
    {"2.5", 2500000000}, {"5", 5000000000},   {"10", 10000000000},
};

void cm_metrics_snapshot_take(cm_metrics_snapshot *snapshot, const cm_stream_figures *figures)
{
    uint64_t limits[CM_METRICS_BUCKETS];
    *snapshot =
        (cm_metrics_snapshot){.figures = *figures, .has_latency = figures->latency_ns != NULL};
    snapshot->figures.model = NULL;
    snapshot->figures.latency_ns = NULL;
    (void)snprintf(snapshot->model, sizeof snapshot->model, "%s",
                   figures->model == NULL ? "" : figures->model);
    if (!snapshot->has_latency)
        return;
    for (size_t i = 0; i < CM_METRICS_BUCKETS; i++)
        limits[i] = bounds[i].ns;
    cm_histogram_cumulate(figures->latency_ns, limits, CM_METRICS_BUCKETS, snapshot->buckets);
    snapshot->latency_count = figures->latency_ns->total;
}

/* --- Lines ------------------------------------------------------------------------------------ */

static void append(cm_buffer *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append(cm_buffer *text, const char *format, ...)
{
    char line[320];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    cm_buffer_append_text(text, line);
}

static void append_head(cm_buffer *text, const char *name, const char *type, const char *help)
{
    append(text, "# HELP clickmatch_%s %s\n# TYPE clickmatch_%s %s\n", name, help, name, type);
}

static void append_count(cm_buffer *text, const char *name, uint64_t value)
{
    append(text, "clickmatch_%s %llu\n", name, (unsigned long long)value);
}

static void append_labelled(cm_buffer *text, const char *name, const char *label, const char *value,
                            uint64_t count)
{
    append(text, "clickmatch_%s{%s=\"%s\"} %llu\n", name, label, value, (unsigned long long)count);
}

/* Microseconds since 1970 as seconds, exactly. Unknown ones have no line. */
static void append_time(cm_buffer *text, const char *name, const char *help, int64_t time_us)
{
    append_head(text, name, "gauge", help);
    if (time_us > 0)
        append(text, "clickmatch_%s %lld.%06lld\n", name, (long long)(time_us / CM_SECOND_US),
               (long long)(time_us % CM_SECOND_US));
}

/* A count that stands in the figures. */
typedef struct plain {
    const char *name, *type, *help;
    size_t offset; /* of a uint64_t in cm_stream_figures */
} plain;

static void append_plain(cm_buffer *text, const cm_stream_figures *figures, const plain *lines,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t value;
        memcpy(&value, (const char *)figures + lines[i].offset, sizeof value);
        append_head(text, lines[i].name, lines[i].type, lines[i].help);
        append_count(text, lines[i].name, value);
    }
}

/* --- Parts ------------------------------------------------------------------------------------ */

/* A label's value: backslash, quote and line end escaped; no text of a broken encoding. */
static void append_value(cm_buffer *text, const char *value)
{
    size_t characters;
    bool is_text = cm_utf8_count((cm_slice){value, strlen(value)}, &characters);
    for (const char *at = value; *at != '\0'; at++) {
        if (*at == '\n')
            cm_buffer_append_text(text, "\\n");
        else if (*at == '\\' || *at == '"')
            append(text, "\\%c", *at);
        else
            cm_buffer_append_char(text, is_text || (unsigned char)*at < 0x80 ? *at : '?');
    }
}

static void append_build(cm_buffer *text, const char *model)
{
    append_head(text, "build_info", "gauge", "1; what runs is in the labels.");
    append(text, "clickmatch_build_info{version=\"%s\",model=\"", CM_VERSION);
    append_value(text, model);
    cm_buffer_append_text(text, "\"} 1\n");
}

static void append_kinds(cm_buffer *text, const char *name, const char *help,
                         const uint64_t counts[CM_ROW_KIND_COUNT])
{
    append_head(text, name, "counter", help);
    for (size_t kind = 0; kind < CM_ROW_KIND_COUNT; kind++)
        append_labelled(text, name, "kind", kind_names[kind], counts[kind]);
}

static void append_rejected(cm_buffer *text, const char *kind, const char *field, uint64_t count)
{
    append(text, "clickmatch_stream_rejected_total{kind=\"%s\",field=\"%s\"} %llu\n", kind, field,
           (unsigned long long)count);
}

static void append_rejects(cm_buffer *text, const cm_stream_figures *figures)
{
    append_head(text, "stream_rejected_total", "counter",
                "Events rejected, by what was wrong first; line: as a whole.");
    append_rejected(text, "unknown", "line", figures->rejected.lines);
    append_rejected(text, "unknown", "event", figures->rejected.words);
    append_rejected(text, "unknown", "seq", figures->rejected.seqs);
    for (size_t kind = 0; kind < CM_ROW_KIND_COUNT; kind++)
        for (size_t i = 0; i < cm_field_count((cm_row_kind)kind); i++)
            append_rejected(text, kind_names[kind], cm_field_name((cm_row_kind)kind, i),
                            figures->rejected.fields[kind][i]);
}

static void append_results(cm_buffer *text, const cm_stream_figures *figures)
{
    append_head(text, "stream_results_total", "counter", "Conversions matched, by method.");
    for (int i = 0; i < CM_METHOD_COUNT; i++)
        append_labelled(text, "stream_results_total", "method", cm_method_name((cm_method)i),
                        figures->results[i]);
}

static void append_latency(cm_buffer *text, const cm_metrics_snapshot *snapshot)
{
    static const char name[] = "stream_latency_seconds";
    append_head(text, name, "histogram", "From reading a conversion to giving out its result.");
    for (size_t i = 0; i < CM_METRICS_BUCKETS; i++)
        append_labelled(text, "stream_latency_seconds_bucket", "le", bounds[i].text,
                        snapshot->buckets[i]);
    append_labelled(text, "stream_latency_seconds_bucket", "le", "+Inf", snapshot->latency_count);
    append(text, "clickmatch_%s_sum %.9f\n", name, snapshot->figures.latency_sum_seconds);
    append_count(text, "stream_latency_seconds_count", snapshot->latency_count);
}

/* The lag says something only while the world is live; the times themselves always do. */
static void append_times(cm_buffer *text, const cm_stream_figures *figures, int64_t now_us)
{
    append_time(text, "stream_watermark_seconds",
                "Event time, since 1970, before which no event is expected any more.",
                figures->watermark_us);
    append_time(text, "stream_latest_event_seconds", "Event time, since 1970, of the newest event.",
                figures->latest_us);
    append_head(text, "stream_watermark_lag_seconds", "gauge",
                "Clock less watermark: means something where events are live.");
    if (figures->watermark_us > 0)
        append(text, "clickmatch_stream_watermark_lag_seconds %.6f\n",
               (double)(now_us - figures->watermark_us) / (double)CM_SECOND_US);
}

static void append_checkpoint(cm_buffer *text, const cm_checkpoint_figures *checkpoint)
{
    append_head(text, "stream_checkpoints_total", "counter", "Checkpoints completed.");
    append_count(text, "stream_checkpoints_total", checkpoint->done);
    append_head(text, "stream_checkpoint_failures_total", "counter", "Checkpoints that failed.");
    append_count(text, "stream_checkpoint_failures_total", checkpoint->failed);
    append_time(text, "stream_checkpoint_last_seconds",
                "When the last good checkpoint ended, since 1970.", checkpoint->last_us);
    append_head(text, "stream_checkpoint_duration_seconds", "gauge",
                "What the last good checkpoint took.");
    if (checkpoint->last_us > 0)
        append(text, "clickmatch_stream_checkpoint_duration_seconds %.6f\n",
               checkpoint->duration_seconds);
}

static void append_process(cm_buffer *text, const cm_metrics_process *process)
{
    append_head(text, "process_resident_memory_bytes", "gauge", "Memory of the process.");
    if (process->rss_bytes > 0)
        append_count(text, "process_resident_memory_bytes", process->rss_bytes);
    append_head(text, "process_cpu_seconds_total", "counter", "Work of all cores.");
    append(text, "clickmatch_process_cpu_seconds_total %.6f\n", process->core_seconds);
    append_time(text, "process_start_time_seconds", "When the process began, since 1970.",
                process->started_us);
}

/* --- The whole -------------------------------------------------------------------------------- */

#define PLAIN(name, type, member, help)                                                            \
    {                                                                                              \
        name, type, help, offsetof(cm_stream_figures, member)                                      \
    }

static const plain stream_lines[] = {
    PLAIN("stream_seen_before_total", "counter", seen_before,
          "Events left out: by their seq they were there before the start."),
    PLAIN("stream_disordered_total", "counter", disordered, "Events whose seq does not rise."),
    PLAIN("stream_late_conversions_total", "counter", late_conversions,
          "Conversions that the stream's time was past when they came."),
    PLAIN("stream_expired_clicks_total", "counter", expired_clicks,
          "Clicks that nobody could find when they came."),
    PLAIN("stream_ahead_total", "counter", waited,
          "Events further ahead of the stream than --max-future."),
    PLAIN("stream_ahead_waiting", "gauge", waiting, "Those of them that still wait."),
    PLAIN("stream_refused_clicks_total", "counter", refused_clicks,
          "Clicks ahead of the stream left out, as there were too many of them."),
    PLAIN("stream_dropped_clicks_total", "counter", dropped_clicks,
          "Clicks forgotten before their time, as --memory-max has no room for them."),
    PLAIN("stream_results_written_total", "counter", results_written, "Results given out."),
    PLAIN("stream_held_conversions", "gauge", held_conversions,
          "Conversions held for clicks that come late."),
    PLAIN("stream_active_clicks", "gauge", active_clicks, "Clicks held."),
    PLAIN("stream_memory_bytes", "gauge", memory_bytes,
          "Memory of the clicks, their indexes and what waits."),
};

static const plain sink_lines[] = {
    PLAIN("stream_sink_batches_total", "counter", sink.batches, "Batches committed."),
    PLAIN("stream_sink_rows_total", "counter", sink.rows, "Results committed."),
    PLAIN("stream_sink_attempts_total", "counter", sink.attempts,
          "Attempts to write a batch: more than batches where some failed."),
    PLAIN("stream_sink_dead_rows_total", "counter", sink.dead, "Results given up."),
    PLAIN("stream_sink_position_seq", "gauge", sink.position_seq,
          "Place in the stream up to which all is committed."),
    PLAIN("stream_sink_backlog_rows", "gauge", sink.backlog_rows,
          "Results that wait for the database."),
};

static void append_sink(cm_buffer *text, const cm_stream_figures *figures)
{
    if (!figures->sink.is_used)
        return;
    append_head(text, "stream_sink_connected", "gauge", "1 while the database is connected.");
    append_count(text, "stream_sink_connected", figures->sink.is_connected);
    append_plain(text, figures, sink_lines, sizeof sink_lines / sizeof *sink_lines);
}

void cm_metrics_text(const cm_metrics_snapshot *snapshot, const cm_metrics_process *process,
                     cm_buffer *text)
{
    const cm_stream_figures *figures = &snapshot->figures;
    append_build(text, snapshot->model);
    append_kinds(text, "stream_events_total", "Events read, rejected ones and duplicates too.",
                 figures->events);
    append_rejects(text, figures);
    append_kinds(text, "stream_duplicates_total", "Events whose id came before.",
                 figures->duplicates);
    append_results(text, figures);
    append_plain(text, figures, stream_lines, sizeof stream_lines / sizeof *stream_lines);
    append_times(text, figures, process->now_us);
    if (figures->has_position) {
        append_head(text, "stream_position_seq", "gauge", "Seq of the last event taken.");
        append_count(text, "stream_position_seq", figures->position_seq);
    }
    if (snapshot->has_latency)
        append_latency(text, snapshot);
    append_checkpoint(text, &figures->checkpoint);
    append_sink(text, figures);
    append_process(text, process);
}

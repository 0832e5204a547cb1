#include "cmd/stream_status.h"

#include <stdarg.h>
#include <stdio.h>

#include "cmd/progress.h"
#include "cmd/time_text.h"
#include "util/time.h"

/* A line under way: what does not fit is cut off. */
typedef struct status_line {
    char *text;
    size_t size, used;
} status_line;

static void append(status_line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void append(status_line *line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int count = vsnprintf(line->text + line->used, line->size - line->used, format, arguments);
    va_end(arguments);
    if (count > 0)
        line->used += (size_t)count;
    if (line->used > line->size - 1)
        line->used = line->size - 1;
}

/* `, 12 rejected`; nothing for none. */
static void append_some(status_line *line, const char *before, uint64_t count, const char *what)
{
    char room[CM_COUNT_BYTES];
    if (count > 0)
        append(line, "%s%s %s", before, cm_count_text(count, room), what);
}

static void append_events(status_line *line, const cm_stream_figures *figures,
                          const cm_stream_status *last, double now_seconds)
{
    char rooms[2][CM_COUNT_BYTES];
    uint64_t events = cm_stream_figures_lines(figures);
    double seconds = now_seconds - last->seconds;
    double rate = seconds > 0 ? (double)(events - last->events) / seconds : 0;
    append(line, "%s events, %s/s", cm_count_text(events, rooms[0]),
           cm_count_text((uint64_t)(rate + 0.5), rooms[1]));
    append_some(line, ", ", cm_stream_figures_rejected(figures), "rejected");
    append_some(line, ", ",
                figures->duplicates[CM_ROW_CLICK] + figures->duplicates[CM_ROW_CONVERSION],
                "duplicates");
    append_some(line, ", ", figures->late_conversions, "late conversions");
    append_some(line, ", ", figures->refused_clicks, "clicks refused");
    append_some(line, ", ", figures->dropped_clicks, "clicks dropped for want of room");
    if (figures->has_position)
        append(line, ", seq %llu", (unsigned long long)figures->position_seq);
}

static void append_results(status_line *line, const cm_stream_figures *figures)
{
    static const cm_method order[CM_METHOD_COUNT] = {CM_METHOD_URL_PARAM, CM_METHOD_FINGERPRINT,
                                                     CM_METHOD_PROBABILISTIC,
                                                     CM_METHOD_UNATTRIBUTED};
    const char *before = "; results: ";
    for (size_t i = 0; i < CM_METHOD_COUNT; i++, before = ", ") {
        char room[CM_COUNT_BYTES];
        append(line, "%s%s %s", before, cm_count_text(figures->results[order[i]], room),
               cm_method_name(order[i]));
    }
    append_some(line, ", ", figures->held_conversions, "held");
    append_some(line, ", ", figures->waiting, "ahead, waiting");
}

static void append_clicks(status_line *line, const cm_stream_figures *figures)
{
    char room[CM_COUNT_BYTES];
    append(line, "; %s clicks, %.1f MiB", cm_count_text(figures->active_clicks, room),
           (double)figures->memory_bytes / 1048576);
    if (figures->watermark_us <= 0)
        return;
    char text[CM_TIME_TEXT_BYTES];
    cm_time_text(figures->watermark_us - figures->watermark_us % CM_SECOND_US, text);
    append(line, "; watermark %s", text);
}

static void append_checkpoint(status_line *line, const cm_checkpoint_figures *checkpoint,
                              int64_t now_us)
{
    if (checkpoint->last_us > 0)
        append(line, "; checkpoint %.0f s ago",
               (double)(now_us - checkpoint->last_us) / (double)CM_SECOND_US);
    append_some(line, "; ", checkpoint->failed, "checkpoints failed");
}

static void append_sink(status_line *line, const cm_sink_figures *sink)
{
    if (!sink->is_used)
        return;
    append(line, "; database %s", sink->is_connected ? "connected" : "NOT connected");
    append_some(line, ", ", sink->backlog_rows, "rows behind");
    append_some(line, ", ", sink->dead, "rows given up");
}

void cm_stream_status_line(const cm_stream_figures *figures, cm_stream_status *last,
                           double now_seconds, int64_t now_us, char *line, size_t size)
{
    status_line text = {line, size, 0};
    append_events(&text, figures, last, now_seconds);
    append_results(&text, figures);
    append_clicks(&text, figures);
    append_checkpoint(&text, &figures->checkpoint, now_us);
    append_sink(&text, &figures->sink);
    *last = (cm_stream_status){cm_stream_figures_lines(figures), now_seconds};
}

/* The summary for people. */
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>

#include "cmd/progress.h"
#include "cmd/summary.h"

static void append(cm_buffer *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append(cm_buffer *text, const char *format, ...)
{
    char line[320];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    cm_buffer_append_text(text, line);
}

static void append_rows(const cm_summary *summary, cm_buffer *text)
{
    static const char *const kinds[CM_ROW_KIND_COUNT] = {"clicks", "conversions"};
    append(text, "%-15s %15s %13s %13s\n", "rows", "read", "rejected", "duplicates");
    for (size_t kind = 0; kind < CM_ROW_KIND_COUNT; kind++) {
        const cm_source_counts *counts = &summary->totals[kind];
        char rooms[3][CM_COUNT_BYTES];
        append(text, "  %-13s %15s %13s %13s\n", kinds[kind], cm_count_text(counts->rows, rooms[0]),
               cm_count_text(counts->rejected, rooms[1]),
               cm_count_text(counts->duplicates, rooms[2]));
    }
    cm_rejects_text(summary->rejects, text);
    for (int kind = 0; kind < CM_ROW_KIND_COUNT; kind++)
        for (size_t i = 0; i < cm_field_count((cm_row_kind)kind); i++) {
            char room[CM_COUNT_BYTES];
            uint64_t lenient = summary->totals[kind].lenient[i];
            if (lenient > 0)
                append(text, "  %s taken as missing: %s: %s\n", kinds[kind],
                       cm_field_name((cm_row_kind)kind, i), cm_count_text(lenient, room));
        }
}

static void append_method(const cm_match_counts *matched, cm_method method, cm_buffer *text)
{
    char room[CM_COUNT_BYTES];
    uint64_t count = matched->methods[method];
    append(text, "  %-13s %15s %11.2f %%", cm_method_name(method), cm_count_text(count, room),
           matched->conversions == 0 ? 0 : 100 * (double)count / (double)matched->conversions);
    if (method != CM_METHOD_UNATTRIBUTED && count > 0)
        append(text, " %13.4f", (double)matched->confidence_e4[method] / (double)count / 10000);
    cm_buffer_append_char(text, '\n');
}

static void append_recovery(const cm_summary *summary, cm_buffer *text)
{
    const cm_match_counts *matched = &summary->matched;
    double all = (double)matched->conversions;
    double attributed = all - (double)matched->methods[CM_METHOD_UNATTRIBUTED];
    uint64_t sum_e4 = 0;
    if (matched->conversions == 0)
        return;
    for (size_t i = 0; i < CM_METHOD_COUNT; i++)
        sum_e4 += matched->confidence_e4[i];
    if (attributed > 0)
        append(text, "%-15s %.4f\n", "mean confidence", (double)sum_e4 / attributed / 10000);
    append(text, "%-15s %.4f = %.4f layer 1 + %.4f layer 2 + %.4f layer 3\n", "recovery rate",
           attributed / all, (double)matched->methods[CM_METHOD_URL_PARAM] / all,
           (double)matched->methods[CM_METHOD_FINGERPRINT] / all,
           (double)matched->methods[CM_METHOD_PROBABILISTIC] / all);
}

static void append_phases(const cm_summary *summary, cm_buffer *text)
{
    struct rusage usage = {0};
    append(text, "%-15s %15s %13s\n", "time", "seconds", "rows/s");
    for (size_t i = 0; i < summary->phase_count; i++) {
        const cm_phase *phase = &summary->phases[i];
        char room[CM_COUNT_BYTES];
        append(text, "  %-13s %15.3f", phase->name, phase->seconds);
        if (phase->rows > 0 && phase->seconds > 0)
            append(text, " %13s",
                   cm_count_text((uint64_t)((double)phase->rows / phase->seconds), room));
        cm_buffer_append_char(text, '\n');
    }
    append(text, "  %-13s %15.3f\n", "total", summary->seconds);
    getrusage(RUSAGE_SELF, &usage);
    if (summary->engine_clicks > 0)
        append(text, "%-15s %12.1f MiB, %.1f bytes a click\n", "clicks held",
               (double)summary->engine_bytes / 1048576,
               (double)summary->engine_bytes / (double)summary->engine_clicks);
    append(text, "%-15s %12.1f MiB\n", "peak memory", (double)usage.ru_maxrss / 1024);
}

static void append_attribution(const cm_summary *summary, cm_buffer *text)
{
    append(text, "%-15s %15s %13s %13s\n", "attribution", "conversions", "share", "confidence");
    static const cm_method order[CM_METHOD_COUNT] = {CM_METHOD_URL_PARAM, CM_METHOD_FINGERPRINT,
                                                     CM_METHOD_PROBABILISTIC,
                                                     CM_METHOD_UNATTRIBUTED};
    for (size_t i = 0; i < CM_METHOD_COUNT; i++)
        append_method(&summary->matched, order[i], text);
    append_recovery(summary, text);
}

void cm_summary_text(const cm_summary *summary, cm_buffer *text)
{
    if (summary->outcome == CM_ERROR_INTERRUPTED)
        append(text, "%s was interrupted; until then:\n", summary->command);
    append_rows(summary, text);
    if (!summary->has_no_results)
        append_attribution(summary, text);
    if (summary->note[0] != '\0')
        append(text, "%s\n", summary->note);
    append_phases(summary, text);
    cm_buffer_append(text, summary->more.data, summary->more.size);
    text->failed |= summary->more.failed;
}

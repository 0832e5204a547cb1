#include "cmd/stream_figures.h"

#include <string.h>

void cm_reject_counts_add(cm_reject_counts *counts, const cm_event *event, const char *field)
{
    bool is_malformed = event->row.malformed != NULL;
    size_t i = 0;
    if (is_malformed && event->field != NULL) {
        uint64_t *count = strcmp(event->field, "seq") == 0 ? &counts->seqs : &counts->words;
        ++*count;
        return;
    }
    if (is_malformed || field == NULL) {
        counts->lines++;
        return;
    }
    while (i + 1 < cm_field_count(event->kind) && strcmp(cm_field_name(event->kind, i), field) != 0)
        i++;
    counts->fields[event->kind][i]++;
}

void cm_stream_figures_take(cm_stream_figures *figures, const cm_stream *stream)
{
    const cm_stream_counts *counts = &stream->counts;
    for (size_t kind = 0; kind < CM_ROW_KIND_COUNT; kind++) {
        figures->events[kind] = counts->kinds[kind].rows;
        figures->duplicates[kind] = counts->kinds[kind].duplicates;
    }
    figures->seen_before = counts->seen_before;
    figures->disordered = counts->disordered;
    figures->late_conversions = counts->late;
    figures->expired_clicks = counts->too_old;
    figures->waited = counts->waited;
    figures->waiting = stream->waiting.count;
    figures->refused_clicks = counts->refused;
    figures->dropped_clicks = counts->dropped;
    memcpy(figures->results, counts->matched.methods, sizeof figures->results);
    figures->held_conversions = stream->held.count;
    figures->active_clicks = cm_engine_click_count(stream->engine);
    figures->memory_bytes = cm_stream_memory(stream);
    figures->watermark_us = cm_event_clock_watermark(&stream->clock);
    figures->latest_us = stream->clock.latest_us;
    figures->has_position = stream->last.has_seq;
    figures->position_seq = stream->last.seq;
}

uint64_t cm_stream_figures_lines(const cm_stream_figures *figures)
{
    const cm_reject_counts *rejected = &figures->rejected;
    return figures->events[CM_ROW_CLICK] + figures->events[CM_ROW_CONVERSION] +
           figures->seen_before + rejected->lines + rejected->words + rejected->seqs;
}

uint64_t cm_stream_figures_rejected(const cm_stream_figures *figures)
{
    const cm_reject_counts *rejected = &figures->rejected;
    uint64_t sum = rejected->lines + rejected->words + rejected->seqs;
    for (size_t kind = 0; kind < CM_ROW_KIND_COUNT; kind++)
        for (size_t i = 0; i < CM_FIELD_COUNT_MAX; i++)
            sum += rejected->fields[kind][i];
    return sum;
}

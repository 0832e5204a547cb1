#include "cmd/progress.h"

#include <stdio.h>

#include "cmd/clock.h"

#define QUIET_SECONDS 2.0
#define REDRAW_SECONDS 0.2

void cm_progress_init(cm_progress *progress, cm_log *log)
{
    *progress = (cm_progress){.log = log, .started_seconds = cm_clock_seconds()};
}

void cm_progress_phase(cm_progress *progress, const char *name, uint64_t bytes_total)
{
    progress->phase = name;
    progress->phase_seconds = cm_clock_seconds();
    progress->phase_total = bytes_total;
    progress->sources_done = 0;
    progress->rows_done = 0;
}

void cm_progress_source(cm_progress *progress, const cm_source *source)
{
    progress->source = source;
}

static uint64_t bytes_done(const cm_progress *progress)
{
    uint64_t done = 0;
    uint64_t total;
    if (progress->source != NULL && progress->source->progress != NULL)
        progress->source->progress(progress->source->context, &done, &total);
    return progress->sources_done + done;
}

void cm_progress_source_end(cm_progress *progress, uint64_t rows)
{
    progress->sources_done = bytes_done(progress);
    progress->rows_done += rows;
    progress->source = NULL;
}

static void draw(cm_progress *progress, uint64_t rows, double now)
{
    char rate[CM_COUNT_BYTES];
    char line[160];
    double seconds = now - progress->phase_seconds;
    double done = (double)bytes_done(progress);
    double total = (double)progress->phase_total;
    cm_count_text((uint64_t)((double)rows / (seconds > 0 ? seconds : 1)), rate);
    if (total >= done && done > 0)
        snprintf(line, sizeof line, "%s  %.0f %%  %s rows/s  %.0f s left", progress->phase,
                 100 * done / total, rate, seconds * (total - done) / done);
    else
        snprintf(line, sizeof line, "%s  %s rows/s", progress->phase, rate);
    cm_log_progress(progress->log, line);
}

void cm_progress_update(cm_progress *progress, uint64_t rows)
{
    if (!cm_log_has_progress(progress->log))
        return;
    double now = cm_clock_seconds();
    if (now - progress->started_seconds < QUIET_SECONDS ||
        now - progress->drawn_seconds < REDRAW_SECONDS)
        return;
    progress->drawn_seconds = now;
    draw(progress, progress->rows_done + rows, now);
}

const char *cm_count_text(uint64_t number, char room[CM_COUNT_BYTES])
{
    char digits[CM_COUNT_BYTES];
    int size = snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
    int at = 0;
    for (int i = 0; i < size; i++) {
        if (i > 0 && (size - i) % 3 == 0)
            room[at++] = ',';
        room[at++] = digits[i];
    }
    room[at] = '\0';
    return room;
}

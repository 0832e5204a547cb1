#include "cmd/bench_record.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/grow.h"

/* ---- noting ---- */

void cm_bench_record_begin(cm_bench_record *record, const char *name)
{
    if (record->failed)
        return;
    cm_bench_part *parts =
        cm_grow(record->parts, &record->part_capacity, record->part_count + 1, sizeof *parts);
    record->failed = parts == NULL;
    if (parts == NULL)
        return;
    record->parts = parts;
    parts[record->part_count++] = (cm_bench_part){.name = name};
}

static cm_bench_part *last_part(cm_bench_record *record)
{
    return &record->parts[record->part_count - 1];
}

void cm_bench_record_end(cm_bench_record *record, double seconds)
{
    if (record->failed)
        return;
    last_part(record)->seconds = seconds;
    record->failed = last_part(record)->notes.failed;
}

void cm_bench_record_leave_out(cm_bench_record *record, const char *name, const char *why)
{
    cm_bench_record_begin(record, name);
    cm_bench_say(record, "%s", why);
    if (!record->failed)
        last_part(record)->is_left_out = true;
    cm_bench_record_end(record, 0);
}

static cm_bench_figure *find_figure(const cm_bench_part *part, const char *of,
                                    const cm_bench_measure *measure)
{
    for (size_t i = 0; i < part->figure_count; i++)
        if (part->figures[i].measure == measure &&
            strncmp(part->figures[i].of, of, CM_BENCH_CASE_BYTES - 1) == 0)
            return &part->figures[i];
    return NULL;
}

static cm_bench_figure *add_figure(cm_bench_part *part, const char *of,
                                   const cm_bench_measure *measure)
{
    cm_bench_figure *figures =
        cm_grow(part->figures, &part->figure_capacity, part->figure_count + 1, sizeof *figures);
    if (figures == NULL)
        return NULL;
    part->figures = figures;
    cm_bench_figure *figure = &figures[part->figure_count++];
    *figure = (cm_bench_figure){.measure = measure};
    snprintf(figure->of, sizeof figure->of, "%s", of);
    return figure;
}

void cm_bench_note(cm_bench_record *record, const char *of, const cm_bench_measure *measure,
                   double value)
{
    if (record->failed)
        return;
    cm_bench_figure *figure = find_figure(last_part(record), of, measure);
    if (figure == NULL)
        figure = add_figure(last_part(record), of, measure);
    double *values = figure == NULL ? NULL
                                    : cm_grow(figure->values, &figure->capacity, figure->count + 1,
                                              sizeof *values);
    record->failed = values == NULL;
    if (values == NULL)
        return;
    figure->values = values;
    values[figure->count++] = value;
}

void cm_bench_say(cm_bench_record *record, const char *format, ...)
{
    char line[256];
    va_list arguments;
    if (record->failed)
        return;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    cm_buffer_append_text(&last_part(record)->notes, line);
    cm_buffer_append_char(&last_part(record)->notes, '\n');
}

void cm_bench_record_destroy(cm_bench_record *record)
{
    for (size_t i = 0; i < record->part_count; i++) {
        cm_bench_part *part = &record->parts[i];
        for (size_t j = 0; j < part->figure_count; j++)
            free(part->figures[j].values);
        free(part->figures);
        cm_buffer_destroy(&part->notes);
    }
    free(record->parts);
    *record = (cm_bench_record){0};
}

/* ---- what repetitions come to ---- */

cm_bench_spread cm_bench_spread_of(const double *values, size_t count)
{
    cm_bench_spread spread = {values[0], values[0], values[0]};
    double low = values[0]; /* the two in the middle: they are one where the number is odd */
    double high = values[0];
    for (size_t i = 0; i < count; i++) {
        size_t below = 0;
        size_t equal = 0;
        for (size_t j = 0; j < count; j++) {
            below += values[j] < values[i];
            equal += values[j] == values[i];
        }
        if (below <= (count - 1) / 2 && (count - 1) / 2 < below + equal)
            low = values[i];
        if (below <= count / 2 && count / 2 < below + equal)
            high = values[i];
        spread.min = values[i] < spread.min ? values[i] : spread.min;
        spread.max = values[i] > spread.max ? values[i] : spread.max;
    }
    spread.median = low == high ? low : (low + high) / 2;
    return spread;
}

/* The figures of `bench` as a table for people and as JSON for programs. */
#include <math.h>
#include <stdio.h>

#include "cmd/bench_record.h"
#include "cmd/progress.h"
#include "util/json.h"

/* A number in about four digits, thousands apart: 0.0123, 4.56, 78.9, 1,234,567. */
static const char *number_text(double number, char room[CM_COUNT_BYTES])
{
    if (number >= 1000)
        return cm_count_text((uint64_t)(number + 0.5), room);
    int decimals = number >= 100 ? 1 : number >= 1 ? 2 : 4;
    if (number == floor(number))
        decimals = 0;
    snprintf(room, CM_COUNT_BYTES, "%.*f", decimals, number);
    return room;
}

/* of: the case, or "" where it stands in the line above. */
static void append_figure(const cm_bench_figure *figure, const char *of, cm_buffer *text)
{
    char rooms[3][CM_COUNT_BYTES];
    char line[256];
    cm_bench_spread spread = cm_bench_spread_of(figure->values, figure->count);
    snprintf(line, sizeof line, "  %-26s %-26s %11s %11s %11s  %-9s %3zu\n", of,
             figure->measure->name, number_text(spread.median, rooms[0]),
             number_text(spread.min, rooms[1]), number_text(spread.max, rooms[2]),
             figure->measure->unit, figure->count);
    cm_buffer_append_text(text, line);
}

static bool is_first_of_case(const cm_bench_part *part, size_t figure)
{
    size_t first = 0;
    while (strcmp(part->figures[first].of, part->figures[figure].of) != 0)
        first++;
    return first == figure;
}

/* All figures of the case that one of them begins. */
static void append_case(const cm_bench_part *part, size_t first, cm_buffer *text)
{
    const char *of = part->figures[first].of;
    for (size_t i = first; i < part->figure_count; i++)
        if (strcmp(part->figures[i].of, of) == 0)
            append_figure(&part->figures[i], i == first ? of : "", text);
}

void cm_bench_part_text(const cm_bench_part *part, cm_buffer *text)
{
    char line[256];
    if (part->is_left_out) {
        cm_buffer_append_text(text, part->name);
        cm_buffer_append_text(text, ": ");
        cm_buffer_append(text, part->notes.data, part->notes.size);
        cm_buffer_append_char(text, '\n');
        return;
    }
    snprintf(line, sizeof line, "%s, %.1f s\n", part->name, part->seconds);
    cm_buffer_append_text(text, line);
    for (size_t at = 0; at < part->notes.size;) {
        const char *note = part->notes.data + at;
        size_t size = (size_t)((const char *)memchr(note, '\n', part->notes.size - at) - note);
        cm_buffer_append_text(text, "  # ");
        cm_buffer_append(text, note, size + 1);
        at += size + 1;
    }
    snprintf(line, sizeof line, "  %-26s %-26s %11s %11s %11s  %-9s %3s\n", "case", "figure",
             "median", "min", "max", "unit", "n");
    if (part->figure_count > 0)
        cm_buffer_append_text(text, line);
    for (size_t i = 0; i < part->figure_count; i++)
        if (is_first_of_case(part, i))
            append_case(part, i, text);
    cm_buffer_append_char(text, '\n');
}

static const char *better_name(cm_bench_better better)
{
    static const char *const names[] = {"neither", "less", "more"};
    return names[better];
}

static json_t *figure_json(const cm_bench_figure *figure)
{
    cm_bench_spread spread = cm_bench_spread_of(figure->values, figure->count);
    json_t *values = json_array();
    for (size_t i = 0; i < figure->count; i++)
        values = cm_json_add(values, json_real(figure->values[i]));
    return json_pack("{s:s,s:s,s:s,s:s,s:f,s:f,s:f,s:I,s:o}", "case", figure->of, "figure",
                     figure->measure->name, "unit", figure->measure->unit, "better",
                     better_name(figure->measure->better), "median", spread.median, "min",
                     spread.min, "max", spread.max, "repetitions", (json_int_t)figure->count,
                     "values", values);
}

static json_t *notes_json(const cm_buffer *notes)
{
    json_t *list = json_array();
    for (size_t at = 0; at < notes->size;) {
        const char *note = notes->data + at;
        size_t size = (size_t)((const char *)memchr(note, '\n', notes->size - at) - note);
        list = cm_json_add(list, json_stringn(note, size));
        at += size + 1;
    }
    return list;
}

json_t *cm_bench_record_json(const cm_bench_record *record)
{
    json_t *list = json_array();
    for (size_t i = 0; i < record->part_count; i++) {
        const cm_bench_part *part = &record->parts[i];
        json_t *figures = json_array();
        for (size_t j = 0; j < part->figure_count; j++)
            figures = cm_json_add(figures, figure_json(&part->figures[j]));
        list = cm_json_add(list, json_pack("{s:s,s:f,s:o,s:o}", "name", part->name, "seconds",
                                           part->seconds, "notes", notes_json(&part->notes),
                                           "figures", figures));
    }
    return list;
}

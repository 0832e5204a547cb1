#include "stream/held_lines.h"

#include <stdlib.h>
#include <string.h>

#include "util/error.h"

#define CAPACITY_MIN ((size_t)64)

/* A ring of twice the size, its first item in front. NULL when memory is short. */
static void *grow_ring(void *items, size_t item_bytes, size_t first, size_t count, size_t *capacity)
{
    size_t grown = *capacity == 0 ? CAPACITY_MIN : 2 * *capacity;
    char *moved = calloc(grown, item_bytes);
    if (moved == NULL)
        return NULL;
    size_t to_end = *capacity - first < count ? *capacity - first : count;
    if (count > 0) {
        memcpy(moved, (char *)items + first * item_bytes, to_end * item_bytes);
        memcpy(moved + to_end * item_bytes, items, (count - to_end) * item_bytes);
    }
    free(items);
    *capacity = grown;
    return moved;
}

static bool reserve(cm_held_lines *held)
{
    if (held->count == held->capacity) {
        cm_held_line **lines = grow_ring(held->lines, sizeof(cm_held_line *), held->first,
                                         held->count, &held->capacity);
        if (lines == NULL)
            return false;
        held->lines = lines;
        held->first = 0;
    }
    if (held->minima_count == held->minima_capacity) {
        int64_t *minima = grow_ring(held->minima, sizeof *minima, held->minima_first,
                                    held->minima_count, &held->minima_capacity);
        if (minima == NULL)
            return false;
        held->minima = minima;
        held->minima_first = 0;
    }
    return true;
}

/* Where the last of the minima is; there is one. */
static int64_t last_minimum(const cm_held_lines *held)
{
    return held->minima[(held->minima_first + held->minima_count - 1) % held->minima_capacity];
}

static void push_minimum(cm_held_lines *held, int64_t time_us)
{
    while (held->minima_count > 0 && last_minimum(held) > time_us)
        held->minima_count--;
    held->minima[(held->minima_first + held->minima_count++) % held->minima_capacity] = time_us;
}

cm_status cm_held_lines_push(cm_held_lines *held, const cm_held_line *head, cm_slice text,
                             cm_error *error)
{
    cm_held_line *line = malloc(sizeof *line + text.size);
    if (line == NULL || !reserve(held)) {
        free(line);
        return cm_error_memory(error, "a held event", sizeof *line + text.size);
    }
    *line = *head;
    line->size = text.size;
    memcpy(line->text, text.data, text.size);
    held->lines[(held->first + held->count++) % held->capacity] = line;
    held->bytes += text.size;
    if (!line->is_ready)
        push_minimum(held, line->time_us);
    return CM_OK;
}

cm_held_line *cm_held_lines_pop(cm_held_lines *held)
{
    cm_held_line *line = held->lines[held->first];
    held->first = (held->first + 1) % held->capacity;
    held->count--;
    held->bytes -= line->size;
    if (!line->is_ready && cm_held_lines_oldest(held) == line->time_us) {
        held->minima_first = (held->minima_first + 1) % held->minima_capacity;
        held->minima_count--;
    }
    return line;
}

void cm_held_lines_destroy(cm_held_lines *held)
{
    while (held->count > 0)
        free(cm_held_lines_pop(held));
    free(held->lines);
    free(held->minima);
    *held = (cm_held_lines){0};
}

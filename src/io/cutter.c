/*
 * Where blocks may be cut. For CSV csv_walk.h is the definition, and goes row by row. Where quotes
 * fit, most of that can be leapt over: only the quotes of a stretch of bytes are found, each is
 * seen to open or close a field as it should, and the last line end outside them is looked for from
 * behind. What does not fit is left to the walk, which goes on alone until it is past what was
 * looked at, so that no byte is leapt over twice.
 */
#include "io/rows.h"

void cm_cutter_init(cm_cutter *cutter, cm_format format)
{
    *cutter = (cm_cutter){.format = format, .kernel = cm_mark_kernel_best()};
}

static void find_last_line(cm_cutter *cutter, const char *buffer, size_t size)
{
    const char *found = size == cutter->scanned
                            ? NULL
                            : memrchr(buffer + cutter->scanned, '\n', size - cutter->scanned);
    if (found != NULL)
        cutter->border = (size_t)(found - buffer) + 1;
    cutter->scanned = size;
}

/* Bytes that are leapt over together. */
typedef struct leap {
    const char *buffer;
    size_t size; /* of the buffer */
    size_t start, end;
    bool is_quoted;                /* inside quotes, where it has come to */
    size_t fence_count;            /* places, from start on, where */
    uint16_t fences[CM_MARK_ROOM]; /* quoted fields begin and end, in turns */
} leap;

typedef enum step { STEP_ON, STEP_WAIT, STEP_BROKEN } step;

/* What the quote in a quoted field is. STEP_ON: two for one, or the end of the field. */
static step judge_quote(const leap *l, size_t quote, bool *is_double)
{
    const char *next = l->buffer + quote + 1;
    size_t left = l->size - quote - 1;
    *is_double = left > 0 && next[0] == '"';
    if (left == 0 || (left == 1 && next[0] == '\r'))
        return STEP_WAIT;
    if (*is_double || next[0] == ',' || next[0] == '\n')
        return STEP_ON;
    return next[0] == '\r' && next[1] == '\n' ? STEP_ON : STEP_BROKEN;
}

/* Does a quote outside quotes open a field? If not it stands for itself. */
static bool is_opening(const leap *l, size_t quote)
{
    return quote == 0 || l->buffer[quote - 1] == ',' || l->buffer[quote - 1] == '\n';
}

/*
 * Turn the places of all quotes into fences: there are never more of those. Shortens the leap where
 * what follows it would be needed.
 */
static step find_fences(leap *l, size_t quotes)
{
    for (size_t i = 0; i < quotes; i++) {
        size_t quote = l->start + l->fences[i];
        if (!l->is_quoted) {
            l->is_quoted = is_opening(l, quote);
            if (l->is_quoted)
                l->fences[l->fence_count++] = (uint16_t)(quote - l->start);
            continue;
        }
        bool is_double;
        step how = judge_quote(l, quote, &is_double);
        if (how == STEP_WAIT)
            l->end = quote;
        if (how != STEP_ON)
            return how;
        if (is_double) {
            i++;
            if (i == quotes)
                l->end = quote + 2;
        } else {
            l->is_quoted = false;
            l->fences[l->fence_count++] = (uint16_t)(quote + 1 - l->start);
        }
    }
    return STEP_ON;
}

/* The byte after the last line end outside quotes; 0 if there is none. */
static size_t find_row(const leap *l)
{
    size_t end = l->end, fences = l->fence_count;
    if (l->is_quoted && fences == 0)
        return 0;
    if (l->is_quoted)
        end = l->start + l->fences[--fences];
    for (;;) {
        size_t start = l->start + (fences > 0 ? l->fences[fences - 1] : 0);
        const char *found = memrchr(l->buffer + start, '\n', end - start);
        if (found != NULL)
            return (size_t)(found - l->buffer) + 1;
        if (fences < 2)
            return 0;
        end = l->start + l->fences[fences - 2];
        fences -= 2;
    }
}

/* Leap from where the walk stands, in a row or between rows. STEP_WAIT: more bytes are needed. */
static step leap_on(cm_cutter *cutter, const char *buffer, size_t size)
{
    cm_csv_walk *walk = &cutter->walk;
    leap l;
    l.buffer = buffer;
    l.size = size;
    l.start = walk->at;
    l.end = size - l.start < CM_STRETCH_BYTES ? size : l.start + CM_STRETCH_BYTES;
    l.is_quoted = walk->state == CM_CSV_QUOTED;
    l.fence_count = 0;
    cutter->walk_end = l.end;
    if (l.end - walk->row > CM_ROW_BYTES_MAX)
        return STEP_BROKEN;
    step how = find_fences(&l, cutter->kernel->quotes(buffer + l.start, l.end - l.start, l.fences));
    if (how == STEP_BROKEN)
        return STEP_BROKEN;
    size_t row = find_row(&l);
    if (row > 0)
        walk->row = cutter->border = row;
    walk->at = l.end;
    walk->state = l.is_quoted ? CM_CSV_QUOTED : CM_CSV_PLAIN;
    cutter->walk_end = 0;
    return l.end == size ? STEP_WAIT : how;
}

static size_t csv_border(cm_cutter *cutter, const char *buffer, size_t size)
{
    cm_csv_walk *walk = &cutter->walk;
    while (walk->at < size || cutter->walk_end > 0) {
        if (cutter->walk_end == 0) {
            step how = leap_on(cutter, buffer, size);
            if (how == STEP_WAIT)
                break;
            if (how == STEP_BROKEN)
                *walk = (cm_csv_walk){.row = walk->row, .at = walk->row};
            continue;
        }
        size_t end;
        if (cm_csv_walk_row(walk, buffer, size, false, &end) == CM_CSV_END_UNKNOWN)
            break;
        cutter->border = walk->row;
        if (walk->row >= cutter->walk_end && walk->row >= walk->horizon)
            cutter->walk_end = 0;
    }
    return cutter->border;
}

size_t cm_cutter_border(cm_cutter *cutter, const char *buffer, size_t size)
{
    if (cutter->format == CM_FORMAT_CSV)
        return csv_border(cutter, buffer, size);
    find_last_line(cutter, buffer, size);
    return cutter->border;
}

void cm_cutter_take(cm_cutter *cutter)
{
    size_t border = cutter->border;
    cm_csv_walk_take(&cutter->walk, border);
    if (cutter->walk_end > 0)
        cutter->walk_end = cutter->walk_end > border ? cutter->walk_end - border : 1;
    cutter->scanned -= cutter->format == CM_FORMAT_NDJSON ? border : 0;
    cutter->border = 0;
}

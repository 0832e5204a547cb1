#include "io/csv_walk.h"

#include "io/scan.h"

/* The next line end before `window`; window if there is none. */
static size_t find_line_end(cm_csv_walk *walk, const char *buffer, size_t window)
{
    bool is_known = walk->line_end > walk->at && walk->line_end < window;
    if (is_known && buffer[walk->line_end] == '\n')
        return walk->line_end;
    size_t from = walk->line_end > walk->at ? walk->line_end : walk->at;
    walk->line_end = cm_scan_byte(buffer, from, window, '\n');
    return walk->line_end;
}

/* Outside quotes: on to the line end, or into a quoted field. True at the line end. */
static bool step_plain(cm_csv_walk *walk, const char *buffer, size_t window)
{
    size_t line_end = find_line_end(walk, buffer, window);
    size_t quote = walk->at;
    while ((quote = cm_scan_byte(buffer, quote, line_end, '"')) < line_end) {
        if (quote == walk->row || buffer[quote - 1] == ',') {
            walk->state = CM_CSV_QUOTED;
            walk->at = quote + 1;
            return false;
        }
        quote++;
    }
    walk->at = line_end;
    return line_end < window;
}

/* Inside quotes: on to the next quote. */
static void step_quoted(cm_csv_walk *walk, const char *buffer, size_t window)
{
    size_t quote = cm_scan_byte(buffer, walk->at, window, '"');
    if (walk->first_line_end == 0) {
        size_t line_end = find_line_end(walk, buffer, window);
        if (line_end < quote) {
            walk->first_line_end = line_end + 1;
            if (line_end < walk->horizon) {
                walk->at = walk->horizon;
                walk->state = walk->horizon_state;
                return;
            }
        }
    }
    walk->at = quote < window ? quote + 1 : window;
    if (quote < window)
        walk->state = CM_CSV_QUOTE_SEEN;
}

/* After a quote inside quotes. True at the line end. */
static bool step_quote_seen(cm_csv_walk *walk, char byte)
{
    if (byte == '\n')
        return true;
    bool is_after_cr = walk->state == CM_CSV_QUOTE_SEEN_CR;
    if (is_after_cr || (byte != '"' && byte != ',' && byte != '\r')) {
        walk->state = CM_CSV_BROKEN;
        return false;
    }
    walk->state = byte == '"' ? CM_CSV_QUOTED : byte == ',' ? CM_CSV_PLAIN : CM_CSV_QUOTE_SEEN_CR;
    walk->at++;
    return false;
}

static cm_csv_end finish(cm_csv_walk *walk, size_t line_end, size_t *end, cm_csv_end how)
{
    *end = line_end;
    walk->row = walk->at = line_end + 1;
    walk->first_line_end = 0;
    walk->state = CM_CSV_PLAIN;
    return how;
}

/* The row is its first line. */
static cm_csv_end finish_broken(cm_csv_walk *walk, const char *buffer, size_t size, bool is_all,
                                size_t *end)
{
    if (walk->first_line_end != 0) {
        walk->horizon = walk->at;
        walk->horizon_state = walk->state;
        walk->line_end = 0;
        return finish(walk, walk->first_line_end - 1, end, CM_CSV_END_BROKEN);
    }
    walk->state = CM_CSV_SKIP;
    walk->at = find_line_end(walk, buffer, size);
    if (walk->at == size && !is_all)
        return CM_CSV_END_UNKNOWN;
    return finish(walk, walk->at, end, CM_CSV_END_BROKEN);
}

cm_csv_end cm_csv_walk_row(cm_csv_walk *walk, const char *buffer, size_t size, bool is_all,
                           size_t *end)
{
    size_t limit = walk->row + CM_ROW_BYTES_MAX + 1;
    size_t window = size < limit ? size : limit;
    while (walk->state < CM_CSV_BROKEN && walk->at < window) {
        bool is_end = false;
        if (walk->state == CM_CSV_PLAIN)
            is_end = step_plain(walk, buffer, window);
        else if (walk->state == CM_CSV_QUOTED)
            step_quoted(walk, buffer, window);
        else
            is_end = step_quote_seen(walk, buffer[walk->at]);
        if (is_end)
            return finish(walk, walk->at, end, CM_CSV_END_GOOD);
    }
    if (walk->state >= CM_CSV_BROKEN || walk->at >= limit)
        return finish_broken(walk, buffer, size, is_all, end);
    if (!is_all)
        return CM_CSV_END_UNKNOWN;
    if (walk->state == CM_CSV_PLAIN || walk->state == CM_CSV_QUOTE_SEEN)
        return finish(walk, size, end, CM_CSV_END_GOOD);
    return finish_broken(walk, buffer, size, is_all, end);
}

static size_t less(size_t position, size_t bytes)
{
    return position < bytes ? 0 : position - bytes;
}

void cm_csv_walk_take(cm_csv_walk *walk, size_t bytes)
{
    walk->row = less(walk->row, bytes);
    walk->at = less(walk->at, bytes);
    walk->line_end = less(walk->line_end, bytes);
    walk->first_line_end = less(walk->first_line_end, bytes);
    walk->horizon = less(walk->horizon, bytes);
}

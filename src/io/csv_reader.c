/*
 * CSV rows of a block. Separators, line ends and quotes are found a stretch at a time (mark.h); the
 * reader goes from mark to mark and never looks at the bytes between.
 */
#include "io/codec.h"
#include "io/scan.h"

static const char not_closed[] = "quoted field is not closed";
static const char text_after_quote[] = "text after a closing quote";
static const char too_few[] = "too few fields";
static const char too_many[] = "too many fields";

/* Kept out of the loop over fields, which needs the registers for itself. */
#define OUTSIDE __attribute__((noinline))

/* Mark the next bytes of the block. False at its end. */
static bool mark_stretch(cm_row_reader *reader)
{
    cm_row_mark(reader, reader->kernel->csv, reader->stretch_end, reader->size);
    return reader->stretch < reader->size;
}

/* The next separator, line end or quote; size at the end. */
OUTSIDE static size_t next_mark(cm_row_reader *reader)
{
    while (reader->mark_next == reader->mark_count)
        if (!mark_stretch(reader))
            return reader->size;
    return reader->stretch + reader->marks[reader->mark_next++];
}

/* A row whose quotes do not fit is its first line; `from` is in it. */
static void end_broken(cm_row_reader *reader, cm_row *row, const char *reason, size_t fault,
                       size_t from)
{
    size_t line_end = cm_scan_byte(reader->block, from, reader->size, '\n');
    row->malformed = reason;
    row->byte = fault;
    cm_row_end(reader, row, line_end, 1);
    cm_row_seek(reader, reader->at);
}

/* Does the row that is inside quotes at a line end come to a good end? */
static bool is_good_row(cm_row_reader *reader, const cm_row *row, size_t line_end)
{
    cm_csv_walk *walk = &reader->walk;
    if (walk->row > line_end)
        return true; /* asked before */
    walk->row = row->start;
    walk->at = line_end;
    walk->line_end = walk->first_line_end = 0;
    walk->state = CM_CSV_QUOTED;
    size_t end;
    return cm_csv_walk_row(walk, reader->block, reader->size, true, &end) == CM_CSV_END_GOOD;
}

/* What the row and its fields are known to be so far. */
typedef struct quoted {
    size_t close;     /* the closing quote */
    size_t next;      /* the mark behind it: separator, line end or the end of the block */
    uint64_t lines;   /* line ends inside */
    bool has_escapes; /* quotes inside */
} quoted;

/* From the opening quote to the closing one. False where the row is broken, which is then ended. */
static bool find_close(cm_row_reader *reader, cm_row *row, size_t open, quoted *found)
{
    const char *block = reader->block;
    for (;;) {
        size_t mark = next_mark(reader);
        if (mark == reader->size) {
            end_broken(reader, row, not_closed, open, open);
            return false;
        }
        char byte = block[mark];
        if (byte == '\n') {
            if (!is_good_row(reader, row, mark)) {
                end_broken(reader, row, not_closed, open, open);
                return false;
            }
            found->lines++;
        } else if (byte == '"') {
            if (mark + 1 == reader->size || block[mark + 1] != '"') {
                found->close = mark;
                return true;
            }
            next_mark(reader);
            found->has_escapes = true;
        }
    }
}

/* A quoted field up to the mark behind it. False where the row is broken, which is then ended. */
static bool read_quoted(cm_row_reader *reader, cm_row *row, size_t open, quoted *found)
{
    const char *block = reader->block;
    if (!find_close(reader, row, open, found))
        return false;
    size_t after = found->close + 1;
    found->next = next_mark(reader);
    bool is_cr = found->next < reader->size && block[found->next] == '\n' &&
                 found->next == after + 1 && block[after] == '\r';
    if (found->next == after || is_cr)
        return true;
    end_broken(reader, row, text_after_quote, after, after);
    return false;
}

/* Two quotes inside a quoted field are one. False when memory is short. */
static bool unescape(cm_row_reader *reader, cm_slice *text)
{
    char *room = cm_arena_take(reader->arena, text->size);
    if (room == NULL) {
        reader->out_of_memory = true;
        return false;
    }
    size_t size = 0;
    for (size_t at = 0, quote; at < text->size; at = quote + 2) {
        quote = cm_scan_byte(text->data, at, text->size, '"');
        size_t run = quote - at + (quote < text->size);
        memcpy(room + size, text->data + at, run);
        size += run;
    }
    *text = cm_slice_of(room, size);
    return true;
}

/* More columns than the header: the first of them is at fault. */
OUTSIDE static void deliver_extra(const cm_layout *layout, cm_row *row, size_t column, size_t byte)
{
    if (column != layout->column_count)
        return;
    row->malformed = too_many;
    row->byte = byte;
}

static inline void put_value(cm_row *row, size_t field, cm_slice text, size_t byte)
{
    cm_value *value = &row->values[field];
    value->kind = text.size > 0 ? CM_VALUE_TEXT : CM_VALUE_MISSING;
    value->text = text;
    row->value_bytes[field] = byte;
}

static void deliver(const cm_layout *layout, cm_row *row, size_t column, cm_slice text, size_t byte)
{
    if (column >= layout->column_count)
        deliver_extra(layout, row, column, byte);
    else if (layout->fields[column] >= 0)
        put_value(row, (size_t)layout->fields[column], text, byte);
}

/* A quoted field as a value. Its mark behind it; size_t max where the row is ended or memory short.
 */
#define NO_MARK SIZE_MAX

OUTSIDE static size_t deliver_quoted(cm_row_reader *reader, cm_row *row, size_t column, size_t open,
                                     uint64_t *lines)
{
    quoted found = {0};
    if (!read_quoted(reader, row, open, &found))
        return NO_MARK;
    cm_slice text = cm_slice_of(reader->block + open + 1, found.close - open - 1);
    if (found.has_escapes && !unescape(reader, &text))
        return NO_MARK;
    deliver(reader->layout, row, column, text, open);
    *lines += found.lines;
    return found.next;
}

/* Close a row at its line end. False where it was but a blank line. */
OUTSIDE static bool end_row(cm_row_reader *reader, cm_row *row, size_t line_end, size_t columns,
                            uint64_t lines)
{
    if (columns < reader->layout->column_count)
        row->malformed = too_few;
    cm_row_end(reader, row, line_end, lines);
    return row->end > row->start;
}

/* The byte at a mark: a line end where it is the end of the block. */
static inline char byte_at(const char *block, size_t size, size_t mark)
{
    return mark < size ? block[mark] : '\n';
}

/* One field of any kind, from start on. Its mark; NO_MARK where the row is ended or memory is
 * short. */
static size_t read_field(cm_row_reader *reader, cm_row *row, size_t column, size_t start,
                         uint64_t *lines)
{
    const char *block = reader->block;
    size_t size = reader->size, mark = next_mark(reader);
    if (mark == start && mark < size && block[mark] == '"')
        return deliver_quoted(reader, row, column, start, lines);
    while (byte_at(block, size, mark) == '"') /* inside the field: stands for itself */
        mark = next_mark(reader);
    bool is_cr = mark < size && mark > start && block[mark] == '\n' && block[mark - 1] == '\r';
    deliver(reader->layout, row, column, cm_slice_of(block + start, mark - start - is_cr), start);
    return mark;
}

/* --- The usual fields ------------------------------------------------------------------------- */

/*
 * Where the reader stands within a row, for the fields that need no care. Functions of their own
 * read those, each with few variables, so that all of them stay in registers.
 */
typedef struct cursor {
    const char *block, *stretch;
    const uint16_t *next, *end; /* marks */
    const int16_t *fields;
    size_t column, column_count;
    const char *start; /* of the next field */
    cm_row *row;
} cursor;

static inline void take_cursor(cursor *c, const cm_row_reader *reader)
{
    c->stretch = reader->block + reader->stretch;
    c->next = reader->marks + reader->mark_next;
    c->end = reader->marks + reader->mark_count;
}

/* Fields without quotes that end in a separator, as far as the marks go. */
OUTSIDE static void take_plain(cursor *c)
{
    const char *stretch = c->stretch, *start = c->start, *block = c->block;
    const int16_t *field = c->fields + c->column;
    const uint16_t *next = c->next;
    size_t marks = (size_t)(c->end - next), columns = c->column_count - c->column;
    const uint16_t *end = next + (marks < columns ? marks : columns);
    cm_row *row = c->row;
    for (; next < end; next++, field++) {
        const char *mark = stretch + *next;
        if (*mark != ',')
            break;
        if (*field >= 0)
            put_value(row, (size_t)*field, cm_slice_of(start, (size_t)(mark - start)),
                      (size_t)(start - block));
        start = mark + 1;
    }
    c->column = (size_t)(field - c->fields);
    c->next = next;
    c->start = start;
}

/* A field in quotes on one line, without quotes inside, that ends in a separator. */
static inline bool take_quoted(cursor *c)
{
    const uint16_t *next = c->next;
    if (next == c->end || c->stretch + *next != c->start || *c->start != '"')
        return false;
    do
        next++;
    while (next < c->end && c->stretch[*next] == ',');
    if (c->end - next < 2 || c->stretch[*next] != '"' || next[1] != next[0] + 1 ||
        c->stretch[next[1]] != ',')
        return false;
    int field = c->fields[c->column++];
    if (field >= 0)
        put_value(c->row, (size_t)field,
                  cm_slice_of(c->start + 1, (size_t)(c->stretch + *next - c->start - 1)),
                  (size_t)(c->start - c->block));
    c->start = c->stretch + next[1] + 1;
    c->next = next + 2;
    return true;
}

/* The fields of a row. The line end behind them; NO_MARK where the row is ended or memory short. */
static size_t read_fields(cm_row_reader *reader, cm_row *row, size_t *columns, uint64_t *lines)
{
    const cm_layout *layout = reader->layout;
    cursor c = {.block = reader->block,
                .fields = layout->fields,
                .column_count = layout->column_count,
                .start = reader->block + reader->at,
                .row = row};
    for (;;) {
        take_cursor(&c, reader);
        while (c.column < c.column_count) {
            take_plain(&c);
            if (c.column == c.column_count || !take_quoted(&c))
                break;
        }
        reader->mark_next = (size_t)(c.next - reader->marks);
        size_t mark = read_field(reader, row, c.column, (size_t)(c.start - c.block), lines);
        c.column++;
        if (mark == NO_MARK || mark == reader->size || c.block[mark] != ',') {
            *columns = c.column;
            return mark;
        }
        c.start = c.block + mark + 1;
    }
}

/* One row, or blank line. False where there is no row to show. */
static bool read_row(cm_row_reader *reader, cm_row *row)
{
    const cm_layout *layout = reader->layout;
    uint64_t lines = 1;
    size_t columns = 0;
    cm_row_begin(reader, row);
    for (size_t i = 0; i < layout->absent_count; i++)
        row->values[layout->absent[i]].kind = CM_VALUE_MISSING;
    size_t line_end = read_fields(reader, row, &columns, &lines);
    return line_end == NO_MARK ? !reader->out_of_memory
                               : end_row(reader, row, line_end, columns, lines);
}

bool cm_csv_next(cm_row_reader *reader, cm_row *row)
{
    while (reader->at < reader->size && !reader->out_of_memory)
        if (read_row(reader, row))
            return true;
    return false;
}

/*
 * CSV rows of a block. Separators, line ends and quotes are found 64 bytes at a time as the bits of
 * a word; the reader goes from bit to bit and never looks at the bytes between.
 */
#include "io/codec.h"
#include "io/scan.h"

static const char not_closed[] = "quoted field is not closed";
static const char text_after_quote[] = "text after a closing quote";
static const char too_few[] = "too few fields";
static const char too_many[] = "too many fields";

/* A copy of the reader's place, kept in registers while a row is read. */
typedef struct marks {
    const char *block;
    size_t size, chunk;
    uint64_t bits;
} marks;

static inline uint64_t scan_chunk(const char *block, size_t size, size_t chunk)
{
    if (size - chunk >= CM_SCAN_BYTES)
        return cm_scan_csv(block + chunk);
    char padded[CM_SCAN_BYTES] = {0};
    memcpy(padded, block + chunk, size - chunk);
    return cm_scan_csv(padded);
}

/* The next separator, line end or quote; size at the end. */
static inline size_t next_mark(marks *m)
{
    while (m->bits == 0) {
        if (m->size - m->chunk <= CM_SCAN_BYTES)
            return m->size;
        m->chunk += CM_SCAN_BYTES;
        m->bits = scan_chunk(m->block, m->size, m->chunk);
    }
    size_t mark = m->chunk + (size_t)__builtin_ctzll(m->bits);
    m->bits &= m->bits - 1;
    return mark;
}

static void seek(cm_row_reader *reader, size_t at)
{
    reader->at = at;
    reader->marks = 0;
    reader->chunk = at - at % CM_SCAN_BYTES;
    if (at < reader->size)
        reader->marks = scan_chunk(reader->block, reader->size, reader->chunk) &
                        UINT64_MAX << at % CM_SCAN_BYTES;
}

void cm_csv_begin(cm_row_reader *reader)
{
    seek(reader, 0);
}

/* A row whose quotes do not fit is its first line; `from` is in it. */
static void end_broken(cm_row_reader *reader, cm_row *row, const char *reason, size_t fault,
                       size_t from)
{
    size_t line_end = cm_scan_byte(reader->block, from, reader->size, '\n');
    row->malformed = reason;
    row->byte = fault;
    cm_row_end(reader, row, line_end, 1);
    seek(reader, reader->at);
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
static bool find_close(cm_row_reader *reader, marks *m, cm_row *row, size_t open, quoted *found)
{
    for (;;) {
        size_t mark = next_mark(m);
        if (mark == m->size) {
            end_broken(reader, row, not_closed, open, open);
            return false;
        }
        char byte = m->block[mark];
        if (byte == '\n') {
            if (!is_good_row(reader, row, mark)) {
                end_broken(reader, row, not_closed, open, open);
                return false;
            }
            found->lines++;
        } else if (byte == '"') {
            if (mark + 1 == m->size || m->block[mark + 1] != '"') {
                found->close = mark;
                return true;
            }
            next_mark(m);
            found->has_escapes = true;
        }
    }
}

/* A quoted field up to the mark behind it. False where the row is broken, which is then ended. */
static bool read_quoted(cm_row_reader *reader, marks *m, cm_row *row, size_t open, quoted *found)
{
    if (!find_close(reader, m, row, open, found))
        return false;
    size_t after = found->close + 1;
    found->next = next_mark(m);
    bool is_cr = found->next < m->size && m->block[found->next] == '\n' &&
                 found->next == after + 1 && m->block[after] == '\r';
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

static inline void deliver(const cm_layout *layout, cm_row *row, size_t column, cm_slice text,
                           size_t byte)
{
    if (column >= layout->column_count) {
        if (column == layout->column_count) {
            row->malformed = too_many;
            row->byte = byte;
        }
        return;
    }
    int field = layout->fields[column];
    if (field < 0)
        return;
    row->values[field].kind = text.size > 0 ? CM_VALUE_TEXT : CM_VALUE_MISSING;
    row->values[field].text = text;
    row->value_bytes[field] = byte;
}
/* A quoted field as a value. Its mark behind it; size_t max where the row is ended or memory short.
 */
#define NO_MARK SIZE_MAX

static size_t deliver_quoted(cm_row_reader *reader, marks *m, cm_row *row, size_t column,
                             size_t open, uint64_t *lines)
{
    quoted found = {0};
    if (!read_quoted(reader, m, row, open, &found))
        return NO_MARK;
    cm_slice text = cm_slice_of(m->block + open + 1, found.close - open - 1);
    if (found.has_escapes && !unescape(reader, &text))
        return NO_MARK;
    deliver(reader->layout, row, column, text, open);
    *lines += found.lines;
    return found.next;
}

/* Close a row at its line end. False where it was but a blank line. */
static bool end_row(cm_row_reader *reader, cm_row *row, size_t line_end, size_t columns,
                    uint64_t lines)
{
    if (columns < reader->layout->column_count)
        row->malformed = too_few;
    cm_row_end(reader, row, line_end, lines);
    return row->end > row->start;
}

/* One row, or blank line. False where there is no row to show. */
static bool read_row(cm_row_reader *reader, cm_row *row)
{
    marks m = {reader->block, reader->size, reader->chunk, reader->marks};
    size_t column = 0, start = reader->at, mark;
    uint64_t lines = 1;
    cm_row_begin(reader, row);
    for (;; column++, start = mark + 1) {
        mark = next_mark(&m);
        if (mark == start && mark < m.size && m.block[mark] == '"') {
            marks copy = m; /* so that m stays in registers */
            mark = deliver_quoted(reader, &copy, row, column, start, &lines);
            if (mark == NO_MARK)
                return !reader->out_of_memory;
            m = copy;
        } else {
            while (mark < m.size && m.block[mark] == '"')
                mark = next_mark(&m);
            bool is_cr =
                mark < m.size && m.block[mark] == '\n' && mark > start && m.block[mark - 1] == '\r';
            deliver(reader->layout, row, column, cm_slice_of(m.block + start, mark - start - is_cr),
                    start);
        }
        if (mark == m.size || m.block[mark] == '\n')
            break;
    }
    reader->chunk = m.chunk;
    reader->marks = m.bits;
    return end_row(reader, row, mark, column + 1, lines);
}

bool cm_csv_next(cm_row_reader *reader, cm_row *row)
{
    while (reader->at < reader->size && !reader->out_of_memory)
        if (read_row(reader, row))
            return true;
    return false;
}

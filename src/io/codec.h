/* What a codec is to the row reader. Internal to src/io. */
#ifndef CM_IO_CODEC_H
#define CM_IO_CODEC_H

#include "io/rows.h"

/** cm_row_reader_next of one format. */
bool cm_csv_next(cm_row_reader *reader, cm_row *row);
bool cm_ndjson_next(cm_row_reader *reader, cm_row *row);

/** Start a row at reader->at. Its values are the codec's matter. */
static inline void cm_row_begin(const cm_row_reader *reader, cm_row *row)
{
    row->malformed = NULL;
    row->start = row->byte = reader->at;
    row->line = reader->line;
}

/**
 * End a row at a line end (or the end of the block) and step behind it. One that is too long is
 * malformed, and shown as its first bytes, as where the block holds no more of it.
 *
 * @param lines  lines it takes, 1 or more
 */
static inline void cm_row_end(cm_row_reader *reader, cm_row *row, size_t line_end, uint64_t lines)
{
    bool is_cr =
        line_end < reader->size && line_end > row->start && reader->block[line_end - 1] == '\r';
    row->end = line_end - is_cr;
    if (line_end - row->start > CM_ROW_BYTES_MAX) {
        row->malformed = cm_row_too_long;
        row->byte = row->start;
        row->end = row->start + CM_ROW_BYTES_MAX + 1;
    }
    reader->line += lines - (line_end == reader->size);
    reader->at = line_end + (line_end < reader->size);
}

/* --- Marks (mark.h) --- */

/** Mark a stretch of the block that begins at `at` and ends at `end` at the latest. */
static inline void cm_row_mark(cm_row_reader *reader, cm_mark_function *mark, size_t at, size_t end)
{
    size_t left = end - at;
    size_t bytes = left < CM_STRETCH_BYTES ? left : CM_STRETCH_BYTES;
    reader->stretch = at;
    reader->stretch_end = at + bytes;
    reader->mark_next = 0;
    reader->mark_count = bytes == 0 ? 0 : mark(reader->block + at, bytes, reader->marks);
}

/** Pass the marks before `at`. None at or behind it was taken yet. */
static inline void cm_row_seek(cm_row_reader *reader, size_t at)
{
    if (at >= reader->stretch_end) {
        reader->stretch_end = at;
        reader->mark_next = reader->mark_count = 0;
    }
    while (reader->mark_next < reader->mark_count &&
           reader->stretch + reader->marks[reader->mark_next] < at)
        reader->mark_next++;
}

#endif

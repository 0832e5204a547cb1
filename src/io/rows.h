/*
 * Rows out of bytes. A codec (CSV, NDJSON) splits a block, which begins and ends at row borders,
 * into rows of cm_value; the cutter finds such borders in a stream of bytes. Blocks are
 * independent, so that threads can split them side by side.
 *
 * What a row is, so that the rows are the same however the input was cut into blocks:
 * - NDJSON: a line. CSV: what RFC 4180 says, where that is at most CM_ROW_BYTES_MAX bytes and its
 * quotes fit; otherwise one line, malformed (src/io/csv_walk.h).
 * - A line that is empty, or but a CR (NDJSON: white space), is no row.
 * - A row longer than CM_ROW_BYTES_MAX is malformed.
 */
#ifndef CM_IO_ROWS_H
#define CM_IO_ROWS_H

#include "io/csv_walk.h"
#include "io/key.h"
#include "io/mark.h"
#include "model/field.h"
#include "util/arena.h"
#include "util/slice.h"

/** The reason of rows beyond CM_ROW_BYTES_MAX. */
extern const char cm_row_too_long[];

typedef enum cm_format { CM_FORMAT_CSV, CM_FORMAT_NDJSON } cm_format;

/** What a file's first line says (CSV), or nothing (NDJSON). Read-only after cm_layout_read. */
typedef struct cm_layout {
    cm_format format;
    cm_row_kind kind;
    size_t field_count;  /* one more than the highest field */
    size_t column_count; /* CSV: columns in the file */
    int16_t *fields;     /* CSV: for each column its field, or -1 for an ignored one; owned */
    size_t absent_count; /* CSV: fields without a column */
    uint8_t absent[CM_FIELD_COUNT_MAX]; /* which those are */
    cm_slice names[CM_FIELD_COUNT_MAX]; /* of the fields */
    cm_key keys[CM_KEY_SLOTS];          /* the same as they stand in JSON, by cm_key_slot */
} cm_layout;

/**
 * Recognise format and columns from the first bytes of an input: `{`, after a byte-order mark and
 * white space, means NDJSON, anything else CSV.
 *
 * @param head    the start of the input, after unpacking; at least its first line that is not
 * blank, if that is at most CM_ROW_BYTES_MAX long
 * @param size    bytes of head
 * @param layout  receives the layout; freed with cm_layout_destroy
 * @param skip    receives the number of bytes before the first row (byte-order mark, CSV header)
 * @param error   CM_ERROR_FORMAT with line and byte: empty input, missing column (lists what was
 * found), a column twice
 * @return CM_OK, CM_ERROR_FORMAT or CM_ERROR_MEMORY; layout needs no destroy on failure
 */
cm_status cm_layout_read(cm_row_kind kind, const char *head, size_t size, cm_layout *layout,
                         size_t *skip, cm_error *error);

/** Is there enough of the head for cm_layout_read? If no more bytes come, there is. */
bool cm_layout_is_ready(const char *head, size_t size);

/** The layout of NDJSON rows of a kind; cannot fail, needs no destroy. For inputs known to be
 * NDJSON. */
void cm_layout_ndjson(cm_row_kind kind, cm_layout *layout);

/** Know one name more. field: a place in cm_row.values that no other name has. */
void cm_layout_add_name(cm_layout *layout, size_t field, cm_slice name);

void cm_layout_destroy(cm_layout *layout);

/** The field of a name; CM_FIELD_COUNT_MAX if unknown. */
size_t cm_layout_field(const cm_layout *layout, const char *name, size_t size);

/** One row of a block. */
typedef struct cm_row {
    const char *malformed; /* NULL, or why the row as a whole is malformed (static text) */
    size_t byte;           /* offset of the row in the block; for a malformed one of the fault */
    size_t start;          /* offset of the row's first byte in the block */
    size_t end;    /* offset just after its last byte, line end left out; of a row longer than
                      CM_ROW_BYTES_MAX only one byte more than that is shown */
    uint64_t line; /* line in the block on which it begins, counted from 0 */
    cm_value values[CM_FIELD_COUNT_MAX];    /* undefined where the row is malformed */
    size_t value_bytes[CM_FIELD_COUNT_MAX]; /* offset in the block of each value present */
} cm_row;

/** Why a row is longer than it may be, CM_ROW_BYTES_MAX at most: static text; NULL: it is not. */
const char *cm_row_limit(cm_row *row, size_t bytes_max);

/** Reads the rows of one block. Open struct so that it can live on the stack. */
typedef struct cm_row_reader {
    const cm_layout *layout;
    const char *block;
    size_t size;
    size_t at;       /* next byte */
    uint64_t line;   /* lines passed so far; at the end of the block: line ends in the block */
    cm_arena *arena; /* takes values that had to be unescaped */
    bool out_of_memory;
    cm_csv_walk walk;             /* CSV: used where a row spans lines */
    const cm_mark_kernel *kernel; /* the best there is; tests set another before the first row */
    size_t stretch, stretch_end;  /* the bytes of the block whose marks are held */
    size_t mark_next, mark_count; /* of these marks */
    uint16_t marks[CM_MARK_ROOM]; /* of the format (mark.h), from stretch on */
} cm_row_reader;

/** Start on a block. Everything is borrowed; values of rows point into the block and the arena. */
void cm_row_reader_init(cm_row_reader *reader, const cm_layout *layout, const char *block,
                        size_t size, cm_arena *arena);

/** The next row. False at the end of the block (and where memory ran out: out_of_memory). Blank
 * lines are skipped. */
bool cm_row_reader_next(cm_row_reader *reader, cm_row *row);

/** Go back to the row just read, of NDJSON: the next row is that one again. */
void cm_row_reader_return(cm_row_reader *reader, const cm_row *row);

/** Where blocks may be cut. Carries what it knows from call to call, so that each byte is looked at
 * once. */
typedef struct cm_cutter {
    cm_format format;
    size_t border;  /* just after the last complete row; 0 if none */
    size_t scanned; /* NDJSON: bytes looked at */
    /* CSV */
    cm_csv_walk walk;
    size_t walk_end;              /* up to here the walk goes row by row */
    const cm_mark_kernel *kernel; /* the best there is; tests set another after init */
} cm_cutter;

void cm_cutter_init(cm_cutter *cutter, cm_format format);

/**
 * Look at the bytes of a buffer that begins at a row's first byte.
 *
 * @param size  bytes in the buffer, those of earlier calls included
 * @return the offset just after the last complete row; 0 if there is none yet. With more than
 * CM_ROW_BYTES_MAX bytes and no border, the buffer has no line end at all.
 */
size_t cm_cutter_border(cm_cutter *cutter, const char *buffer, size_t size);

/** Say that the bytes before the border were taken off the front of the buffer. */
void cm_cutter_take(cm_cutter *cutter);

#endif

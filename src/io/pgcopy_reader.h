/*
 * PostgreSQL's binary COPY, decoded from bytes: a header, then rows of fields, then a trailer.
 *
 *     PGCOPY\n\377\r\n\0  flags:4  extension:4+n      the header
 *     fields:2  (size:4  bytes:size)*                 a row; size -1 is NULL
 *     -1:2                                            the trailer
 *
 * All numbers are big-endian. Bytes come in pieces of any size; a row is decoded once all of it is
 * there, and its values point into the caller's bytes.
 */
#ifndef CM_IO_PGCOPY_READER_H
#define CM_IO_PGCOPY_READER_H

#include "model/field.h"

/** PostgreSQL's own limit on a field, and ours on the header's extension. */
#define CM_PGCOPY_FIELD_BYTES_MAX ((uint32_t)1 << 30)
#define CM_PGCOPY_EXTENSION_BYTES_MAX ((uint32_t)1 << 16)

#define CM_UUID_BYTES 16

/** Microseconds from 1970 to 2000, the start of PostgreSQL's time. */
#define CM_PGCOPY_EPOCH_US 946684800000000LL

/** How a column is decoded, and into which kind of cm_value. */
typedef enum cm_pgcopy_type {
    CM_PGCOPY_TEXT,        /* text, varchar: CM_VALUE_TEXT */
    CM_PGCOPY_BOOL,        /* CM_VALUE_BOOLEAN */
    CM_PGCOPY_INT4,        /* CM_VALUE_INTEGER */
    CM_PGCOPY_TIMESTAMPTZ, /* CM_VALUE_TIME; infinities are INT64_MIN and INT64_MAX */
    CM_PGCOPY_INET,        /* CM_VALUE_ADDRESS, the mask dropped */
    CM_PGCOPY_UUID,        /* CM_VALUE_TEXT of CM_UUID_BYTES bytes */
    CM_PGCOPY_JSONB,       /* CM_VALUE_TEXT, the version byte dropped */
} cm_pgcopy_type;

/** The columns of a stream. The first type_count are decoded, the rest handed out as they are. */
typedef struct cm_pgcopy_columns {
    const cm_pgcopy_type *types;
    uint16_t type_count;
    uint16_t column_count;
} cm_pgcopy_columns;

/** Where decoding stands. Open struct so that it can live on the stack. */
typedef struct cm_pgcopy_reader {
    const cm_pgcopy_columns *columns;
    uint64_t row;  /* rows decoded */
    uint64_t byte; /* bytes of the stream consumed */
    bool has_header;
    bool has_trailer;
} cm_pgcopy_reader;

typedef enum cm_pgcopy_step {
    CM_PGCOPY_ROW,  /* a row was decoded */
    CM_PGCOPY_MORE, /* what is here ends within a row: give more bytes after it */
    CM_PGCOPY_END,  /* the trailer was read, and nothing follows it */
} cm_pgcopy_step;

/** Start on a stream. The columns are borrowed. */
void cm_pgcopy_reader_init(cm_pgcopy_reader *reader, const cm_pgcopy_columns *columns);

/**
 * Decode the next row.
 *
 * @param bytes   what follows the bytes consumed so far
 * @param used    receives the number of bytes consumed: a whole header, row or trailer, or none
 * @param step    receives what was found
 * @param values  receives type_count values of a row; they point into bytes
 * @param rest    receives the further columns of a row with their sizes, undecoded; points into
 *                bytes
 * @return CM_OK, or CM_ERROR_FORMAT with the row (line) and byte in the stream
 */
cm_status cm_pgcopy_read(cm_pgcopy_reader *reader, const char *bytes, size_t size, size_t *used,
                         cm_pgcopy_step *step, cm_value *values, cm_slice *rest, cm_error *error);

/** After the last bytes: CM_ERROR_FORMAT unless the trailer was read. */
cm_status cm_pgcopy_reader_finish(const cm_pgcopy_reader *reader, cm_error *error);

#endif

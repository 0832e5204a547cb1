/* Rejected rows as NDJSON, so that they can be found, mended and fed in again. */
#ifndef CM_IO_REJECT_WRITER_H
#define CM_IO_REJECT_WRITER_H

#include "util/buffer.h"

/** One rejected row. Everything is borrowed. */
typedef struct cm_reject_line {
    const char *source; /* file name or "-" */
    uint64_t line;      /* counted from 1; a CSV header is line 1 */
    uint64_t byte;      /* of the field, or of the row, in the unpacked input; counted from 0 */
    const char *field;  /* NULL: the row as a whole */
    const char *reason;
    cm_slice row; /* its bytes, line end left out. Of one longer than a row may be the first 64 KiB
                     are written */
} cm_reject_line;

/**
 * Append `{"source":...,"line":...,"byte":...,"field":...,"reason":...,"row":...}` and a line end.
 * Instead of "row" there is "row_base64" where the bytes are no UTF-8 or hold a NUL. Failure:
 * buffer->failed.
 */
void cm_reject_write(cm_buffer *buffer, const cm_reject_line *reject);

#endif

/*
 * PostgreSQL's binary COPY, encoded into a buffer: cm_pgcopy_put_header, then for each row
 * cm_pgcopy_put_row and its fields in order, then cm_pgcopy_put_trailer. A value is written as
 * PostgreSQL itself writes it, byte for byte, so that encoded fields can be compared with loaded
 * ones. Failure: buffer->failed.
 */
#ifndef CM_IO_PGCOPY_WRITER_H
#define CM_IO_PGCOPY_WRITER_H

#include "util/buffer.h"

void cm_pgcopy_put_header(cm_buffer *buffer);
void cm_pgcopy_put_row(cm_buffer *buffer, uint16_t column_count);
void cm_pgcopy_put_trailer(cm_buffer *buffer);

void cm_pgcopy_put_null(cm_buffer *buffer);
void cm_pgcopy_put_bool(cm_buffer *buffer, bool value);
void cm_pgcopy_put_int4(cm_buffer *buffer, int32_t value);
void cm_pgcopy_put_int8(cm_buffer *buffer, int64_t value);

/** Text or varchar: UTF-8, no NUL. An empty slice is the empty text, not NULL. */
void cm_pgcopy_put_text(cm_buffer *buffer, cm_slice text);

/** bytea: any bytes. */
void cm_pgcopy_put_bytes(cm_buffer *buffer, cm_slice bytes);

/** inet, of one host. @param address  of version 4 or 6 */
void cm_pgcopy_put_inet(cm_buffer *buffer, const cm_address *address);

/** @param uuid  16 bytes */
void cm_pgcopy_put_uuid(cm_buffer *buffer, const void *uuid);

/** @param time_us  microseconds since 1970 UTC */
void cm_pgcopy_put_timestamptz(cm_buffer *buffer, int64_t time_us);

/** @param json  JSON text; comparable with what PostgreSQL sends where it is written as jsonb's own
 *               output: a space after `,` and `:`, keys in jsonb's order */
void cm_pgcopy_put_jsonb(cm_buffer *buffer, cm_slice json);

/**
 * A numeric.
 *
 * @param scaled  the number times 10^scale
 * @param scale   decimals of the column, at most 9
 */
void cm_pgcopy_put_numeric(cm_buffer *buffer, int64_t scaled, unsigned scale);

#endif

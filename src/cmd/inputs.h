/* The files a command reads: checked before the work begins, opened one after the other. */
#ifndef CM_CMD_INPUTS_H
#define CM_CMD_INPUTS_H

#include <stdatomic.h>

#include "file/input.h"
#include "util/buffer.h"

/** An open input, unpacked. Its address must not change while it is open. */
typedef struct cm_opened {
    cm_input file;
    cm_source guarded;          /* the file, but that an interrupt ends the waiting for it */
    atomic_uint_least64_t done; /* bytes read; asked from other threads than those that read */
    cm_source unpacked;         /* what to read */
} cm_opened;

/**
 * Open a file, or standard input for "-".
 *
 * @return CM_OK, CM_ERROR_IO, CM_ERROR_MEMORY, or CM_ERROR_INTERRUPTED
 */
cm_status cm_opened_open(const char *path, cm_opened *opened, cm_error *error);
void cm_opened_close(cm_opened *opened);

/**
 * Say early what is wrong with the paths: before an hour of work, not after.
 *
 * @param bytes  receives the sum of the sizes; 0 where one is unknown (a pipe)
 * @return CM_OK or CM_ERROR_IO
 */
cm_status cm_inputs_check(const char *const *paths, size_t count, uint64_t *bytes, cm_error *error);

/** Is a path a file, which can be read again, and no pipe or standard input? */
bool cm_inputs_is_file(const char *path);

/**
 * Read a small file whole.
 *
 * @param bytes_max  a longer one is CM_ERROR_IO
 * @param text       receives the bytes; freed with cm_buffer_destroy, also on failure
 */
cm_status cm_inputs_read(const char *path, size_t bytes_max, cm_buffer *text, cm_error *error);

#endif

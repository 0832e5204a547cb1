/* A temporary file without a name: what is in it is gone with the process. Internal to src/file. */
#ifndef CM_FILE_SPOOL_H
#define CM_FILE_SPOOL_H

#include <stdatomic.h>
#include <stddef.h>

#include "clickmatch.h"

/** Open an empty spool in TMPDIR, else /tmp. fd receives it, readable and writable; the caller
 * closes it. */
cm_status cm_spool_open(int *fd, cm_error *error);

/** The error for errno after a write to a spool failed. */
cm_status cm_spool_trouble(const char *verb, cm_error *error);

/** Write all bytes to a file. False, with errno, where that fails. */
bool cm_write_all(int fd, const char *bytes, size_t size);

/** The same to a pipe or the like, whose reader may read nothing for long: 10 s after an interrupt
 * it is given up, with ETIMEDOUT. */
bool cm_write_heeding(int fd, const char *bytes, size_t size, const atomic_bool *interrupt);

#endif

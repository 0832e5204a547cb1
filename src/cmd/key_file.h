/* The secret of --hash-pii. */
#ifndef CM_CMD_KEY_FILE_H
#define CM_CMD_KEY_FILE_H

#include "model/pii.h"

/**
 * Read a secret: all bytes of a file that nobody but its owner, who is this user or root, may read
 * or write.
 *
 * @param path  NULL: there is none, and pii receives NULL
 * @param pii   freed with cm_pii_destroy
 * @return CM_OK, CM_ERROR_USAGE (what is wrong with the file), CM_ERROR_IO or CM_ERROR_MEMORY
 */
cm_status cm_key_file_read(const char *path, cm_pii **pii, cm_error *error);

#endif

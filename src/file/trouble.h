/* What a failed system call means to a person. Internal to src/file. */
#ifndef CM_FILE_TROUBLE_H
#define CM_FILE_TROUBLE_H

#include "clickmatch.h"

/**
 * Fill an error: `results.csv: cannot write: No space left on device; free space or choose another
 * --output`.
 *
 * @param verb    "open", "read", "write"
 * @param number  errno
 * @param option  the option that names the file
 * @return CM_ERROR_IO, or CM_ERROR_INTERRUPTED for EINTR
 */
cm_status cm_trouble(cm_error *error, const char *name, const char *verb, int number,
                     const char *option);

#endif

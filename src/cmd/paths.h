/* That no output takes the place of another one, or of an input. */
#ifndef CM_CMD_PATHS_H
#define CM_CMD_PATHS_H

#include "cmd/options.h"

/** Check the files of a command. CM_OK, or CM_ERROR_USAGE naming both options and the file. */
cm_status cm_paths_check(const cm_settings *settings, cm_error *error);

/**
 * Check that "-", standard input, is given at most once among these options' values.
 *
 * @return CM_OK or CM_ERROR_USAGE
 */
cm_status cm_paths_check_stdin(const cm_settings *settings, const cm_option *options, size_t count,
                               cm_error *error);

#endif

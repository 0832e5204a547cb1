/* What a model may be called: by the rules of model files, and so that --model finds it again. */
#ifndef CM_CMD_MODEL_NAMES_H
#define CM_CMD_MODEL_NAMES_H

#include "cmd/options.h"

/**
 * Check what --name and --model-version say, before any work. What is not given is right.
 *
 * @param name, version  the command's options of these names
 * @return CM_OK, CM_ERROR_USAGE (no model file may say so, or --model would take it for a file) or
 *         CM_ERROR_MEMORY
 */
cm_status cm_model_names_check(const cm_settings *settings, cm_option name, cm_option version,
                               cm_error *error);

/**
 * Check the name that a model file says, where the registry is to keep it by it.
 *
 * @param path  of the file, for the message
 * @return CM_OK, or CM_ERROR_MODEL where --model would take it for a file
 */
cm_status cm_model_names_check_file(const char *path, const char *name, cm_error *error);

#endif

/* How people name a model: a file, or a name, with or without a version, of the registry. */
#ifndef CM_CMD_MODEL_REF_H
#define CM_CMD_MODEL_REF_H

#include "clickmatch.h"

#define CM_MODEL_REF_BYTES 104 /* a name or a version, and a NUL */

/** A model of the registry. */
typedef struct cm_model_ref {
    char name[CM_MODEL_REF_BYTES];
    char version[CM_MODEL_REF_BYTES]; /* "": none is given */
} cm_model_ref;

/**
 * Is this written as the path of a file? It is -, has a /, or ends as model files do: .json,
 * .json.gz, .json.zst.
 */
bool cm_model_ref_is_path(const char *text);

/**
 * Split NAME or NAME@VERSION at the first @.
 *
 * @return CM_OK, or CM_ERROR_USAGE where a part is empty, too long, or no text
 */
cm_status cm_model_ref_read(const char *text, cm_model_ref *ref, cm_error *error);

#endif

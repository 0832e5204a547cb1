/* The chances of a model or of one of its sections: made, copied, freed, checked. Shared by the
 * files of the model only. */
#ifndef CM_MODEL_PARAMETERS_H
#define CM_MODEL_PARAMETERS_H

#include "model/model.h"

/** A copy of bytes that malloc gives. Raises failed, and gives NULL, where memory is short. */
void *cm_copy_bytes(const void *bytes, size_t size, bool *failed);

/** The same of text that ends with a NUL. */
char *cm_copy_text(const char *text, bool *failed);

/** The default model's; it has CM_DEFAULT_BIN_COUNT bins. What is made is freed with
 * cm_parameters_destroy, failed or not. */
void cm_parameters_make_default(cm_parameters *parameters, bool *failed);

#define CM_DEFAULT_BIN_COUNT 7

/** A deep copy, freed with cm_parameters_destroy, failed or not. */
void cm_parameters_copy(cm_parameters *copy, const cm_parameters *parameters, size_t bin_count,
                        bool *failed);

void cm_parameters_destroy(cm_parameters *parameters);

/**
 * Check what takes several fields.
 *
 * @param section  how its fields begin in a message: "", or "devices.mobile."
 * @return CM_OK or CM_ERROR_MODEL
 */
cm_status cm_parameters_check(const cm_parameters *parameters, size_t bin_count,
                              const char *section, cm_error *error);

/** Does a layer compare traits? */
bool cm_parameters_have_traits(const cm_parameters *parameters);

#endif

/* The sections of device classes and tenants: shared by the files of the model only. */
#ifndef CM_MODEL_SECTIONS_H
#define CM_MODEL_SECTIONS_H

#include "model/model.h"

#define CM_PARAMETERS_MAX ((size_t)1 << 16)

/** Add the device types' section, which stays in order. The text is copied.
 * CM_OK, or CM_ERROR_MEMORY. */
cm_status cm_device_sections_add(cm_device_sections *sections, const char *device_type,
                                 uint32_t parameters, cm_error *error);

/** The section of a device type; NULL where there is none. */
const cm_device_section *cm_device_sections_find(const cm_device_sections *sections,
                                                 cm_slice device_type);

/** Free the sections of a model, but not itself. */
void cm_sections_destroy(cm_model *model);

/** Copy another model's sections. What is made is freed with cm_sections_destroy, failed or not. */
void cm_sections_copy(cm_model *copy, const cm_model *model, bool *failed);

/** Order tenants by their ids. */
void cm_sections_sort_tenants(cm_model *model);

#endif

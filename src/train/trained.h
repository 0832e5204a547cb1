/* A model while it is learned: the model's own chances, and sections of device types. */
#ifndef CM_TRAIN_TRAINED_H
#define CM_TRAIN_TRAINED_H

#include "model/model.h"
#include "util/buffer.h"
#include "util/error.h"

/** A device type's own chances. */
typedef struct cm_trained_section {
    char *device_type; /* folded; "": conversions without one; owned */
    cm_parameters parameters;
} cm_trained_section;

/** Freed with cm_trained_destroy. One thread. */
typedef struct cm_trained {
    const cm_model *base; /* windows, limits and prefixes; borrowed */
    const char *name, *version;
    size_t bin_count;
    double *delay_hours; /* bin_count edges; owned */
    cm_parameters own;
    size_t section_count;
    cm_trained_section *sections; /* owned */
} cm_trained;

/**
 * Begin with a model's own chances; its sections are left out, and its calibration.
 *
 * @param device_types  of the sections to have: each with the model's own chances; folded,
 *                      different
 * @return CM_OK or CM_ERROR_MEMORY; to be destroyed in any case
 */
cm_status cm_trained_init(cm_trained *trained, const cm_model *base,
                          const char *const *device_types, size_t count, cm_error *error);

/**
 * Halve every delay bin, by time in proportion, if that makes at most so many and each is wide
 * enough. The chances of both halves are those of the whole. Sections must be as the whole is.
 *
 * @return CM_OK or CM_ERROR_MEMORY
 */
cm_status cm_trained_halve_bins(cm_trained *trained, size_t bin_count_max, cm_error *error);

/** Give a section the model's own chances again. CM_OK or CM_ERROR_MEMORY. */
cm_status cm_trained_reset(cm_trained *trained, cm_parameters *parameters, cm_error *error);

/**
 * Round everything to six digits, so that what is written is what is scored by, within what a model
 * may say: chances at least 1e-4 from 0 and 1, delay_m together at most 1.
 */
void cm_trained_round(cm_trained *trained);

/** Write it as a model file; sections only what is not as in the whole. text->failed tells of short
 * memory. */
void cm_trained_write(const cm_trained *trained, cm_buffer *text);

void cm_trained_destroy(cm_trained *trained);

#endif

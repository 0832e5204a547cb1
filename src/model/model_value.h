/* The values of a model file: shared by model_json.c and model_value.c only. */
#ifndef CM_MODEL_MODEL_VALUE_H
#define CM_MODEL_MODEL_VALUE_H

#include <jansson.h>

#include "model/model_draft.h"

typedef struct cm_model_field cm_model_field;

#define CM_REPEAT_LIMIT 1000.0
/* No product of chances, rivals and repeats overflows with these: docs/matching.md, section 5. */
#define CM_CHANCE_LEAST 1e-12
#define CM_RIVALS_LEAST 1e-9

/** Where a value stands. */
typedef struct cm_model_place {
    cm_model_draft *draft;
    const char *section; /* "", or "fingerprint.", or "devices.mobile." */
    const cm_model_field *field;
} cm_model_place;

/** Reads and checks a value into what its field's offset points to. CM_OK, CM_ERROR_MODEL or
 * CM_ERROR_MEMORY. */
typedef cm_status cm_model_reader(const cm_model_place *place, const json_t *value, void *slot);

/** A field of the model or of one of its sections. */
struct cm_model_field {
    const char *name;
    cm_model_reader *read;
    size_t offset; /* in cm_model, cm_parameters or cm_layer_model */
    size_t param;  /* what the reader takes beside it */
};

cm_model_reader cm_model_read_text;        /* char *; param: a byte it must not contain, or 0 */
cm_model_reader cm_model_read_probability; /* double */
cm_model_reader cm_model_read_rivals;      /* double */
cm_model_reader cm_model_read_repeat;      /* double */
cm_model_reader cm_model_read_hours;       /* double */
cm_model_reader cm_model_read_count;       /* unsigned; param: the largest */
cm_model_reader cm_model_read_bins;        /* double *; param: its cm_bins */
cm_model_reader cm_model_read_band;        /* the whole cm_layer_model */
cm_model_reader cm_model_read_chances;     /* cm_chances */
cm_model_reader cm_model_read_calibration; /* the whole cm_layer_model */

/** "model: <section><field>: <reason>". Returns CM_ERROR_MODEL. */
cm_status cm_model_refuse(const cm_model_place *place, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif

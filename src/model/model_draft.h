/* A model while it is being made: shared by model.c, model_json.c and model_check.c only. */
#ifndef CM_MODEL_MODEL_DRAFT_H
#define CM_MODEL_MODEL_DRAFT_H

#include "model/parameters.h"

/** No time in hours may be longer, about 11,000 years: sums of microseconds then stay in 64 bits.
 */
#define CM_HOURS_LIMIT 1e8

#define CM_MODEL_TEXT_BYTES_MAX ((size_t)100) /* of name and version */

/** The arrays with one value per delay bin. */
enum cm_bins {
    CM_BINS_DELAY_HOURS,
    CM_BINS_DELAY_M,
    CM_BINS_FINGERPRINT_M,
    CM_BINS_IP_M,
    CM_BINS_FINGERPRINT_DELAY_U,
    CM_BINS_PROBABILISTIC_DELAY_U,
    CM_BINS_COUNT
};

typedef struct cm_model_draft {
    cm_model *model;
    size_t bin_counts[CM_BINS_COUNT]; /* they may differ until checked; 0: not there */
    size_t parameter_capacity;        /* of the model's, where sections made them grow */
    cm_error *error;
} cm_model_draft;

/** Overwrite what JSON text changes, and check: the model's own fields, then its sections. */
cm_status cm_model_draft_read(cm_model_draft *draft, const char *json, size_t size);

/** Check that all bins are of one number. section: "", or how fields of a section begin in a
 * message. */
cm_status cm_model_draft_check_counts(const cm_model_draft *draft, const char *section);

/** Check what takes several fields of the model's own: bins, windows. Fills bin_count and the times
 * in microseconds. */
cm_status cm_model_draft_check(cm_model_draft *draft);

#endif

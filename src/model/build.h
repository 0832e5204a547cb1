/* Make records of a row's values: docs/matching.md, sections 1 and 2. */
#ifndef CM_MODEL_BUILD_H
#define CM_MODEL_BUILD_H

#include "model/field.h"
#include "util/arena.h"

#define CM_FIELD_NONE ((size_t)-1)

/** Why a row was rejected. */
typedef struct cm_reject {
    size_t field;       /* CM_FIELD_NONE: the row as a whole */
    const char *reason; /* static text: "not 64 hex digits" */
} cm_reject;

/** How to build: shared by all rows of a run. */
typedef struct cm_build_options {
    bool lenient;           /* a malformed optional field is missing, and counted */
    size_t field_bytes_max; /* a longer text is malformed; 0: none is */
    struct cm_pii *pii; /* hashes addresses and user agents: pii.h; NULL: they stay as they are */
} cm_build_options;

/**
 * Make a click of its values.
 *
 * @param values   CM_CLICK_FIELD_COUNT of them; their bytes must live as long as the click
 * @param arena    takes text the values do not hold (numbers as decimal text)
 * @param lenient_counts  CM_CLICK_FIELD_COUNT counters, raised for each malformed field taken as
 * missing; may be NULL
 * @param click    receives the click; its slices point into the values' bytes and the arena
 * @param reject   filled where the row is malformed
 * @return CM_OK, CM_ERROR_FORMAT (the row is rejected) or CM_ERROR_MEMORY
 * Threads: any, each with its own arena and counters.
 */
cm_status cm_click_build(const cm_value *values, const cm_build_options *options, cm_arena *arena,
                         uint64_t *lenient_counts, cm_click *click, cm_reject *reject);

/** The same for a conversion, of CM_CONVERSION_FIELD_COUNT values. */
cm_status cm_conversion_build(const cm_value *values, const cm_build_options *options,
                              cm_arena *arena, uint64_t *lenient_counts, cm_conversion *conversion,
                              cm_reject *reject);

/**
 * The same checks for a record that a caller filled by hand: required fields, ids, times, sizes.
 *
 * @return false with the field and reason in reject
 */
bool cm_click_check(const cm_click *click, cm_reject *reject);
bool cm_conversion_check(const cm_conversion *conversion, cm_reject *reject);

#endif

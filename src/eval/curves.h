/* What is drawn of a model's answers: reliability, precision by recall, and how sure it was. */
#ifndef CM_EVAL_CURVES_H
#define CM_EVAL_CURVES_H

#include "eval/figures.h"

#define CM_CURVE_POINTS_MAX 200
#define CM_HISTOGRAM_BARS 20

/** What there is when all that was weighed at or above a probability counts as attributed. */
typedef struct cm_curve_point {
    double probability, precision, recall;
} cm_curve_point;

/** How often a probability came, and came true. */
typedef struct cm_bar {
    uint64_t count, right, accepted;
} cm_bar;

typedef struct cm_curves {
    cm_bin bins[CM_SCOPE_COUNT][CM_BINS_MAX]; /* reliability of what was weighed */
    size_t bin_counts[CM_SCOPE_COUNT];
    cm_curve_point points[CM_CURVE_POINTS_MAX]; /* both layers; recall rises */
    size_t point_count;
    cm_bar bars[CM_HISTOGRAM_BARS]; /* both layers; of equal width */
} cm_curves;

/**
 * Make them.
 *
 * @param bins  of equal mass, 1 to CM_BINS_MAX
 * @return CM_OK or CM_ERROR_MEMORY
 */
cm_status cm_curves_make(const cm_judged *judged, size_t count, size_t bins, cm_curves *curves,
                         cm_error *error);

#endif

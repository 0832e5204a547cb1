/*
 * Calibration: from what a model says to what comes true. Isotonic regression by pooling adjacent
 * violators (Ayer, Brunk, Ewing, Reid and Silverman 1955; for probabilities Zadrozny and Elkan
 * 2002).
 */
#ifndef CM_TRAIN_ISOTONIC_H
#define CM_TRAIN_ISOTONIC_H

#include "model/model.h"
#include "util/error.h"

/** What was said of one event. */
typedef struct cm_forecast {
    double probability;
    double weight; /* above 0 */
    bool is_right; /* it came */
} cm_forecast;

#define CM_ISOTONIC_KNOTS_MAX ((size_t)24)

/** How to fit. */
typedef struct cm_isotonic_options {
    double prior;    /* forecasts that were as right as they said, added to each knot: shrinking */
    double mass_min; /* of forecasts in a knot; 0: any */
} cm_isotonic_options;

/**
 * Fit knots from 0 to 1: each the mean forecast of a pool of forecasts, and the share of them that
 * came. Neighbouring pools are joined until each has the least mass, and the knots are not too
 * many. Knots rise in x and do not fall in y, as those of a model do.
 *
 * @param forecasts  are sorted
 * @param knots       receives them; room for CM_ISOTONIC_KNOTS_MAX
 * @param knot_count  receives how many; 0: there are not enough forecasts for two
 * @return CM_OK or CM_ERROR_MEMORY
 */
cm_status cm_isotonic_fit(cm_forecast *forecasts, size_t count, const cm_isotonic_options *options,
                          cm_knot *knots, size_t *knot_count, cm_error *error);

#endif

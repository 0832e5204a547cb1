/* A candidate's weight by a model's chances alone: without prior, and without what its rivals
 * make of it. docs/matching.md, section 5. */
#ifndef CM_TRAIN_UNIT_WEIGHT_H
#define CM_TRAIN_UNIT_WEIGHT_H

#include "match/weights.h"
#include "train/training_set.h"

/** W2 or W3, in hours. */
double cm_unit_window(const cm_model *model, enum cm_weighed_layer layer);

/** reach(fingerprint_m, W2) or reach(ip_m, W3): how many own devices kept the layer's key. */
double cm_unit_reach(const cm_model *model, const cm_parameters *parameters,
                     enum cm_weighed_layer layer);

/** How likely a stranger's click is to fall in a delay bin, of those in the layer's window. */
double cm_unit_delay_u(const cm_model *model, const cm_parameters *parameters,
                       enum cm_weighed_layer layer, size_t bin);

/**
 * m of the layer's key times all likelihood ratios. A stranger's is the layer's reach on average.
 *
 * @param u  of layer 2's addresses, where the candidate is on the conversion's
 */
double cm_unit_weight(const cm_model *model, const cm_parameters *parameters,
                      enum cm_weighed_layer layer, const cm_train_look *look, double u);

/** The same of a click that is newer than layer 2's answer: y without repeat and r. */
double cm_unit_weight_newer(const cm_model *model, const cm_parameters *parameters,
                            const cm_train_look *look);

#endif

/* A device's further clicks: which of a labelled conversion's other candidates are its device's. */
#ifndef CM_TRAIN_OLDER_H
#define CM_TRAIN_OLDER_H

#include "train/training_set.h"
#include "util/error.h"

/**
 * How likely each candidate of layer 2 is a further click of the labelled one's device. The device
 * made `repeat` further clicks, strangers made as many as `rivals` and those candidates that are
 * theirs; which these are, the chances themselves say: a few rounds settle it (mean field; Saul,
 * Jaakkola and Jordan 1996). A further click's delay says nothing of whose it is.
 *
 * @param chances  receives one for each of the layer's looks; 1 for the label
 */
void cm_older_chances(const cm_train_chunk *chunk, const cm_train_conversion *conversion,
                      const cm_model *model, const cm_parameters *parameters, double *chances);

/* The scale is wide and its top flat: with fewer labels a section stays as the whole is. */
#define CM_OLDER_SECTION_MIN 500

/**
 * Estimate fingerprint.repeat by labelled conversions: of a fixed scale that under which their
 * clicks are most likely the newest of their devices' among all candidates: that is what it is
 * for; few of them are drawn to what is usual (docs/train.md).
 *
 * @param group       labelled conversions of this group count; CM_NUMBER_NONE: all
 * @param delay_m     of labels, by delay bin; not changed. Theirs are shorter than those of
 *                    conversions that lost their ids, by which the newest clicks would surprise.
 * @param parameters  fingerprint.repeat is changed where enough of them, CM_LABELS_MIN of all and
 *                    CM_OLDER_SECTION_MIN of a section, have a choice
 */
cm_status cm_older_estimate(const cm_training_set *set, const cm_model *model, uint32_t group,
                            double *delay_m, unsigned threads, cm_parameters *parameters,
                            cm_error *error);

#endif

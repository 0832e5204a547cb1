/* How often a device that layer 2 finds has a newer click on the conversion's address, with another
 * look. */
#ifndef CM_TRAIN_NEWER_H
#define CM_TRAIN_NEWER_H

#include "train/training_set.h"
#include "util/error.h"

/**
 * Estimate probabilistic.repeat: the most likely of a fixed scale. Where the newer clicks on an
 * address look as strangers' do, it is 0. Each conversion that layer 2 attributed with probability
 * p counts with (1 - p) + p * (1 + the y of its newer clicks) / (1 + what strangers' would be), y
 * as docs/matching.md has it, over what it would be if all were strangers.
 *
 * @param group       conversions of this group count; CM_NUMBER_NONE: all
 * @param parameters  probabilistic.repeat is changed
 * @param count       receives the number of conversions with newer clicks
 */
cm_status cm_newer_estimate(const cm_training_set *set, const cm_model *model, uint32_t group,
                            unsigned threads, cm_parameters *parameters, uint64_t *count,
                            cm_error *error);

#endif

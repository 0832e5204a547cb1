/* Training sets made by hand: what a test says of each conversion, as if it had been sampled. What
 * fails, fails the test. */
#ifndef HARNESS_TRAINING_H
#define HARNESS_TRAINING_H

#include "train/training_set.h"

/** A set that grows to so many conversions. Freed with cm_training_set_destroy. */
cm_training_set training_begin(size_t conversions);

/** Add a conversion, in order, with the next number. */
void training_add(cm_training_set *set, const cm_sample *sample, bool is_held_out);

/** A labelled conversion: how its click compares. */
typedef struct training_label {
    uint32_t group;
    uint32_t bin;
    cm_comparison fingerprint, address, user_agent, trait; /* all traits compare alike */
    bool is_held_out;
} training_label;

/** Add so many labelled conversions that are alike. */
void training_add_labels(cm_training_set *set, const training_label *label, size_t count);

#endif

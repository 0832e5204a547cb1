/* Learned models, written and read. What fails, fails the test. */
#ifndef HARNESS_TRAINED_H
#define HARNESS_TRAINED_H

#include "train/trained.h"

/** The model of a text. */
cm_model *trained_base(const char *json);

/** What is written, as text; the caller frees it. */
char *trained_text(const cm_trained *trained);

/** What is written, read. */
cm_model *trained_read_back(const cm_trained *trained);

/** A model's chances for a device type. */
const cm_parameters *trained_parameters(const cm_model *model, const char *type);

/** Numbers that are the same to the last bit. */
void trained_assert_same(const double *a, const double *b, size_t count);

/** The same of all but calibrations. */
void trained_assert_same_parameters(const cm_parameters *a, const cm_parameters *b,
                                    size_t bin_count);

/** The same of all that a model has. */
void trained_assert_same_model(const cm_trained *trained, const cm_model *model);

#endif

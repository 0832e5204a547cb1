/* Results compared field by field, to the last bit. */
#ifndef HARNESS_RESULTS_H
#define HARNESS_RESULTS_H

#include "clickmatch.h"

bool results_same(const cm_result *a, const cm_result *b);

/** Fails the test where two engines, or one at two times, do not agree on all conversions. */
void results_assert_same(const cm_result *a, const cm_result *b, size_t count);

#endif

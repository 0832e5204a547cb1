/* What the tests of metrics share. */
#ifndef CM_TESTS_METRICS_H
#define CM_TESTS_METRICS_H

#include "cmd/stream_figures.h"

/**
 * Figures that are all different and not zero, so that none can be taken for another.
 *
 * @param latency  receives three values: 9 us, 0.9 ms, 20 s
 */
cm_stream_figures cm_test_figures(cm_histogram *latency);

/** Is a text what the strict reader (exposition.py) accepts? It says what is wrong. */
bool cm_test_exposition_is_good(const char *text, size_t size);

#endif

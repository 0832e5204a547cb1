/* A candidate's factors as bars, one below the other: each begins where the one before ended. */
#ifndef CM_EXPLAIN_WATERFALL_H
#define CM_EXPLAIN_WATERFALL_H

#include "explain/explanation.h"

/** Append an SVG element. Failure: buffer->failed. */
void cm_explain_waterfall(const cm_explanation *explanation, const cm_trace_layer *layer,
                          const cm_trace_candidate *candidate, cm_buffer *buffer);

#endif

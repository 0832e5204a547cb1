/* One conversion through the layers again, noting what each found and what weights are made of. */
#ifndef CM_MATCH_TRACE_H
#define CM_MATCH_TRACE_H

#include "match/matcher.h"
#include "util/arena.h"

/**
 * Trace a checked conversion. The layers are those that matching runs; only counts that they have
 * no use for and logarithms are made here.
 *
 * @param matcher  its scratch is used
 * @param arena    takes what the trace points to
 * @param trace    receives all but result
 * @return CM_OK or CM_ERROR_MEMORY
 */
cm_status cm_trace_run(cm_matcher *matcher, const cm_conversion *conversion, cm_arena *arena,
                       cm_trace *trace, cm_error *error);

#endif

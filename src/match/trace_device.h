/* What clicks and conversions show of their devices, for a trace. */
#ifndef CM_MATCH_TRACE_DEVICE_H
#define CM_MATCH_TRACE_DEVICE_H

#include "match/query.h"

/**
 * What a conversion shows.
 *
 * @param query   with its device's keys
 * @param arena   takes the texts that belong to the keys
 * @param device  receives it; its user agent is the conversion's
 * @return false where memory is short
 */
bool cm_trace_device_of_conversion(const cm_model *model, const cm_query *query, cm_arena *arena,
                                   cm_trace_device *device);

/** The same of a click; most texts stay the index's. */
bool cm_trace_device_of_click(const cm_click_index *index, uint32_t click, cm_arena *arena,
                              cm_trace_device *device);

#endif

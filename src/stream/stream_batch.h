/* The events of a stream that are dealt with together. Internal to src/stream. */
#ifndef CM_STREAM_STREAM_BATCH_H
#define CM_STREAM_STREAM_BATCH_H

#include "stream/stream.h"

/** Take a click, whose texts hold until the batch is settled. is_lasting: it will be held for
 * longer than others, and must not keep them in memory. */
cm_status cm_stream_add_click(cm_stream *stream, const cm_click *click, bool is_lasting,
                              cm_error *error);

/** Take a conversion, likewise. event: what it was made of. */
cm_status cm_stream_add_conversion(cm_stream *stream, const cm_conversion *conversion,
                                   const cm_stream_conversion *from, cm_error *error);

/** Take over a line that the event taken last points into: not before, as what is in the batch may
 * be settled to make room for that, and its lines go. */
cm_status cm_stream_keep_line(cm_stream *stream, cm_held_line *line, cm_error *error);

/** Store the clicks of the batch. */
cm_status cm_stream_store(cm_stream *stream, cm_error *error);

/** Store the clicks, match the conversions, tell their results. The batch is empty then. */
cm_status cm_stream_settle(cm_stream *stream, cm_error *error);

#endif

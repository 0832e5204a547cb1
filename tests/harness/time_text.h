/* Times as JSON text. */
#ifndef HARNESS_TIME_TEXT_H
#define HARNESS_TIME_TEXT_H

#include "util/buffer.h"

/** Append a time as a JSON string, to the microsecond. */
void time_text_append(cm_buffer *text, int64_t time_us);

#endif

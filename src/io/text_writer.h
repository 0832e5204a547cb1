/* Text inside CSV and JSON. Internal to src/io. */
#ifndef CM_IO_TEXT_WRITER_H
#define CM_IO_TEXT_WRITER_H

#include "util/buffer.h"

/** Append a CSV field: in quotes only where it holds a quote, separator or line end. */
void cm_csv_append(cm_buffer *buffer, cm_slice text);

/** Put the bytes from `start` on into quotes, where they are. */
void cm_csv_quote(cm_buffer *buffer, size_t start);

/** Append a JSON string, its quotes included; bytes that are no UTF-8 become U+FFFD. */
void cm_json_append(cm_buffer *buffer, cm_slice text);

#endif

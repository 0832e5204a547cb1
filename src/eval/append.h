/* Writing reports: formatted text, and text that others gave. Internal to src/eval. */
#ifndef CM_EVAL_APPEND_H
#define CM_EVAL_APPEND_H

#include "util/buffer.h"

/** Append formatted text, at most 1,023 bytes of it. */
void cm_append(cm_buffer *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Append a text so that HTML shows it and no more; control characters become "?". */
void cm_append_escaped(cm_buffer *text, const char *shown);

/** Append a text, control characters as "?", and blanks up to so many characters (UTF-8). */
void cm_append_padded(cm_buffer *text, const char *shown, size_t width);

/** 1,234,567. */
void cm_append_count(cm_buffer *text, uint64_t count);

/** A share of the whole; NaN where there is no whole. */
double cm_share_of(uint64_t part, uint64_t whole);

#endif

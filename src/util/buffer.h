/* A growable run of bytes. A failed allocation is remembered, so that a caller may append much and
 * ask once. */
#ifndef CM_UTIL_BUFFER_H
#define CM_UTIL_BUFFER_H

#include <string.h>

#include "util/slice.h"

/** Zero-initialised is empty and ready. Owned by one thread. */
typedef struct cm_buffer {
    char *data;
    size_t size;
    size_t capacity;
    bool failed; /* an allocation failed: what was appended since is lost */
} cm_buffer;

/** Make room for more bytes after the end. False (and failed) when memory is short. */
bool cm_buffer_reserve(cm_buffer *buffer, size_t bytes);

/** Free the bytes; empty and ready again. */
void cm_buffer_destroy(cm_buffer *buffer);

static inline void cm_buffer_append(cm_buffer *buffer, const char *bytes, size_t size)
{
    if (buffer->capacity - buffer->size < size && !cm_buffer_reserve(buffer, size))
        return;
    if (size > 0)
        memcpy(buffer->data + buffer->size, bytes, size);
    buffer->size += size;
}

static inline void cm_buffer_append_slice(cm_buffer *buffer, cm_slice slice)
{
    cm_buffer_append(buffer, slice.data, slice.size);
}

static inline void cm_buffer_append_char(cm_buffer *buffer, char byte)
{
    cm_buffer_append(buffer, &byte, 1);
}

static inline void cm_buffer_append_text(cm_buffer *buffer, const char *text)
{
    cm_buffer_append(buffer, text, strlen(text));
}

/** Append a number in decimal. */
void cm_buffer_append_u64(cm_buffer *buffer, uint64_t number);

/** Append a number of 0 to 1 with a fixed number of decimals (at most 9), rounded as
 * docs/matching.md says. */
void cm_buffer_append_share(cm_buffer *buffer, double share, unsigned decimals);

#endif

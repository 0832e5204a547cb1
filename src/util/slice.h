/* Borrowed bytes: comparing and making cm_slice. */
#ifndef CM_UTIL_SLICE_H
#define CM_UTIL_SLICE_H

#include <string.h>

#include "clickmatch.h"

/** A slice of a string literal. */
#define CM_SLICE(literal) ((cm_slice){literal, sizeof(literal) - 1})

static inline cm_slice cm_slice_of(const char *data, size_t size)
{
    return (cm_slice){data, size};
}

/** A slice of a NUL-terminated string; NULL gives a missing value. */
static inline cm_slice cm_slice_of_text(const char *text)
{
    return (cm_slice){text, text == NULL ? 0 : strlen(text)};
}

static inline bool cm_slice_is_missing(cm_slice slice)
{
    return slice.size == 0;
}

static inline bool cm_slice_equal(cm_slice a, cm_slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/** Order by bytes, the shorter first where one begins the other. Negative, 0 or positive. */
static inline int cm_slice_compare(cm_slice a, cm_slice b)
{
    size_t shared = a.size < b.size ? a.size : b.size;
    int order = shared == 0 ? 0 : memcmp(a.data, b.data, shared);
    if (order != 0)
        return order;
    return (a.size > b.size) - (a.size < b.size);
}

#endif

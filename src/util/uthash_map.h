/*
 * uthash, for maps that are not hot.
 */
#ifndef CM_UTIL_UTHASH_MAP_H
#define CM_UTIL_UTHASH_MAP_H

#include <uthash.h>

/* Its hash falls through from case to case and says so in comments, which clang does not look for
 * in a macro. */
#ifdef __clang__
#pragma clang diagnostic ignored "-Wimplicit-fallthrough"
#endif

#endif

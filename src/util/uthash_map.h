/*
 * uthash, for maps that are not hot. What could not be added, for want of memory, has no hh.tbl:
 * ask after each HASH_ADD. By default uthash would end the program.
 */
#ifndef CM_UTIL_UTHASH_MAP_H
#define CM_UTIL_UTHASH_MAP_H

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* Its hash falls through from case to case and says so in comments, which clang does not look for
 * in a macro. */
#ifdef __clang__
#pragma clang diagnostic ignored "-Wimplicit-fallthrough"
#endif

#endif

/* Two assertions: CM_CHECK never vanishes (batch edges), CM_ASSERT does in release builds (inner
 * loops). */
#ifndef CM_UTIL_CHECK_H
#define CM_UTIL_CHECK_H

#include <assert.h>
#include <stdlib.h>

/** A broken promise inside the program: stop before it spreads. */
#define CM_CHECK(condition) ((condition) ? (void)0 : abort())

#define CM_ASSERT(condition) assert(condition)

#endif

/* Times: microseconds since 1970-01-01 UTC. docs/matching.md, section 1. */
#ifndef CM_UTIL_TIME_H
#define CM_UTIL_TIME_H

#include "clickmatch.h"

#define CM_SECOND_US 1000000LL
#define CM_DAY_US (86400 * CM_SECOND_US)

/** The first time that is too late: the year 10000. */
#define CM_TIME_END_US (253402300800 * CM_SECOND_US)

static inline bool cm_time_is_in_range(int64_t time_us)
{
    return time_us >= 0 && time_us < CM_TIME_END_US;
}

/**
 * Read a JSON number of milliseconds since 1970 UTC. Exact: no double lies between; what is below a
 * microsecond is cut off.
 *
 * @param number   a JSON number as written
 * @param time_us  receives microseconds since 1970 UTC
 * @return false where the text is no JSON number, or outside 1970 to 9999
 */
bool cm_time_parse_number(cm_slice number, int64_t *time_us);

#endif

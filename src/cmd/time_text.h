/* A time for people and for JSON: 2026-03-10T12:00:00Z, with six decimals where there are any. */
#ifndef CM_CMD_TIME_TEXT_H
#define CM_CMD_TIME_TEXT_H

#include <stdint.h>

#define CM_TIME_TEXT_BYTES 40

/** @param time_us  microseconds since 1970 UTC */
void cm_time_text(int64_t time_us, char text[CM_TIME_TEXT_BYTES]);

#endif

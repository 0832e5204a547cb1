/* What the machine does to any command that works so long on each event. */
#ifndef STREAM_STAND_IN_H
#define STREAM_STAND_IN_H

#include <stdint.h>

/** Be such a command: answer each conversion on standard input with its seq, and pass the time that
 * an event would take. Returns at the end of the input. */
void stream_stand_in(uint64_t event_ns);

#endif

/* The clocks of the commands; nothing below src/cmd has one. */
#ifndef CM_CMD_CLOCK_H
#define CM_CMD_CLOCK_H

#include <stdint.h>
#include <time.h>

/** Seconds since some start; never set back. */
static inline double cm_clock_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/** The same in nanoseconds. */
static inline uint64_t cm_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/** Seconds of work of all cores for this process so far. */
static inline double cm_clock_core_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/** Do nothing for a while. */
static inline void cm_clock_sleep_ms(long ms)
{
    const struct timespec pause = {ms / 1000, ms % 1000 * 1000000};
    (void)nanosleep(&pause, NULL);
}

/** Nanoseconds of work of this thread so far. */
static inline double cm_clock_thread_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/** Microseconds since 1970 UTC. */
static inline int64_t cm_clock_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

#endif

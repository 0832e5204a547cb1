/* The command that is measured: fed through a pipe, read through another, on a core of its own. */
#ifndef STREAM_CHILD_H
#define STREAM_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define STREAM_NO_CORE (-1)

typedef struct stream_child {
    pid_t process;
    int input;  /* we write; does not block */
    int output; /* we read; does not block */
    clockid_t clock;
} stream_child;

/** Memory in bytes. */
typedef struct stream_memory {
    uint64_t resident, resident_peak;
} stream_memory;

/**
 * Start a command; to be done while this process is small, as what a process has in memory when it
 * becomes a command stands in that one's own account of its peak.
 *
 * @param command  its words, NULL at the end
 * @param core     it runs there only; STREAM_NO_CORE: anywhere
 */
void stream_child_start(stream_child *child, char *const *command, int core);

/** From now on this thread runs on other cores only, where there are any. */
void stream_child_leave_core(int core);

/** End its input. */
void stream_child_close_input(stream_child *child);

/** Wait for its end. True where it succeeded; else says how it ended. */
bool stream_child_wait(stream_child *child);

/** Core time of all its threads so far, in ns. */
uint64_t stream_child_core_ns(const stream_child *child);

/** What it has in memory now; zero when it has ended. */
stream_memory stream_child_memory(const stream_child *child);

#endif

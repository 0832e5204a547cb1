/* How much memory there is for this process: what the machine has, or a limit that is set. */
#ifndef CM_FILE_MACHINE_MEMORY_H
#define CM_FILE_MACHINE_MEMORY_H

#include <stdint.h>

/**
 * The least of: physical memory, the limits of the process's cgroup and of those above it (version
 * 1 and 2), and of its address space and data (ulimit -v, -d). Not what is free just now: that
 * would be another with each run.
 *
 * @return bytes; UINT64_MAX where nothing can be learnt
 */
uint64_t cm_machine_memory(void);

#endif

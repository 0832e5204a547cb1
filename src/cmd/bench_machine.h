/* Where a bench ran and what was run: figures mean nothing without. */
#ifndef CM_CMD_BENCH_MACHINE_H
#define CM_CMD_BENCH_MACHINE_H

#include <jansson.h>

#include "util/buffer.h"

/** The machine: processor, cores that this process may use, memory, kernel. NULL when memory is
 * short. */
json_t *cm_bench_machine_json(void);

/** The build: version, compiler, flags. NULL when memory is short. */
json_t *cm_bench_build_json(void);

/** Append both as lines for people. */
void cm_bench_machine_text(cm_buffer *text);

/** Memory that can be had without swapping, in bytes; 0 where the system does not say. */
uint64_t cm_bench_memory_at_hand(void);

/** Resident memory of this process, in bytes; 0 where the system does not say. What was freed is
 * given back first, so that it does not count. */
uint64_t cm_bench_resident(void);

/** Bytes of this process's heap that are in use. */
uint64_t cm_bench_heap(void);

#endif

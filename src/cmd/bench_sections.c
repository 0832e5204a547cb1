/* The sections of `bench`, in the order in which they run, and what they share beside the world. */
#include <stdio.h>

#include "cmd/bench.h"
#include "cmd/interrupt.h"
#include "util/error.h"

/* Those that share the simulated world come first; it goes when the last of them is done. A section
 * that needs a server goes last. */
const cm_bench_section cm_bench_sections[] = {
    {.name = "load", .needs_world = true, .run = cm_bench_load},
    {.name = "match", .needs_world = true, .run = cm_bench_match},
    {.name = "models", .needs_world = true, .run = cm_bench_models},
    {.name = "memory", .needs_world = true, .run = cm_bench_memory},
    {.name = "restore", .needs_world = true, .run = cm_bench_restore},
    {.name = "latency", .needs_world = true, .run = cm_bench_latency},
    {.name = "scaling", .run = cm_bench_scaling},
    {.name = "hot", .run = cm_bench_hot_keys},
    {.name = "crafted", .run = cm_bench_crafted},
    {.name = "slide", .run = cm_bench_slide},
    {.name = "batch", .needs_server = true, .run = cm_bench_batch},
};
const size_t cm_bench_section_count = sizeof cm_bench_sections / sizeof cm_bench_sections[0];

cm_status cm_bench_go_on(cm_error *error)
{
    if (atomic_load(cm_interrupt_flag()))
        return cm_error_set(error, CM_ERROR_INTERRUPTED, "interrupted while measuring");
    return CM_OK;
}

const char *cm_bench_threads_text(unsigned threads, char room[CM_BENCH_CASE_BYTES])
{
    snprintf(room, CM_BENCH_CASE_BYTES, "%u thread%s", threads, threads == 1 ? "" : "s");
    return room;
}

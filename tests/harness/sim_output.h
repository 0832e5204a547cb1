/* Synthetic worlds in memory, for tests. */
#ifndef CM_HARNESS_SIM_OUTPUT_H
#define CM_HARNESS_SIM_OUTPUT_H

#include "sim/sim.h"

enum { CLICKS, CONVERSIONS, CLICK_TRUTH, CONVERSION_TRUTH, OUTPUTS };

/* One output in memory. */
typedef struct sim_output {
    char *data;
    size_t size, capacity, calls;
    size_t calls_max; /* 0: no limit; else the next call fails */
} sim_output;

/** The sinks that write to four outputs, which begin as zeros. */
cm_sim_sinks sim_sinks_of(sim_output *outputs);

/** Make a world; what fails, fails the test. `sim_outputs_free` frees it. */
void sim_outputs_make(const cm_sim_config *config, sim_output *outputs);

void sim_outputs_free(sim_output *outputs);

/** The default configuration with these counts. */
cm_sim_config sim_config_of(uint64_t clicks, uint64_t conversions);

size_t sim_line_count(const sim_output *b);

#endif

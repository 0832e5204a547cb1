/* A world: what is fixed before the first row. Immutable once made, so any thread may read it. */
#ifndef CM_SIM_WORLD_H
#define CM_SIM_WORLD_H

#include "sim/calendar.h"
#include "sim/sim.h"
#include "sim/traffic.h"

typedef struct cm_sim_world {
    uint64_t seed;
    cm_sim_format format;
    double organic_share;
    cm_sim_calendar clicks;
    cm_sim_calendar conversions;
    cm_sim_traffic traffic;
    uint32_t tenant_count;
    uint64_t *tenant_weights; /* running sums, tenant_count of them */
} cm_sim_world;

/** Check a configuration and make its world; cm_sim_world_destroy frees it. On failure nothing
 * stays. */
cm_status cm_sim_world_init(cm_sim_world *world, const cm_sim_config *config, cm_error *error);

void cm_sim_world_destroy(cm_sim_world *world);

/** A tenant, from 0, drawn by size. */
uint32_t cm_sim_world_tenant(const cm_sim_world *world, cm_sim_rng *rng);

#endif

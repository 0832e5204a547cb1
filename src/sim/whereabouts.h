/* Where a device is and which address it therefore has. */
#ifndef CM_SIM_WHEREABOUTS_H
#define CM_SIM_WHEREABOUTS_H

#include "sim/device.h"
#include "sim/world.h"

/**
 * The address of a device at a time. A device stays at a place for hours and keeps the place's
 * address as long as its network lets it; what may differ from one request to the next comes from
 * `rng`.
 */
cm_address cm_sim_address_at(const cm_sim_world *world, const cm_sim_device *device,
                             int64_t time_us, cm_sim_rng *rng);

/** The address of a bot: in a data centre, one of a few. */
cm_address cm_sim_address_of_bot(const cm_sim_world *world, uint64_t bot, cm_sim_rng *rng);

/** An address that identifies nobody, as misconfigured proxies report. */
cm_address cm_sim_address_private(cm_sim_rng *rng);

#endif

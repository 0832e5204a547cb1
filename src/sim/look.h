/* What a row shows of the device that made it. */
#ifndef CM_SIM_LOOK_H
#define CM_SIM_LOOK_H

#include "sim/fingerprint.h"

/* The device's fields of a row, as text; empty is missing. They point into `bytes`: do not copy. */
typedef struct cm_sim_look {
    cm_slice fingerprint, ip_address, user_agent, device_type, os, browser;
    cm_slice screen_width, screen_height, timezone, timezone_offset;
    bool has_failed; /* memory was out: it is not whole */
    char bytes[768];
} cm_sim_look;

/**
 * A person's device.
 *
 * @param digest  of this thread
 * @param in_app  seen from the social app's browser; only phones
 * @param rng     draws what is particular to this row
 */
void cm_sim_look_at(const cm_sim_world *world, cm_digest *digest, const cm_sim_device *device,
                    int64_t time_us, bool in_app, cm_sim_rng *rng, cm_sim_look *look);

/** A bot: pretends to be a desktop. */
void cm_sim_look_of_bot(const cm_sim_world *world, uint64_t bot, cm_sim_rng *rng,
                        cm_sim_look *look);

#endif

/*
 * Fingerprints: 64 hex digits. Phones and tablets show nothing but their components, so theirs is
 * the SHA-256 of these and all of a model share it; desktops show far more, and theirs is their
 * own.
 */
#ifndef CM_SIM_FINGERPRINT_H
#define CM_SIM_FINGERPRINT_H

#include "sim/device.h"
#include "sim/text.h"
#include "sim/world.h"

#include "util/digest.h"

#define CM_SIM_FINGERPRINT_DIGITS 64

/** The digest of components, CM_SIM_FINGERPRINT_DIGITS: joined by "|", as data collectors do. NULL
 * where memory is out. */
char *cm_sim_put_digest(char *at, cm_digest *digest, const cm_slice *components, size_t count);

/**
 * A desktop's own fingerprint, CM_SIM_FINGERPRINT_DIGITS. It changes with some versions of the
 * browser and with the screen.
 */
char *cm_sim_put_own_fingerprint(char *at, const cm_sim_world *world, const cm_sim_device *device,
                                 int64_t time_us, bool docked);

/** The fingerprint of everything that is described by two numbers. */
char *cm_sim_put_fingerprint(char *at, const cm_sim_world *world, uint64_t a, uint64_t b);

#endif

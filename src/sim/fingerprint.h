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

#define CM_SIM_FINGERPRINT_DIGITS 64
#define CM_SIM_COMPONENTS_MAX 127

/* The digests of components seen lately; one thread's. Zeroed is empty. */
#define CM_SIM_DIGEST_COUNT 2048
typedef struct cm_sim_digests {
    struct {
        uint8_t size;
        char components[CM_SIM_COMPONENTS_MAX];
        char digits[CM_SIM_FINGERPRINT_DIGITS];
    } entries[CM_SIM_DIGEST_COUNT];
} cm_sim_digests;

/**
 * The digest of components, which are at most CM_SIM_COMPONENTS_MAX bytes.
 *
 * @return the digits, which hold until the next call; NULL where libcrypto is out of memory
 */
const char *cm_sim_digest(cm_sim_digests *digests, cm_slice components);

/**
 * A desktop's own fingerprint, CM_SIM_FINGERPRINT_DIGITS. It changes with some versions of the
 * browser and with the screen.
 */
char *cm_sim_put_own_fingerprint(char *at, const cm_sim_world *world, const cm_sim_device *device,
                                 int64_t time_us, bool docked);

/** The fingerprint of everything that is described by two numbers. */
char *cm_sim_put_fingerprint(char *at, const cm_sim_world *world, uint64_t a, uint64_t b);

#endif

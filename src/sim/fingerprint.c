#include "sim/fingerprint.h"

#include "sim/software.h"

char *cm_sim_put_digest(char *at, cm_digest *digest, const cm_slice *components, size_t count)
{
    uint8_t hash[CM_DIGEST_BYTES];
    if (!cm_digest_joined(digest, components, count, '|', hash))
        return NULL;
    for (unsigned i = 0; i < CM_DIGEST_BYTES; i += 8) {
        uint64_t word = 0;
        for (unsigned k = 0; k < 8; k++)
            word = word << 8 | hash[i + k];
        at = cm_sim_put_hex(at, word);
    }
    return at;
}

char *cm_sim_put_fingerprint(char *at, const cm_sim_world *world, uint64_t a, uint64_t b)
{
    cm_sim_rng rng = cm_sim_rng_at(world->seed, CM_SIM_FOR_FINGERPRINT, a, b);
    for (unsigned i = 0; i < CM_SIM_FINGERPRINT_DIGITS / 16; i++)
        at = cm_sim_put_hex(at, cm_sim_next(&rng));
    return at;
}

char *cm_sim_put_own_fingerprint(char *at, const cm_sim_world *world, const cm_sim_device *device,
                                 int64_t time_us, bool docked)
{
    unsigned version = cm_sim_version_at(device, device->browser, time_us);
    uint64_t own = device->imaged ? ~(uint64_t)device->office / 2 : device->id;
    /* Two versions of five change what can be told from outside. */
    while (version > 1 && cm_sim_mix(own + version) % 5 > 1)
        version--;
    return cm_sim_put_fingerprint(at, world, own, version * 2 + (docked ? 1 : 0));
}

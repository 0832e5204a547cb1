#include "sim/fingerprint.h"

#include <openssl/evp.h>

#include "sim/software.h"

static uint64_t slot_of(cm_slice components)
{
    uint64_t h = components.size;
    for (size_t i = 0; i < components.size; i += 8) {
        uint64_t word = 0;
        size_t left = components.size - i;
        memcpy(&word, components.data + i, left < 8 ? left : 8);
        h = (h ^ word) * 0x9e3779b97f4a7c15u;
        h ^= h >> 29;
    }
    return h % CM_SIM_DIGEST_COUNT;
}

static bool digest(cm_slice components, char *digits)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char bytes[CM_SIM_FINGERPRINT_DIGITS / 2];
    if (EVP_Digest(components.data, components.size, bytes, NULL, EVP_sha256(), NULL) != 1)
        return false;
    for (unsigned i = 0; i < sizeof bytes; i++) {
        digits[2 * i] = hex[bytes[i] >> 4];
        digits[2 * i + 1] = hex[bytes[i] & 15];
    }
    return true;
}

const char *cm_sim_digest(cm_sim_digests *digests, cm_slice components)
{
    uint64_t slot = slot_of(components);
    char *held = digests->entries[slot].components, *digits = digests->entries[slot].digits;
    if (digests->entries[slot].size == components.size &&
        memcmp(held, components.data, components.size) == 0)
        return digits;
    if (!digest(components, digits))
        return NULL;
    digests->entries[slot].size = (uint8_t)components.size;
    memcpy(held, components.data, components.size);
    return digits;
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

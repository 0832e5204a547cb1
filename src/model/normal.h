/*
 * What counts of a value that was given: docs/matching.md, sections 1 to 3. Records hold values as
 * given; the engine and `explain` compare them through these.
 */
#ifndef CM_MODEL_NORMAL_H
#define CM_MODEL_NORMAL_H

#include "model/model.h"
#include "util/arena.h"
#include "util/digest.h"

/** The id within a cookie `fb.1.1554763741205.<id>[.<more>]`; any other text as it is. */
cm_slice cm_fbclid_value(cm_slice fbclid);

/** Can this address tell devices apart? False for a missing one and all special ranges. */
bool cm_address_is_evidence(const cm_address *address);

/** Has a bucket of this version more bits than fit a number, 32 of IPv4, 64 of IPv6? */
static inline bool cm_bucket_is_wide(const cm_model *model, unsigned version)
{
    return version == 4 ? model->ipv4_prefix > 32 : model->ipv6_prefix > 64;
}

/** The first bits of an address, as many as the model says for its version; the others zero. */
cm_address cm_address_bucket(const cm_address *address, const cm_model *model);

/** Does this fingerprint (all zeros, the SHA-256 of nothing) stand for none? */
bool cm_fingerprint_is_missing(const uint8_t fingerprint[32]);

/**
 * When a click ends to be active.
 *
 * @param expires_at  as given; CM_TIME_MISSING: click_timestamp + window_us
 * @return microseconds since 1970 UTC, at most 30 days after the click where it was given
 */
int64_t cm_click_expiry(int64_t click_timestamp, int64_t expires_at, int64_t window_us);

/** Is one of the fields there that a fingerprint is made from? */
bool cm_device_has_components(const cm_device *device);

/**
 * The fingerprint made of a device's components; ask cm_device_has_components first.
 *
 * @return false where there are none, or memory is short
 */
bool cm_components_hash(cm_digest *digest, const cm_device *device, uint8_t hash[CM_DIGEST_BYTES]);

/**
 * A device's traits in the form in which they are equal or not: os and browser in small letters; of
 * a screen both sides, the one that comes first in the order of bytes first.
 *
 * @param arena   holds what is not as the device has it
 * @param traits  receives them; empty: missing
 * @return false where memory is short
 */
bool cm_device_traits(const cm_device *device, cm_arena *arena, cm_slice traits[CM_TRAIT_COUNT]);

/**
 * The two sides of a screen, of the form that cm_device_traits gives it.
 *
 * @return false where it is of another form
 */
bool cm_screen_split(cm_slice screen, cm_slice *first, cm_slice *second);

#endif

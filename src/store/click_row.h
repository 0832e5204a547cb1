/*
 * What matching reads of a click: one row of 32 bytes, two to a cache line. Comparing two devices
 * is comparing numbers: fingerprints, user agents (or looks), and tenant with device type each have
 * one, and an address bucket of up to 64 bits is there itself.
 */
#ifndef CM_STORE_CLICK_ROW_H
#define CM_STORE_CLICK_ROW_H

#include <stdbool.h>
#include <stdint.h>

/* Flags, in the low bits of `time`. */
#define CM_ROW_FLAG_BITS 6
#define CM_ROW_INVALID 1u    /* flagged: found by layer 1, in no list of layers 2 and 3 */
#define CM_ROW_OWN_EXPIRY 2u /* not click_timestamp + window: in the segment's expiries */
#define CM_ROW_DUPLICATE 4u  /* its id was there before: in no index */
#define CM_ROW_IPV4 8u
#define CM_ROW_IPV6 16u
#define CM_ROW_EXPIRES_EARLY 32u                   /* its own expiry is before the window's end */
#define CM_ROW_ADDRESS (CM_ROW_IPV4 | CM_ROW_IPV6) /* neither: no usable address */

typedef struct cm_click_row {
    uint64_t time;        /* click_timestamp, us since 1970, above the flags */
    uint64_t address;     /* bucket: IPv4 in the low 32 bits; IPv6 the first 64 bits; or, where it
                             is longer (cm_bucket_is_wide), a number in the dictionary */
    uint32_t who;         /* tenant and device type: number in their dictionary */
    uint32_t fingerprint; /* number in the fingerprint index; 0: missing, or the click is invalid */
    uint32_t look;        /* number of its look where the model compares traits, else of its user
                             agent; 0: missing */
    uint32_t campaign;    /* campaign, ad set, ad and creative: number in their dictionary */
} cm_click_row;

static inline int64_t cm_click_row_time(const cm_click_row *row)
{
    return (int64_t)(row->time >> CM_ROW_FLAG_BITS);
}

static inline uint64_t cm_click_row_stamp(int64_t click_timestamp, unsigned flags)
{
    return (uint64_t)click_timestamp << CM_ROW_FLAG_BITS | flags;
}

static inline bool cm_click_row_is_valid(const cm_click_row *row)
{
    return (row->time & CM_ROW_INVALID) == 0;
}

/** The version of a usable address of this kind: 4 or 6. */
static inline unsigned cm_row_address_version(unsigned kind)
{
    return kind == CM_ROW_IPV4 ? 4 : 6;
}

/** CM_ROW_IPV4, CM_ROW_IPV6, or 0 where it has no usable address. */
static inline unsigned cm_click_row_address_kind(const cm_click_row *row)
{
    return (unsigned)row->time & CM_ROW_ADDRESS;
}

#endif

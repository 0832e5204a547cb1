/*
 * Who made a click, and which clicks a device made: both directions by arithmetic alone.
 *
 * Click numbers (which are in time order) are cut into blocks of 2^n. The n low bits are permuted,
 * differently in each block, and become the number of a street: every street has one click a block,
 * 24 to 48 a week, and one of its 64 devices, drawn unevenly, makes it. So a device's clicks are
 * found by walking its street's clicks, one a block. A few clicks belong to bots instead, and a few
 * repeat an earlier click of seconds to hours before, by the same device.
 *
 * The number of streets follows from the clicks a week: a busier world has more people, not busier
 * ones.
 */
#ifndef CM_SIM_TRAFFIC_H
#define CM_SIM_TRAFFIC_H

#include <stdbool.h>
#include <stdint.h>

#define CM_SIM_STREET_DEVICES 64
#define CM_SIM_STREET_CLICKERS 60      /* the last four never click an ad */
#define CM_SIM_BOT (UINT64_C(1) << 63) /* the bit that tells a bot's number from a device's */
#define CM_SIM_FARM_BOTS 4 /* bots of one operator; the last of each farm never clicks */

typedef struct cm_sim_traffic {
    uint64_t seed;
    uint64_t click_count;
    unsigned block_bits;  /* streets: 2^block_bits */
    uint64_t day_clicks;  /* repeats stay within a day's worth of clicks */
    uint64_t gap_min;     /* of a repeat, in steps of REPEAT_STEP (traffic.c) clicks */
    unsigned gap_octaves; /* the gap is below gap_min times 2^(gap_octaves + 1) */
    uint64_t farm_count;  /* of bots */
} cm_sim_traffic;

/** Who made a click. */
typedef struct cm_sim_slot {
    uint64_t device; /* street * CM_SIM_STREET_DEVICES + member, or CM_SIM_BOT + number */
    uint64_t origin; /* the click that this one repeats, else its own number */
} cm_sim_slot;

cm_sim_traffic cm_sim_traffic_make(uint64_t seed, uint64_t click_count, uint32_t days);

/** The maker of a click; click < click_count. */
cm_sim_slot cm_sim_traffic_slot(const cm_sim_traffic *traffic, uint64_t click);

/** Who makes a click if neither a bot nor a repeat takes its place; any click. */
uint64_t cm_sim_traffic_person(const cm_sim_traffic *traffic, uint64_t click);

/** The click of a street in a block; it may be click_count or more in the last block: then there is
 * none. */
uint64_t cm_sim_traffic_click(const cm_sim_traffic *traffic, uint64_t street, uint64_t block);

/** The click that would repeat this one, if it is a repeat; false where there can be none. */
bool cm_sim_traffic_repeater(const cm_sim_traffic *traffic, uint64_t click, uint64_t *repeater);

/** A repeat is fewer than so many clicks after its origin. */
uint64_t cm_sim_traffic_gap_max(const cm_sim_traffic *traffic);

static inline uint64_t cm_sim_traffic_devices(const cm_sim_traffic *traffic)
{
    return (uint64_t)CM_SIM_STREET_DEVICES << traffic->block_bits;
}

#endif

#include "sim/device.h"

#include "sim/catalog.h"
#include "sim/rng.h"
#include "sim/traffic.h"

/* The households of a street: sizes in devices, which sum to CM_SIM_STREET_DEVICES. */
static const uint8_t household_sizes[] = {1, 3, 2, 5, 4, 2, 6, 1, 3, 4,
                                          2, 7, 3, 5, 2, 4, 1, 3, 4, 2};
#define HOUSEHOLD_STRIDE 32 /* numbers kept for the households of a street */

static const cm_sim_isp isps[] = {
    {true, 24 * 45, 24 * 40, 1},  /* cable */
    {true, 23, 23, 1},            /* DSL, forced renewal */
    {false, 24 * 120, 1, 1},      /* fibre, IPv4 only */
    {true, 24 * 30, 24 * 12, 28}, /* IPv4 as a service, shared */
    {false, 70, 1, 1},            /* old DSL */
    {false, 24 * 30, 1, 11},      /* small provider, shared */
};
static const uint8_t isp_percents[] = {34, 17, 14, 13, 15, 7};

static const uint8_t kind_percents[] = {
    [CM_SIM_PHONE] = 59, [CM_SIM_DESKTOP] = 33, [CM_SIM_TABLET] = 8};
static const uint8_t os_percents[3][6] = {
    [CM_SIM_PHONE] = {[CM_SIM_IOS] = 53, [CM_SIM_ANDROID] = 47},
    [CM_SIM_DESKTOP] =
        {[CM_SIM_WINDOWS] = 66, [CM_SIM_MACOS] = 25, [CM_SIM_LINUX] = 4, [CM_SIM_CHROMEOS] = 5},
    [CM_SIM_TABLET] = {[CM_SIM_IOS] = 68, [CM_SIM_ANDROID] = 32},
};
static const uint8_t browser_percents[6][5] = {
    [CM_SIM_IOS] = {[CM_SIM_SAFARI] = 89, [CM_SIM_CHROME] = 11},
    [CM_SIM_ANDROID] = {[CM_SIM_CHROME] = 79, [CM_SIM_FIREFOX] = 4, [CM_SIM_SAMSUNG] = 17},
    [CM_SIM_WINDOWS] = {[CM_SIM_CHROME] = 69, [CM_SIM_FIREFOX] = 9, [CM_SIM_EDGE] = 22},
    [CM_SIM_MACOS] = {[CM_SIM_SAFARI] = 54, [CM_SIM_CHROME] = 41, [CM_SIM_FIREFOX] = 5},
    [CM_SIM_LINUX] = {[CM_SIM_CHROME] = 45, [CM_SIM_FIREFOX] = 55},
    [CM_SIM_CHROMEOS] = {[CM_SIM_CHROME] = 100},
};

/* Where in the street a member lives, and back: neighbouring members must not be one household, as
 * members of low numbers click most. 37 * 45 is 1 modulo 64. */
static uint64_t place_of_member(uint64_t seed, uint64_t street, uint64_t member)
{
    uint64_t turn = cm_sim_hash(seed, CM_SIM_FOR_STREET, street, 1);
    return (member * 37 + turn) % CM_SIM_STREET_DEVICES;
}

static uint64_t member_at_place(uint64_t seed, uint64_t street, uint64_t place)
{
    uint64_t turn = cm_sim_hash(seed, CM_SIM_FOR_STREET, street, 1);
    return (place - turn) * 45 % CM_SIM_STREET_DEVICES;
}

/* The household at a place; first receives its first place. */
static unsigned household_at(uint64_t place, uint64_t *first)
{
    unsigned household = 0;
    *first = 0;
    while (place >= *first + household_sizes[household])
        *first += household_sizes[household++];
    return household;
}

static void settle(uint64_t seed, cm_sim_device *device)
{
    uint64_t first;
    uint64_t place = place_of_member(seed, device->street, device->id % CM_SIM_STREET_DEVICES);
    device->household = device->street * HOUSEHOLD_STRIDE + household_at(place, &first);
    cm_sim_rng rng = cm_sim_rng_at(seed, CM_SIM_FOR_STREET, device->street, 0);
    device->zone = (uint8_t)cm_sim_pick(&rng, cm_sim_zone_percents);
    device->isp = isps[cm_sim_pick(&rng, isp_percents)];
}

static void equip(cm_sim_device *device, cm_sim_rng *rng)
{
    device->kind = (cm_sim_kind)cm_sim_pick(rng, kind_percents);
    device->os = (cm_sim_os)cm_sim_pick(rng, os_percents[device->kind]);
    device->browser = (cm_sim_browser)cm_sim_pick(rng, browser_percents[device->os]);
    device->release = (uint8_t)cm_sim_pick(rng, cm_sim_release_percents[device->os]);
    const cm_sim_screens *screens = cm_sim_screens_of(device->kind, device->os);
    device->screen = (uint8_t)cm_sim_pick(rng, screens->percents);
    double u = cm_sim_unit(rng);
    device->update_lag_hours = (uint16_t)(u * u * u * 1000);
}

static void accustom(cm_sim_device *device, cm_sim_rng *rng)
{
    bool desktop = device->kind == CM_SIM_DESKTOP;
    bool apple = device->os == CM_SIM_IOS || device->os == CM_SIM_MACOS;
    if (cm_sim_chance(rng, desktop ? 0.42 : 0.21))
        device->office = (uint32_t)(cm_sim_next(rng) >> 32) | 1;
    device->imaged = desktop && device->office != 0 && cm_sim_chance(rng, 0.18);
    if (desktop && cm_sim_chance(rng, 0.37))
        device->odd_pixels = (uint16_t)(8 * cm_sim_below(rng, 40));
    device->relay = apple && device->browser == CM_SIM_SAFARI && cm_sim_chance(rng, 0.17);
    device->carrier_ipv6 = cm_sim_chance(rng, 0.57);
    device->unhashed = cm_sim_chance(rng, 0.11);
    device->roaming = (uint8_t)cm_sim_skewed(rng, 100);
    device->eagerness = (uint8_t)(cm_sim_skewed(rng, 88) + 12);
}

cm_sim_device cm_sim_device_at(uint64_t seed, uint64_t id)
{
    cm_sim_device device = {.id = id, .street = id / CM_SIM_STREET_DEVICES};
    cm_sim_rng rng = cm_sim_rng_at(seed, CM_SIM_FOR_DEVICE, id, 0);
    settle(seed, &device);
    equip(&device, &rng);
    accustom(&device, &rng);
    return device;
}

cm_sim_kind cm_sim_device_kind(uint64_t seed, uint64_t id)
{
    cm_sim_rng rng = cm_sim_rng_at(seed, CM_SIM_FOR_DEVICE, id, 0);
    return (cm_sim_kind)cm_sim_pick(&rng, kind_percents);
}

uint64_t cm_sim_device_mate(uint64_t seed, uint64_t id, uint64_t draw)
{
    uint64_t first, street = id / CM_SIM_STREET_DEVICES;
    uint64_t place = place_of_member(seed, street, id % CM_SIM_STREET_DEVICES);
    unsigned size = household_sizes[household_at(place, &first)];
    if (size == 1)
        return id;
    uint64_t other = first + (place - first + 1 + draw % (size - 1)) % size;
    return street * CM_SIM_STREET_DEVICES + member_at_place(seed, street, other);
}

#include "sim/whereabouts.h"

#include "sim/catalog.h"

typedef enum place {
    HOME = 0,
    OFFICE,
    CARRIER,
    PUBLIC,
    RELAY,
    DATA_CENTRE,
} place;

/* Each place has IPv4 addresses of its own first octets, all of them public, and an IPv6 prefix. */
static const struct {
    uint8_t octet, octet_count;
    uint16_t prefix;
} spaces[] = {
    [HOME] = {24, 72, 0x2003},   [OFFICE] = {193, 5, 0x2620}, [CARRIER] = {106, 14, 0x2a01},
    [PUBLIC] = {212, 6, 0x2a06}, [RELAY] = {140, 2, 0x2a02},  [DATA_CENTRE] = {13, 8, 0x2600}};

/* Devices of the world, clicking or not, for each address of a place. */
#define DEVICES_PER_OFFICE 170
#define DEVICES_PER_GATEWAY 2300
#define DEVICES_PER_PUBLIC_NETWORK 450
#define DEVICES_PER_EGRESS 800

/* So many of a kind differ much in size; as the world grows it has more such clusters. */
#define OFFICE_CLUSTER 220
#define GATEWAY_CLUSTER 50
#define PUBLIC_CLUSTER 120

#define STAY_MINUTES 160         /* one decision where to be */
#define GATEWAY_HOURS 5          /* behind one carrier gateway */
#define CARRIER_PREFIX_HOURS 9   /* on one carrier IPv6 prefix */
#define EGRESS_MINUTES 17        /* on one relay egress */
#define IPV6_SHARE 0.67          /* of the devices that have both, by habit */
#define HABIT_HOURS 34           /* until it may change */
#define OTHER_VERSION_SHARE 0.07 /* of its requests, against its habit */

static cm_address ipv4(const cm_sim_world *world, place where, uint64_t which, uint64_t generation)
{
    uint64_t h = cm_sim_hash(world->seed, CM_SIM_FOR_ADDRESS, which * 8 + where, generation);
    cm_address address = {.version = 4};
    address.bytes[0] = (uint8_t)(spaces[where].octet + (h & 0xffff) % spaces[where].octet_count);
    address.bytes[1] = (uint8_t)(h >> 16);
    address.bytes[2] = (uint8_t)(h >> 24);
    address.bytes[3] = (uint8_t)(1 + (h >> 32 & 0xffff) % 254);
    return address;
}

static cm_address ipv6(const cm_sim_world *world, place where, uint64_t which, uint64_t generation,
                       uint64_t interface)
{
    uint64_t h = cm_sim_hash(world->seed, CM_SIM_FOR_PREFIX, which * 8 + where, generation);
    cm_address address = {.version = 6};
    address.bytes[0] = (uint8_t)(spaces[where].prefix >> 8);
    address.bytes[1] = (uint8_t)spaces[where].prefix;
    for (unsigned i = 0; i < 6; i++)
        address.bytes[2 + i] = (uint8_t)(h >> (8 * i));
    for (unsigned i = 0; i < 8; i++)
        address.bytes[8 + i] = (uint8_t)(interface >> (8 * i));
    return address;
}

/* Devices change the lower half of their IPv6 addresses every day, for privacy. */
static uint64_t interface_of(const cm_sim_world *world, const cm_sim_device *device,
                             int64_t time_us)
{
    return cm_sim_hash(world->seed, CM_SIM_FOR_PREFIX, ~device->id,
                       (uint64_t)(time_us / CM_SIM_DAY_US));
}

/* Which version wins the race of both is mostly the same for a while. */
static bool takes_ipv6(const cm_sim_world *world, const cm_sim_device *device, int64_t time_us,
                       cm_sim_rng *rng)
{
    cm_sim_rng habit = cm_sim_rng_at(world->seed, CM_SIM_FOR_WHEREABOUTS, ~device->id,
                                     (uint64_t)(time_us / (HABIT_HOURS * CM_SIM_HOUR_US)));
    return cm_sim_chance(&habit, IPV6_SHARE) != cm_sim_chance(rng, OTHER_VERSION_SHARE);
}

static place place_by_phone(const cm_sim_device *device, unsigned hour, bool workday,
                            cm_sim_rng *rng)
{
    bool at_work = workday && hour >= 8 && hour < 17;
    bool at_night = hour < 7 || hour >= 21;
    double u = cm_sim_unit(rng), out = device->roaming * 0.01;
    if (at_work && device->office != 0 && u < 0.57)
        return OFFICE;
    if (!cm_sim_chance(rng, at_night ? out / 2 : out))
        return HOME;
    return cm_sim_chance(rng, 0.91) ? CARRIER : PUBLIC;
}

static place place_by_computer(const cm_sim_device *device, unsigned hour, bool workday,
                               cm_sim_rng *rng)
{
    double u = cm_sim_unit(rng);
    if (workday && hour >= 7 && hour < 18 && device->office != 0 && u < 0.79)
        return OFFICE;
    u = cm_sim_unit(rng);
    return u < 0.93 ? HOME : u < 0.97 ? PUBLIC : CARRIER;
}

static place place_at(const cm_sim_world *world, const cm_sim_device *device, int64_t time_us)
{
    int64_t local_us = time_us - cm_sim_zones[device->zone].offset_minutes * CM_SIM_MINUTE_US;
    if (local_us < 0)
        local_us += CM_SIM_DAY_US; /* the first hours of 1970 */
    unsigned hour = cm_sim_hour_of_day(local_us), day = cm_sim_day_of_week(local_us);
    bool workday = day != 2 && day != 3; /* Saturday and Sunday, from Thursday */
    cm_sim_rng rng = cm_sim_rng_at(world->seed, CM_SIM_FOR_WHEREABOUTS, device->id,
                                   (uint64_t)(time_us / (STAY_MINUTES * CM_SIM_MINUTE_US)));
    return device->kind == CM_SIM_PHONE ? place_by_phone(device, hour, workday, &rng)
                                        : place_by_computer(device, hour, workday, &rng);
}

/* How often a lease was renewed by then; households renew at different times. */
static uint64_t generation(uint64_t household, int64_t time_us, uint16_t lease_hours)
{
    uint64_t phase = cm_sim_mix(household) % lease_hours;
    return ((uint64_t)(time_us / CM_SIM_HOUR_US) + phase) / lease_hours;
}

static cm_address at_home(const cm_sim_world *world, const cm_sim_device *device, int64_t time_us,
                          cm_sim_rng *rng)
{
    const cm_sim_isp *isp = &device->isp;
    if (isp->dual_stack && takes_ipv6(world, device, time_us, rng))
        return ipv6(world, HOME, device->household,
                    generation(device->household, time_us, isp->ipv6_lease_hours),
                    interface_of(world, device, time_us));
    uint64_t line = device->household / isp->sharers;
    return ipv4(world, HOME, line, generation(line, time_us, isp->ipv4_lease_hours));
}

static cm_address at_carrier(const cm_sim_world *world, const cm_sim_device *device,
                             int64_t time_us, cm_sim_rng *rng)
{
    if (device->carrier_ipv6 && takes_ipv6(world, device, time_us, rng))
        return ipv6(world, CARRIER, device->id,
                    (uint64_t)(time_us / (CARRIER_PREFIX_HOURS * CM_SIM_HOUR_US)),
                    interface_of(world, device, time_us));
    cm_sim_rng attachment = cm_sim_rng_at(world->seed, CM_SIM_FOR_ADDRESS, ~device->id,
                                          (uint64_t)(time_us / (GATEWAY_HOURS * CM_SIM_HOUR_US)));
    uint64_t gateways = cm_sim_traffic_devices(&world->traffic) / DEVICES_PER_GATEWAY + 1;
    return ipv4(world, CARRIER, cm_sim_clustered(&attachment, gateways, GATEWAY_CLUSTER), 0);
}

/* Egress is near the user: each time zone has its own. */
static cm_address at_relay(const cm_sim_world *world, const cm_sim_device *device, int64_t time_us,
                           cm_sim_rng *rng)
{
    cm_sim_rng session = cm_sim_rng_at(world->seed, CM_SIM_FOR_PREFIX, ~device->id,
                                       (uint64_t)(time_us / (EGRESS_MINUTES * CM_SIM_MINUTE_US)));
    uint64_t egresses = cm_sim_traffic_devices(&world->traffic) / DEVICES_PER_EGRESS + 12;
    uint64_t egress = cm_sim_below(&session, egresses) * 256 + device->zone;
    if (cm_sim_chance(rng, 0.44))
        return ipv6(world, RELAY, egress, 0, cm_sim_next(&session));
    return ipv4(world, RELAY, egress, 0);
}

static cm_address at_office(const cm_sim_world *world, const cm_sim_device *device)
{
    uint64_t offices = cm_sim_traffic_devices(&world->traffic) / DEVICES_PER_OFFICE + 1;
    cm_sim_rng rng = cm_sim_rng_at(world->seed, CM_SIM_FOR_PREFIX, device->office, UINT64_MAX);
    return ipv4(world, OFFICE, cm_sim_clustered(&rng, offices, OFFICE_CLUSTER), 0);
}

cm_address cm_sim_address_at(const cm_sim_world *world, const cm_sim_device *device,
                             int64_t time_us, cm_sim_rng *rng)
{
    if (device->relay && cm_sim_chance(rng, 0.86))
        return at_relay(world, device, time_us, rng);
    place where = place_at(world, device, time_us);
    if (where == OFFICE)
        return at_office(world, device);
    if (where == CARRIER)
        return at_carrier(world, device, time_us, rng);
    if (where == HOME)
        return at_home(world, device, time_us, rng);
    uint64_t networks = cm_sim_traffic_devices(&world->traffic) / DEVICES_PER_PUBLIC_NETWORK + 1;
    uint64_t stay = (uint64_t)(time_us / (STAY_MINUTES * CM_SIM_MINUTE_US));
    cm_sim_rng choice = cm_sim_rng_at(world->seed, CM_SIM_FOR_ADDRESS, device->id, stay);
    return ipv4(world, PUBLIC, cm_sim_clustered(&choice, networks, PUBLIC_CLUSTER), 0);
}

cm_address cm_sim_address_of_bot(const cm_sim_world *world, uint64_t bot, cm_sim_rng *rng)
{
    return ipv4(world, DATA_CENTRE, bot / CM_SIM_FARM_BOTS * 8 + cm_sim_below(rng, 8), 0);
}

cm_address cm_sim_address_private(cm_sim_rng *rng)
{
    uint64_t h = cm_sim_next(rng);
    return (cm_address){.version = 4,
                        .bytes = {10, (uint8_t)h, (uint8_t)(h >> 8), (uint8_t)(h >> 16)}};
}

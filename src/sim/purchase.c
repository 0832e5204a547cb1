#include "sim/purchase.h"

#include "sim/delay.h"
#include "sim/device.h"

#define DRAWS_MAX 12        /* of a delay that fits, of a stranger that fits */
#define CLICKS_TRIED_MAX 64 /* to find one that leads to a conversion */
#define OLDER_SOURCE_SHARE 0.04
#define STAYS_IN_APP_SHARE 0.46

/* Organic conversions: what became of them before. The rest are strangers. */
#define LATE_SHARE 0.17         /* clicked, but more than seven days ago */
#define OTHER_DEVICE_SHARE 0.14 /* somebody of the household clicked, on another device */
#define SHARED_LINK_SHARE 0.01  /* came by a link copied from somebody's click */
#define BOT_SHARE 0.01          /* a bot that never clicks, of a farm that does */

/* A click that leads to a conversion, not after a time and later than another. */
static bool find_click(const cm_sim_world *world, int64_t after_us, int64_t until_us,
                       cm_sim_rng *rng, cm_sim_visit *visit)
{
    uint64_t end = cm_sim_calendar_count_until(&world->clicks, until_us);
    uint64_t first = cm_sim_calendar_count_until(&world->clicks, after_us);
    for (int tried = 0; end > first && tried < CLICKS_TRIED_MAX; tried++) {
        *visit = cm_sim_visit_at(world, --end);
        if (cm_sim_is_bot(visit->device) || !visit->valid)
            continue;
        cm_sim_device device = cm_sim_device_at(world->seed, visit->device);
        if (cm_sim_below(rng, 100) < device.eagerness)
            return true;
    }
    return false;
}

/* A delay after a click of this world that is under the window's length. */
static int64_t delay_within(const cm_sim_world *world, int64_t time_us, cm_sim_rng *rng)
{
    int64_t age_us = time_us - world->clicks.start_us;
    int64_t max_us = age_us < CM_SIM_WINDOW_US ? age_us : CM_SIM_WINDOW_US;
    for (int draw = 0; draw < DRAWS_MAX; draw++) {
        int64_t delay_us = cm_sim_delay(rng);
        if (delay_us < max_us)
            return delay_us;
    }
    return (int64_t)cm_sim_below(rng, (uint64_t)max_us);
}

static bool after_click(const cm_sim_world *world, cm_sim_rng *rng, cm_sim_purchase *purchase)
{
    int64_t time_us = purchase->time_us;
    int64_t until_us = time_us - delay_within(world, time_us, rng);
    cm_sim_visit visit;
    if (!find_click(world, time_us - CM_SIM_WINDOW_US, until_us, rng, &visit) ||
        !cm_sim_visit_newest(world, visit.device, visit.tenant, time_us, &purchase->newest))
        return false;
    purchase->device = visit.device;
    purchase->tenant = visit.tenant;
    purchase->has_source = true;
    purchase->source = cm_sim_chance(rng, OLDER_SOURCE_SHARE) ? visit : purchase->newest;
    purchase->in_app = purchase->newest.in_app && cm_sim_chance(rng, STAYS_IN_APP_SHARE);
    return true;
}

/* Settle on a device and a tenant, unless they are no organic pair. */
static bool organic_as(const cm_sim_world *world, uint64_t device, uint32_t tenant,
                       cm_sim_purchase *purchase)
{
    cm_sim_visit newest;
    if (cm_sim_visit_newest(world, device, tenant, purchase->time_us, &newest))
        return false;
    purchase->device = device;
    purchase->tenant = tenant;
    return true;
}

static bool late(const cm_sim_world *world, cm_sim_rng *rng, cm_sim_purchase *purchase)
{
    int64_t until_us = purchase->time_us - CM_SIM_WINDOW_US - cm_sim_delay_beyond(rng);
    if (!find_click(world, INT64_MIN, until_us, rng, &purchase->source))
        return false;
    purchase->has_source =
        organic_as(world, purchase->source.device, purchase->source.tenant, purchase);
    return purchase->has_source;
}

static bool on_other_device(const cm_sim_world *world, cm_sim_rng *rng, cm_sim_purchase *purchase)
{
    cm_sim_visit visit;
    int64_t until_us = purchase->time_us - delay_within(world, purchase->time_us, rng);
    if (!find_click(world, INT64_MIN, until_us, rng, &visit))
        return false;
    uint64_t mate = cm_sim_device_mate(world->seed, visit.device, cm_sim_next(rng) >> 32);
    return organic_as(world, mate, visit.tenant, purchase);
}

static void stranger(const cm_sim_world *world, cm_sim_rng *rng, uint32_t tenant,
                     cm_sim_purchase *purchase)
{
    uint64_t devices = cm_sim_traffic_devices(&world->traffic);
    for (int draw = 0; draw < DRAWS_MAX; draw++)
        if (organic_as(world, cm_sim_below(rng, devices), tenant, purchase))
            return;
    /* One of those who never click. */
    uint64_t street = cm_sim_below(rng, devices) / CM_SIM_STREET_DEVICES;
    purchase->device = street * CM_SIM_STREET_DEVICES + CM_SIM_STREET_CLICKERS +
                       cm_sim_below(rng, CM_SIM_STREET_DEVICES - CM_SIM_STREET_CLICKERS);
    purchase->tenant = tenant;
}

static void by_shared_link(const cm_sim_world *world, cm_sim_rng *rng, cm_sim_purchase *purchase)
{
    int64_t until_us = purchase->time_us - delay_within(world, purchase->time_us, rng);
    purchase->has_source = find_click(world, INT64_MIN, until_us, rng, &purchase->source);
    uint32_t tenant =
        purchase->has_source ? purchase->source.tenant : cm_sim_world_tenant(world, rng);
    stranger(world, rng, tenant, purchase);
}

static void organic(const cm_sim_world *world, cm_sim_rng *rng, cm_sim_purchase *purchase)
{
    double u = cm_sim_unit(rng);
    if (u < LATE_SHARE && late(world, rng, purchase))
        return;
    u -= LATE_SHARE;
    if (u >= 0 && u < OTHER_DEVICE_SHARE && on_other_device(world, rng, purchase))
        return;
    u -= OTHER_DEVICE_SHARE;
    if (u >= 0 && u < SHARED_LINK_SHARE) {
        by_shared_link(world, rng, purchase);
        return;
    }
    uint32_t tenant = cm_sim_world_tenant(world, rng);
    stranger(world, rng, tenant, purchase);
    if (u >= SHARED_LINK_SHARE && u < SHARED_LINK_SHARE + BOT_SHARE)
        purchase->device = CM_SIM_BOT + CM_SIM_FARM_BOTS - 1 +
                           CM_SIM_FARM_BOTS * cm_sim_below(rng, world->traffic.farm_count);
}

cm_sim_purchase cm_sim_purchase_at(const cm_sim_world *world, uint64_t conversion)
{
    cm_sim_purchase purchase = {.time_us = cm_sim_calendar_time(&world->conversions, conversion)};
    cm_sim_rng rng = cm_sim_rng_at(world->seed, CM_SIM_FOR_CONVERSION, conversion, 0);
    purchase.organic =
        cm_sim_chance(&rng, world->organic_share) || !after_click(world, &rng, &purchase);
    if (purchase.organic)
        organic(world, &rng, &purchase);
    return purchase;
}

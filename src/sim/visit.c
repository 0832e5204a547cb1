#include "sim/visit.h"

#include "sim/device.h"

#define FAVOURITE_SHARE 0.72 /* of a device's clicks, in its favourite tenant */
#define IN_APP_SHARE 0.58    /* of phones' clicks in a social network */
#define FLAGGED_PERSON_SHARE 0.006
#define FLAGGED_BOT_SHARE 0.82

static const uint8_t channel_percents[] = {
    [CM_SIM_FACEBOOK] = 43, [CM_SIM_GOOGLE] = 37, [CM_SIM_OTHER] = 20};

static uint32_t tenant_of(const cm_sim_world *world, uint64_t device, cm_sim_rng *rng)
{
    if (!cm_sim_chance(rng, FAVOURITE_SHARE))
        return cm_sim_world_tenant(world, rng);
    cm_sim_rng taste = cm_sim_rng_at(world->seed, CM_SIM_FOR_TASTE, device, 0);
    return cm_sim_world_tenant(world, &taste);
}

cm_sim_visit cm_sim_visit_at(const cm_sim_world *world, uint64_t click)
{
    cm_sim_slot slot = cm_sim_traffic_slot(&world->traffic, click);
    bool bot = cm_sim_is_bot(slot.device);
    cm_sim_rng flag = cm_sim_rng_at(world->seed, CM_SIM_FOR_FLAG, click, 0);
    cm_sim_rng rng = cm_sim_rng_at(world->seed, CM_SIM_FOR_VISIT, slot.origin, 0);
    cm_sim_visit visit = {.click = click, .origin = slot.origin, .device = slot.device};
    visit.valid = !cm_sim_chance(&flag, bot ? FLAGGED_BOT_SHARE : FLAGGED_PERSON_SHARE);
    visit.tenant = tenant_of(world, slot.device, &rng);
    visit.channel = (cm_sim_channel)cm_sim_pick(&rng, channel_percents);
    visit.in_app = !bot && visit.channel == CM_SIM_FACEBOOK && cm_sim_chance(&rng, IN_APP_SHARE) &&
                   cm_sim_device_kind(world->seed, slot.device) == CM_SIM_PHONE;
    return visit;
}

/* Take a click as the newest, if it is the device's, in the tenant, valid and newer. */
static bool consider(const cm_sim_world *world, uint64_t click, uint32_t tenant, bool found,
                     cm_sim_visit *newest)
{
    if (found && click <= newest->click)
        return true;
    cm_sim_visit visit = cm_sim_visit_at(world, click);
    if (visit.device != newest->device || visit.tenant != tenant || !visit.valid)
        return found;
    *newest = visit;
    return true;
}

bool cm_sim_visit_newest(const cm_sim_world *world, uint64_t device, uint32_t tenant,
                         int64_t time_us, cm_sim_visit *visit)
{
    const cm_sim_traffic *traffic = &world->traffic;
    uint64_t first = cm_sim_calendar_count_until(&world->clicks, time_us - CM_SIM_WINDOW_US);
    uint64_t end = cm_sim_calendar_count_until(&world->clicks, time_us);
    if (first == end)
        return false;
    uint64_t gap_max = cm_sim_traffic_gap_max(traffic);
    /* A repeat in the window may be of a click before it. */
    uint64_t oldest = (first > gap_max ? first - gap_max : 0) >> traffic->block_bits;
    uint64_t block = (end - 1) >> traffic->block_bits;
    bool found = false;
    visit->device = device;
    for (;; block--) {
        uint64_t click = cm_sim_traffic_click(traffic, device / CM_SIM_STREET_DEVICES, block);
        uint64_t repeater;
        bool own = click < end && cm_sim_traffic_person(traffic, click) == device;
        if (own && click >= first)
            found = consider(world, click, tenant, found, visit);
        if (own && cm_sim_traffic_repeater(traffic, click, &repeater) && repeater >= first &&
            repeater < end)
            found = consider(world, repeater, tenant, found, visit);
        if (block == oldest || (found && visit->click >= (block << traffic->block_bits) + gap_max))
            return found;
    }
}

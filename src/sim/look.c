#include "sim/look.h"

#include "sim/catalog.h"
#include "sim/software.h"
#include "sim/whereabouts.h"

#define DOCKED_SHARE 0.07   /* of the visits of a desktop: at another screen */
#define DETAILED_SHARE 0.09 /* of the rows with a hash: components as well */
#define HASH_LOST_SHARE 0.021
#define COMPONENT_LOST_SHARE 0.008
#define ADDRESS_LOST_SHARE 0.013
#define ADDRESS_PRIVATE_SHARE 0.003
#define AGENT_LOST_SHARE 0.011
#define TYPE_LOST_SHARE 0.014

static const char *const type_names[] = {
    [CM_SIM_PHONE] = "mobile", [CM_SIM_DESKTOP] = "desktop", [CM_SIM_TABLET] = "tablet"};

static char *take(cm_slice *field, char *from, char *to)
{
    *field = cm_sim_slice(from, to);
    return to;
}

static char *show_screen(cm_sim_look *look, const cm_sim_device *device, bool docked, char *at)
{
    unsigned screen = docked ? 0 : device->screen, odd = docked ? 0 : device->odd_pixels;
    const cm_sim_screen *size = &cm_sim_screens_of(device->kind, device->os)->screens[screen];
    at = take(&look->screen_width, at, cm_sim_put_number(at, size->width - odd));
    return take(&look->screen_height, at, cm_sim_put_number(at, size->height - odd / 2));
}

static char *show_components(cm_sim_look *look, const cm_sim_device *device, cm_sim_browser browser,
                             int64_t time_us, bool docked, char *at)
{
    const cm_sim_zone *zone = &cm_sim_zones[device->zone];
    at = show_screen(look, device, docked, at);
    at = take(&look->timezone, at, cm_sim_put_string(at, zone->name));
    at = take(&look->timezone_offset, at, cm_sim_put_signed(at, zone->offset_minutes));
    at = take(&look->device_type, at, cm_sim_put_string(at, type_names[device->kind]));
    at = take(&look->os, at, cm_sim_put_os(at, device, time_us));
    return take(&look->browser, at, cm_sim_put_browser(at, device, browser, time_us));
}

static char *show_fingerprint(const cm_sim_world *world, cm_digest *digest,
                              const cm_sim_device *device, int64_t time_us, bool docked,
                              cm_sim_look *look, char *at)
{
    const cm_slice components[] = {look->screen_width,    look->screen_height, look->timezone,
                                   look->timezone_offset, look->device_type,   look->os,
                                   look->browser};
    char *end =
        device->kind == CM_SIM_DESKTOP
            ? cm_sim_put_own_fingerprint(at, world, device, time_us, docked)
            : cm_sim_put_digest(at, digest, components, sizeof components / sizeof *components);
    look->has_failed = end == NULL;
    return take(&look->fingerprint, at, end == NULL ? at : end);
}

static void hide_components(cm_sim_look *look)
{
    const cm_slice none = {NULL, 0};
    look->os = look->browser = none;
    look->screen_width = look->screen_height = look->timezone = look->timezone_offset = none;
}

/* Trackers lose fields at small rates of their own. */
static void lose_some(cm_sim_look *look, bool unhashed, cm_sim_rng *rng)
{
    const cm_slice none = {NULL, 0};
    if (unhashed || cm_sim_chance(rng, HASH_LOST_SHARE))
        look->fingerprint = none;
    if (!unhashed && !cm_sim_chance(rng, DETAILED_SHARE))
        hide_components(look);
    cm_slice *const components[] = {&look->os,           &look->browser,
                                    &look->screen_width, &look->screen_height,
                                    &look->timezone,     &look->timezone_offset};
    uint64_t which = cm_sim_below(rng, sizeof components / sizeof *components);
    if (cm_sim_chance(rng, 6 * COMPONENT_LOST_SHARE))
        *components[which] = none;
    if (cm_sim_chance(rng, ADDRESS_LOST_SHARE))
        look->ip_address = none;
    if (cm_sim_chance(rng, AGENT_LOST_SHARE))
        look->user_agent = none;
    if (cm_sim_chance(rng, TYPE_LOST_SHARE))
        look->device_type = none;
}

void cm_sim_look_at(const cm_sim_world *world, cm_digest *digest, const cm_sim_device *device,
                    int64_t time_us, bool in_app, cm_sim_rng *rng, cm_sim_look *look)
{
    cm_sim_browser browser = in_app ? CM_SIM_SOCIAL : device->browser;
    bool docked = device->kind == CM_SIM_DESKTOP && cm_sim_chance(rng, DOCKED_SHARE);
    cm_address address = cm_sim_chance(rng, ADDRESS_PRIVATE_SHARE)
                             ? cm_sim_address_private(rng)
                             : cm_sim_address_at(world, device, time_us, rng);
    char *at = show_components(look, device, browser, time_us, docked, look->bytes);
    at = show_fingerprint(world, digest, device, time_us, docked, look, at);
    at = take(&look->ip_address, at, cm_sim_put_address(at, &address));
    take(&look->user_agent, at, cm_sim_put_agent(at, device, browser, time_us));
    lose_some(look, device->unhashed, rng);
}

void cm_sim_look_of_bot(const cm_sim_world *world, uint64_t bot, cm_sim_rng *rng, cm_sim_look *look)
{
    cm_sim_rng farm = cm_sim_rng_at(world->seed, CM_SIM_FOR_BOT_LOOK, bot / CM_SIM_FARM_BOTS, 0);
    unsigned agent = cm_sim_pick(&farm, cm_sim_bot_agent_percents);
    char version[20], *end = cm_sim_put_number(version, cm_sim_below(&farm, 10));
    cm_address address = cm_sim_address_of_bot(world, bot, rng);
    char *at = cm_sim_put_fingerprint(look->bytes, world, bot / CM_SIM_FARM_BOTS, 1);
    at = take(&look->fingerprint, look->bytes, at);
    at = take(&look->ip_address, at, cm_sim_put_address(at, &address));
    at = take(&look->device_type, at, cm_sim_put_string(at, "desktop"));
    take(&look->user_agent, at,
         cm_sim_put_template(at, cm_sim_bot_agents[agent], cm_sim_slice(version, end), "", ""));
    hide_components(look);
    lose_some(look, false, rng);
    look->has_failed = false;
}

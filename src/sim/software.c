#include "sim/software.h"

#include "sim/calendar.h"
#include "sim/catalog.h"

#define EPOCH_US (INT64_C(1767657600) * CM_SIM_SECOND_US) /* 2026-01-06, the catalog's versions */

unsigned cm_sim_version_at(const cm_sim_device *device, cm_sim_browser browser, int64_t time_us)
{
    const cm_sim_cycle *cycle = &cm_sim_cycles[browser];
    int64_t cycle_us = cycle->hours * CM_SIM_HOUR_US;
    int64_t since_us = time_us - EPOCH_US - device->update_lag_hours * CM_SIM_HOUR_US;
    int64_t steps = since_us / cycle_us - (since_us < 0 ? 1 : 0);
    int64_t version = cycle->version + steps;
    return version < 1 ? 1 : (unsigned)version;
}

static char *put_apple_version(char *at, const cm_sim_device *device, int64_t time_us)
{
    at = cm_sim_put_string(at, "26.");
    return cm_sim_put_number(at, cm_sim_version_at(device, CM_SIM_SAFARI, time_us));
}

/* Safari is part of iOS and stays with an iOS that is no longer updated. */
static char *put_version(char *at, const cm_sim_device *device, cm_sim_browser browser,
                         int64_t time_us)
{
    const char *release = cm_sim_releases[device->os][device->release];
    if (browser != CM_SIM_SAFARI)
        return cm_sim_put_number(at, cm_sim_version_at(device, browser, time_us));
    if (device->os == CM_SIM_IOS && release[0] != '\0')
        return cm_sim_put_string(at, release);
    return put_apple_version(at, device, time_us);
}

char *cm_sim_put_os(char *at, const cm_sim_device *device, int64_t time_us)
{
    const char *release = cm_sim_releases[device->os][device->release];
    at = cm_sim_put_string(at, cm_sim_os_names[device->os]);
    *at++ = ' ';
    return release[0] != '\0' ? cm_sim_put_string(at, release)
                              : put_apple_version(at, device, time_us);
}

char *cm_sim_put_browser(char *at, const cm_sim_device *device, cm_sim_browser browser,
                         int64_t time_us)
{
    at = cm_sim_put_string(at, cm_sim_cycles[browser].name);
    *at++ = ' ';
    return put_version(at, device, browser, time_us);
}

char *cm_sim_put_template(char *at, const char *template, cm_slice version, const char *release,
                          const char *model)
{
    for (;;) {
        size_t plain = strcspn(template, "#^~");
        at = cm_sim_put(at, template, plain);
        char mark = template[plain];
        if (mark == '\0')
            return at;
        at = mark == '#'   ? cm_sim_put(at, version.data, version.size)
             : mark == '^' ? cm_sim_put_string(at, release)
                           : cm_sim_put_string(at, model);
        template += plain + 1;
    }
}

char *cm_sim_put_agent(char *at, const cm_sim_device *device, cm_sim_browser browser,
                       int64_t time_us)
{
    char version[24];
    const cm_sim_screens *screens = cm_sim_screens_of(device->kind, device->os);
    char *end = put_version(version, device, browser, time_us);
    return cm_sim_put_template(
        at, cm_sim_agent_template(device->kind, device->os, browser), cm_sim_slice(version, end),
        cm_sim_releases[device->os][device->release], screens->screens[device->screen].model);
}

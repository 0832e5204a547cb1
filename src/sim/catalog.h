/* What there is in the world: time zones, screens, OS releases, browsers. Constant tables. */
#ifndef CM_SIM_CATALOG_H
#define CM_SIM_CATALOG_H

#include "sim/device.h"

/* Every array of percentages goes with an array of things and sums to 100. */

typedef struct cm_sim_zone {
    const char *name;
    int16_t offset_minutes; /* as browsers tell it: UTC minus local time */
} cm_sim_zone;

extern const cm_sim_zone cm_sim_zones[];
extern const uint8_t cm_sim_zone_percents[];

typedef struct cm_sim_screen {
    uint16_t width, height;
    const char *model; /* as some user agents name it; NULL where none does */
} cm_sim_screen;

typedef struct cm_sim_screens {
    const cm_sim_screen *screens;
    const uint8_t *percents;
} cm_sim_screens;

const cm_sim_screens *cm_sim_screens_of(cm_sim_kind kind, cm_sim_os os);

/* By OS. An OS whose release says no version moves with its browser's. */
extern const char *const cm_sim_os_names[];
extern const char *const cm_sim_releases[6][4];
extern const uint8_t cm_sim_release_percents[6][4];

typedef struct cm_sim_cycle {
    const char *name;
    uint16_t version; /* on 2026-01-06 */
    uint16_t hours;   /* from version to version */
} cm_sim_cycle;

extern const cm_sim_cycle cm_sim_cycles[]; /* by browser */

/**
 * The user agent of a browser on an OS, with marks: # the browser's version, ^ the OS's release, ~
 * the model.
 */
const char *cm_sim_agent_template(cm_sim_kind kind, cm_sim_os os, cm_sim_browser browser);

/* The user agents of bots: # is a digit. */
extern const char *const cm_sim_bot_agents[];
extern const uint8_t cm_sim_bot_agent_percents[];

#endif

/* The ids of things, as text of a few dozen bytes at most. */
#ifndef CM_SIM_IDS_H
#define CM_SIM_IDS_H

#include "sim/text.h"
#include "sim/visit.h"

#define CM_SIM_ID_MAX 96 /* bytes, any of them */

/** "shop-1" is the largest tenant. */
char *cm_sim_put_tenant(char *at, uint32_t tenant);

/** 18 bytes, unique in the world. */
char *cm_sim_put_click_id(char *at, const cm_sim_world *world, uint64_t click);
char *cm_sim_put_conversion_id(char *at, const cm_sim_world *world, uint64_t conversion);

/** A click's own fbclid and gclid, as in its URL. */
char *cm_sim_put_fbclid(char *at, const cm_sim_world *world, uint64_t click);
char *cm_sim_put_gclid(char *at, const cm_sim_world *world, uint64_t click);

/** fb.1.<milliseconds of the click>.<fbclid>, as a cookie keeps it. */
char *cm_sim_put_fb_cookie(char *at, const cm_sim_world *world, uint64_t click);

/** "d123" a person's device, "b4" a bot. */
char *cm_sim_put_device(char *at, uint64_t device);

#endif

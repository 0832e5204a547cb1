#include "sim/ids.h"

char *cm_sim_put_tenant(char *at, uint32_t tenant)
{
    at = cm_sim_put_string(at, "shop-");
    return cm_sim_put_number(at, (uint64_t)tenant + 1);
}

/* Mixing is a bijection, so ids of different rows differ. */
static char *put_unique(char *at, const cm_sim_world *world, cm_sim_purpose purpose, uint64_t row)
{
    return cm_sim_put_hex(at, cm_sim_mix(row ^ cm_sim_hash(world->seed, purpose, 0, 0)));
}

char *cm_sim_put_click_id(char *at, const cm_sim_world *world, uint64_t click)
{
    return put_unique(cm_sim_put(at, "k-", 2), world, CM_SIM_FOR_CLICK_ID, click);
}

char *cm_sim_put_conversion_id(char *at, const cm_sim_world *world, uint64_t conversion)
{
    return put_unique(cm_sim_put(at, "v-", 2), world, CM_SIM_FOR_CONVERSION_ID, conversion);
}

static char *put_token(char *at, const cm_sim_world *world, uint64_t click, cm_sim_channel channel)
{
    cm_sim_rng rng = cm_sim_rng_at(world->seed, CM_SIM_FOR_CLICK_ID, click, 1 + channel);
    at = cm_sim_put_base64(at, cm_sim_next(&rng), 10);
    return cm_sim_put_base64(at, cm_sim_next(&rng), 8);
}

char *cm_sim_put_fbclid(char *at, const cm_sim_world *world, uint64_t click)
{
    return put_token(cm_sim_put_string(at, "IwY2xjaw"), world, click, CM_SIM_FACEBOOK);
}

char *cm_sim_put_gclid(char *at, const cm_sim_world *world, uint64_t click)
{
    return put_token(cm_sim_put_string(at, "Cj0KCQ"), world, click, CM_SIM_GOOGLE);
}

char *cm_sim_put_fb_cookie(char *at, const cm_sim_world *world, uint64_t click)
{
    int64_t time_us = cm_sim_calendar_time(&world->clicks, click);
    at = cm_sim_put_string(at, "fb.1.");
    at = cm_sim_put_number(at, (uint64_t)(time_us / 1000));
    *at++ = '.';
    return cm_sim_put_fbclid(at, world, click);
}

char *cm_sim_put_device(char *at, uint64_t device)
{
    *at++ = cm_sim_is_bot(device) ? 'b' : 'd';
    return cm_sim_put_number(at, device & ~CM_SIM_BOT);
}

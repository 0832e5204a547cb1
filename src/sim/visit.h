/* A visit: one click with what it is about, and a device's newest one. */
#ifndef CM_SIM_VISIT_H
#define CM_SIM_VISIT_H

#include "sim/world.h"

typedef enum cm_sim_channel {
    CM_SIM_FACEBOOK = 0, /* carries fbclid */
    CM_SIM_GOOGLE,       /* carries gclid */
    CM_SIM_OTHER,
} cm_sim_channel;

typedef struct cm_sim_visit {
    uint64_t click;  /* its number */
    uint64_t origin; /* the click it repeats, else its own number */
    uint64_t device;
    uint32_t tenant;
    cm_sim_channel channel;
    bool in_app; /* opened in the app's own browser; only phones */
    bool valid;
} cm_sim_visit;

/** A click; click < click_count. */
cm_sim_visit cm_sim_visit_at(const cm_sim_world *world, uint64_t click);

static inline bool cm_sim_is_bot(uint64_t device)
{
    return (device & CM_SIM_BOT) != 0;
}

/**
 * The newest valid click of a person's device in a tenant, in the seven days up to a time.
 *
 * @param device  not a bot
 * @param visit   receives it
 * @return false where there is none
 */
bool cm_sim_visit_newest(const cm_sim_world *world, uint64_t device, uint32_t tenant,
                         int64_t time_us, cm_sim_visit *visit);

#endif

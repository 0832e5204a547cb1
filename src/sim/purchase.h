/* A purchase: who converts when, after which click, and what is left of that click's ids. */
#ifndef CM_SIM_PURCHASE_H
#define CM_SIM_PURCHASE_H

#include "sim/visit.h"

typedef struct cm_sim_purchase {
    int64_t time_us;
    uint64_t device; /* may be a bot */
    uint32_t tenant;
    bool organic;        /* no valid click of the device in the tenant in the last seven days */
    cm_sim_visit newest; /* that click, where not organic */
    bool has_source;     /* a click whose ids the conversion may still carry */
    cm_sim_visit source; /* mostly the newest; or an older one, or another person's */
    bool in_app;         /* converts in the app's browser */
} cm_sim_purchase;

/** A conversion by its number, < conversion_count of the world. */
cm_sim_purchase cm_sim_purchase_at(const cm_sim_world *world, uint64_t conversion);

#endif

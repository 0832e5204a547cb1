/* The scoring model: docs/matching.md, section 5. Parsed from JSON, then immutable. */
#ifndef CM_MODEL_MODEL_H
#define CM_MODEL_MODEL_H

#include "clickmatch.h"

#define CM_MAX_CANDIDATES_LIMIT 1024
#define CM_WINDOW_HOURS_LIMIT 720.0
#define CM_HOUR_US 3600000000LL

/** A knot of the calibration: probabilities before and after. */
typedef struct cm_knot {
    double x, y;
} cm_knot;

/** What layer 2 and layer 3 each have of their own. */
typedef struct cm_layer_model {
    double prior, rivals, user_agent_m, user_agent_u;
    double band_lo, band_hi;
    size_t knot_count;
    cm_knot *knots; /* owned */
} cm_layer_model;

struct cm_model {
    char *name, *version, *label; /* label is name@version; owned, NUL-terminated */
    double window_hours, probabilistic_window_hours, retention_hours;
    int64_t window_us, probabilistic_window_us,
        retention_us; /* trunc(hours * 3600000000.0 + 0.5) */
    uint32_t max_candidates;
    unsigned ipv4_prefix, ipv6_prefix; /* bits */
    size_t bin_count;
    int64_t *delay_us;                      /* bin_count upper edges, rising */
    double *delay_hours;                    /* the same as written */
    double *delay_m, *fingerprint_m, *ip_m; /* bin_count each */
    double fingerprint_u, ip_u_min;
    cm_layer_model fingerprint, probabilistic;
};

/** A deep copy, freed with cm_model_destroy. NULL when memory is short. */
cm_model *cm_model_copy(const cm_model *model);

#endif

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

/** The further things that may be compared where both sides carry them, in the order in which their
 * factors are multiplied. */
typedef enum cm_trait {
    CM_TRAIT_OS,
    CM_TRAIT_BROWSER,
    CM_TRAIT_SCREEN,
    CM_TRAIT_TIMEZONE,
    CM_TRAIT_COUNT
} cm_trait;

/** The name of a trait in a model file. */
extern const char *const cm_trait_names[CM_TRAIT_COUNT];

/** How likely a comparison turns out equal: for the same device, and for a stranger. */
typedef struct cm_chances {
    double m, u; /* m 0: it is not compared */
} cm_chances;

/** What layer 2 and layer 3 each have of their own. */
typedef struct cm_layer_model {
    double prior, rivals, user_agent_m, user_agent_u;
    double band_lo, band_hi;
    double repeat; /* 0: a device clicks once */
    cm_chances traits[CM_TRAIT_COUNT];
    double *delay_u; /* bin_count, owned; NULL: strangers' delays are uniform */
    size_t knot_count;
    cm_knot *knots; /* owned */
} cm_layer_model;

/** The chances of a model, of a device class or of a tenant: what a section may change. */
typedef struct cm_parameters {
    double *delay_m, *fingerprint_m, *ip_m; /* bin_count each; owned */
    double fingerprint_u, ip_u_min;
    double ip_other_m, ip_other_u; /* 0: families of addresses are not told apart */
    cm_layer_model fingerprint, probabilistic;
} cm_parameters;

/** Which parameters hold for a device type; "" where a conversion has none. */
typedef struct cm_device_section {
    char *device_type;   /* folded; owned, NUL-terminated */
    uint32_t parameters; /* place in cm_model.parameters */
} cm_device_section;

typedef struct cm_device_sections {
    size_t count, capacity;
    cm_device_section *items; /* by device type, rising; owned */
} cm_device_sections;

/** Which hold for a tenant: its own devices' and all devices' sections are in `devices`. */
typedef struct cm_tenant_section {
    char *tenant_id; /* owned, NUL-terminated */
    uint32_t parameters;
    cm_device_sections devices;
} cm_tenant_section;

struct cm_model {
    char *name, *version, *label; /* label is name@version; owned, NUL-terminated */
    double window_hours, probabilistic_window_hours, retention_hours;
    int64_t window_us, probabilistic_window_us,
        retention_us; /* trunc(hours * 3600000000.0 + 0.5) */
    uint32_t max_candidates;
    unsigned ipv4_prefix, ipv6_prefix; /* bits; 128 of either: buckets are hashes (pii.h) */
    size_t bin_count;
    int64_t *delay_us;         /* bin_count upper edges, rising */
    double *delay_hours;       /* the same as written */
    size_t parameter_count;    /* 1 and more */
    cm_parameters *parameters; /* the first are the model's own, the others those of sections */
    cm_device_sections devices;
    size_t tenant_count;
    cm_tenant_section *tenants; /* by id, rising; owned */
    bool has_traits;            /* some layer compares traits: clicks must keep them */
};

/**
 * The parameters for a conversion: the model's, changed by its device type's section, by its
 * tenant's, and by that one's section of the device type.
 *
 * @param device_type  folded; empty where there is none
 * @return their place in model->parameters
 */
uint32_t cm_model_parameters_of(const cm_model *model, cm_slice tenant, cm_slice device_type);

/** A deep copy, freed with cm_model_destroy. NULL when memory is short. */
cm_model *cm_model_copy(const cm_model *model);

#endif

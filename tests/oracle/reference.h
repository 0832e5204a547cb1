/**
 * The rules of docs/matching.md by brute force: what the engine's results are compared with, bit
 * for bit.
 *
 * Shares no code with the engine and is written to be read beside the rules: every list is filtered
 * and sorted anew for each conversion. Aborts where memory runs out. Not for input that the rules
 * reject: the caller gives valid records.
 */
#ifndef REFERENCE_H
#define REFERENCE_H

#include <clickmatch.h>

#include "reference_paths.h"

#define REFERENCE_BINS_MAX 16
#define REFERENCE_KNOTS_MAX 8
#define REFERENCE_SECTIONS_MAX 20

/** What a layer may compare beside its key, in the order in which it multiplies. */
typedef enum reference_trait {
    REFERENCE_OS,
    REFERENCE_BROWSER,
    REFERENCE_SCREEN,
    REFERENCE_TIMEZONE,
} reference_trait;
#define REFERENCE_TRAIT_COUNT 4

typedef struct reference_knots {
    size_t count;
    double at[REFERENCE_KNOTS_MAX][2]; /* x, y */
} reference_knots;

/** The numbers of one of the two weighing layers. */
typedef struct reference_layer {
    double prior, rivals, user_agent_m, user_agent_u;
    double band[2]; /* lo, hi */
    reference_knots calibration;
    double repeat;
    double delay_u[REFERENCE_BINS_MAX];      /* zeros where the layer has none */
    double traits[REFERENCE_TRAIT_COUNT][2]; /* m, u; zeros where the layer has none */
} reference_layer;

/** What a section may change. */
typedef struct reference_parameters {
    double delay_m[REFERENCE_BINS_MAX], fingerprint_m[REFERENCE_BINS_MAX], ip_m[REFERENCE_BINS_MAX];
    double fingerprint_u, ip_u_min;
    double ip_other_m, ip_other_u; /* zeros where there are none */
    reference_layer fingerprint, probabilistic;
} reference_parameters;

/** One field of reference_parameters or of reference_layer: its name in a file, and its place. */
typedef struct reference_field {
    const char *name;
    size_t at, size; /* bytes */
} reference_field;

typedef enum reference_own_field {
    REFERENCE_DELAY_M,
    REFERENCE_FINGERPRINT_M,
    REFERENCE_IP_M,
    REFERENCE_FINGERPRINT_U,
    REFERENCE_IP_U_MIN,
    REFERENCE_IP_OTHER_M,
    REFERENCE_IP_OTHER_U,
} reference_own_field;
#define REFERENCE_OWN_FIELDS 7

typedef enum reference_layer_field {
    REFERENCE_PRIOR,
    REFERENCE_RIVALS,
    REFERENCE_USER_AGENT_M,
    REFERENCE_USER_AGENT_U,
    REFERENCE_BAND,
    REFERENCE_CALIBRATION,
    REFERENCE_REPEAT,
    REFERENCE_DELAY_U,
    REFERENCE_TRAITS, /* the first of them */
} reference_layer_field;
#define REFERENCE_LAYER_FIELDS (REFERENCE_TRAITS + REFERENCE_TRAIT_COUNT)

extern const reference_field reference_own_fields[REFERENCE_OWN_FIELDS];
extern const reference_field reference_layer_fields[REFERENCE_LAYER_FIELDS];

/** Some of the parameters: a bit for each own field, then for each of fingerprint's and of
 * probabilistic's. */
typedef uint32_t reference_choice;
#define REFERENCE_CHOICE_OWN(field) (UINT32_C(1) << (field))
#define REFERENCE_CHOICE_LAYER(layer, field)                                                       \
    (UINT32_C(1) << (REFERENCE_OWN_FIELDS + (layer)*REFERENCE_LAYER_FIELDS + (field)))

/** What a model says of some conversions only. */
typedef struct reference_section {
    const char *tenant;      /* NULL: of any tenant */
    const char *device_type; /* in small letters, "" where there is none; NULL: of any */
    reference_choice changed;
    reference_parameters to; /* what is changed counts */
} reference_section;

/** A model file as numbers. */
typedef struct reference_model {
    double window_hours, probabilistic_window_hours, retention_hours;
    size_t max_candidates;
    unsigned ipv4_prefix, ipv6_prefix; /* bits */
    size_t bin_count;
    double delay_hours[REFERENCE_BINS_MAX]; /* upper edges */
    reference_parameters own;
    size_t section_count;
    reference_section sections[REFERENCE_SECTIONS_MAX]; /* their strings outlive the model */
} reference_model;

/** The model used where a file says nothing else. */
extern const reference_model reference_model_default;

typedef struct reference reference;

/** Hours of a model in microseconds. */
int64_t reference_hours_us(double hours);

/** Copy some of the parameters. */
void reference_parameters_change(reference_parameters *to, const reference_parameters *from,
                                 reference_choice changed);

/** The parameters of the conversions of a tenant and a device type (in any letters). */
reference_parameters reference_parameters_of(const reference_model *model, cm_slice tenant,
                                             cm_slice device_type);

/** Make an empty matcher. The model is copied; NULL is the default. Free it with reference_destroy.
 */
reference *reference_create(const reference_model *model);

/** Free a matcher. NULL is allowed. */
void reference_destroy(reference *matcher);

/**
 * Add clicks. Records and strings are borrowed until reference_destroy.
 *
 * @return the number of duplicates, which are left out: the first of a click id within a tenant
 * stands
 */
size_t reference_add(reference *matcher, const cm_click *clicks, size_t count);

/** Count the turns of the conversions from now on, one for each click or conversion that takes
 * them. The counts are borrowed; NULL: no more. */
void reference_count(reference *matcher, size_t counts[REFERENCE_PATH_COUNT]);

/** Match one conversion. The slices of the result are those of the clicks. */
void reference_match(const reference *matcher, const cm_conversion *conversion, cm_result *result);

#endif

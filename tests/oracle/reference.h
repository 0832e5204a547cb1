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

#define REFERENCE_BINS_MAX 16
#define REFERENCE_KNOTS_MAX 8

/** The numbers of one of the two weighing layers. */
typedef struct reference_layer {
    double prior, rivals, user_agent_m, user_agent_u;
    double lo, hi; /* band */
    size_t knot_count;
    double knots[REFERENCE_KNOTS_MAX][2]; /* calibration: x, y */
} reference_layer;

/** A model file as numbers. */
typedef struct reference_model {
    double window_hours, probabilistic_window_hours, retention_hours;
    size_t max_candidates;
    unsigned ipv4_prefix, ipv6_prefix; /* bits */
    size_t bin_count;
    double delay_hours[REFERENCE_BINS_MAX]; /* upper edges */
    double delay_m[REFERENCE_BINS_MAX], fingerprint_m[REFERENCE_BINS_MAX], ip_m[REFERENCE_BINS_MAX];
    double fingerprint_u, ip_u_min;
    reference_layer fingerprint, probabilistic;
} reference_model;

/** The model used where a file says nothing else. */
extern const reference_model reference_model_default;

typedef struct reference reference;

/** Hours of a model in microseconds. */
int64_t reference_hours_us(double hours);

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

/** Match one conversion. The slices of the result are those of the clicks. */
void reference_match(const reference *matcher, const cm_conversion *conversion, cm_result *result);

#endif

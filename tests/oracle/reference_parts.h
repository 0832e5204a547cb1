/**
 * What the parts of the reference share: values (reference_values.c), lists of clicks
 * (reference_lists.c), comparisons (reference_ratios.c), newer clicks (reference_newest.c), and the
 * layers (reference.c).
 */
#ifndef REFERENCE_PARTS_H
#define REFERENCE_PARTS_H

#include "reference.h"
#include "util/uthash_map.h"

#define REFERENCE_HOUR_US INT64_C(3600000000)

/** What counts of a device once missing values and spellings are settled. */
typedef struct reference_device {
    bool has_fingerprint;
    uint8_t fingerprint[32];
    cm_address bucket; /* the prefix bits only; version 0 where missing */
    cm_slice user_agent, device_type;
    cm_slice os, browser, screen_width, screen_height, timezone;
} reference_device;

/** A click that was added. */
typedef struct reference_click {
    const cm_click *given;
    int64_t time, expires_at, findable_until;
    bool is_valid;
    reference_device device;
} reference_click;

typedef struct reference_clicks {
    const reference_click **items;
    size_t count, capacity;
} reference_clicks;

/** The clicks of one key, in the order they came. */
typedef struct reference_list {
    UT_hash_handle hh;
    reference_clicks clicks;
    uint8_t key[];
} reference_list;

typedef enum reference_key_kind {
    BY_TENANT,
    BY_CLICK_ID,
    BY_FBCLID,
    BY_GCLID,
    BY_FINGERPRINT,
    BY_BUCKET,
} reference_key_kind;

struct reference {
    reference_model model;
    reference_list *lists;
    reference_clicks clicks; /* owned */
    size_t *counts;          /* by reference_path; NULL: nobody asks */
};

/** A conversion as the layers see it. */
typedef struct reference_view {
    const reference *matcher;
    const reference_model *model;
    reference_parameters parameters; /* the model's for this conversion */
    cm_slice tenant_id;
    int64_t time;
    reference_device device;
} reference_view;

/** realloc that aborts. */
void *reference_claim(void *memory, size_t bytes);

/** The clicks a layer weighs, newest first, and what it found out about each. */
typedef struct reference_weighing {
    reference_clicks clicks;
    double *weights;
    double total;
} reference_weighing;

/** Count a turn if it is taken. */
void reference_note(const reference_view *seen, reference_path path, bool is_taken);

/* Values, sections 1 and 2. Device types are words: their case does not matter. */
bool reference_same_bytes(cm_slice a, cm_slice b);
bool reference_same_word(cm_slice a, cm_slice b);
bool reference_same_fingerprint(const reference_device *a, const reference_device *b);
cm_slice reference_fbclid(cm_slice text);
reference_device reference_device_of(const reference_model *model, const cm_device *device);

/* Lists, sections 3 and 5. What returns clicks returns them newest first; the caller frees items.
 */
void reference_array_push(reference_clicks *array, const reference_click *click);
const reference_list *reference_list_of(const reference_view *seen, reference_key_kind kind,
                                        const void *value, size_t size);
int reference_compare_newest(const reference_click *a, const reference_click *b);
void reference_sort_newest(reference_clicks *array);
reference_clicks reference_recent(const reference_view *seen, const reference_list *list,
                                  int64_t window_us);
reference_clicks reference_recent_at_address(const reference_view *seen, int64_t window_us);
size_t reference_tenant_count(const reference_view *seen, int64_t window_us);

/** Whether a click is in the conversion's addresses' list. */
bool reference_shares_address(const reference_view *seen, const reference_device *click);

/** Drop the clicks that have expired at the conversion's time. */
void reference_drop_expired(const reference_view *seen, reference_clicks *array);

/** Keep the newest click of each device; the array is newest first. */
typedef bool (*reference_same_device)(const reference_device *a, const reference_device *b);
void reference_keep_devices(reference_clicks *array, reference_same_device same);
bool reference_same_layer_2_device(const reference_device *a, const reference_device *b);
bool reference_same_layer_3_device(const reference_device *a, const reference_device *b);

/* Comparisons, section 5. i is a delay bin, window_hours that of the formula. */
size_t reference_bin_of(const reference_view *seen, const reference_click *click);
double reference_even_delay_ratio(const reference_view *seen, size_t i, double window_hours);
double reference_delay_ratio(const reference_layer *layer, const reference_view *seen, size_t i,
                             double window_hours);
double reference_user_agent_ratio(const reference_layer *layer, const reference_view *seen,
                                  const reference_device *click);
double reference_fingerprint_ratio(const reference_view *seen, const reference_device *click,
                                   size_t i);

/** LR_ip; `near` is n_ip and `all` is N. */
double reference_address_ratio(const reference_view *seen, const reference_device *click, size_t i,
                               size_t near, size_t all);

/** w times the factors of a layer's traits. */
double reference_with_traits(const reference_layer *layer, const reference_view *seen,
                             const reference_device *click, double w);

/** Repeat clicks: layer 2's weights once a device's newest click is what is asked for. The first
 * goes before the total is made, the second after it; that one may add clicks. */
void reference_weigh_older(const reference_view *seen, double r, size_t left,
                           reference_weighing *weighed);
void reference_weigh_newer(const reference_view *seen, reference_weighing *weighed);

#endif

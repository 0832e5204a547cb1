/*
 * Keys: what a click or a conversion is found by, in normal form and hashed. Making them is pure:
 * threads make keys side by side.
 */
#ifndef CM_INDEX_KEYS_H
#define CM_INDEX_KEYS_H

#include "model/model.h"
#include "store/click_row.h"
#include "store/look.h"
#include "util/arena.h"
#include "util/digest.h"

/** How to make keys: shared by an engine's threads. */
typedef struct cm_key_rules {
    const cm_model *model; /* borrowed */
    uint64_t seed;
} cm_key_rules;

/** What a thread needs to make keys: texts that had to be changed live in its arena. */
typedef struct cm_key_scratch {
    cm_arena arena;
    cm_digest *digest; /* made when first needed */
} cm_key_scratch;

typedef struct cm_device_keys {
    bool has_fingerprint;
    uint8_t fingerprint[32];
    uint64_t fingerprint_hash; /* of tenant and fingerprint */
    unsigned address_kind;     /* CM_ROW_IPV4, CM_ROW_IPV6; 0: no usable address */
    bool is_wide;              /* the bucket has more than 64 bits: address is not known here */
    uint64_t address;          /* the bucket, as in cm_click_row */
    uint8_t wide[16];          /* the bucket, where it is wide */
    uint64_t bucket_hash;      /* of tenant and bucket */
    cm_slice device_type;      /* lower case */
    uint64_t device_type_hash;
    uint64_t user_agent_hash;
    const cm_shown_traits *traits; /* in the scratch's arena; NULL: the model compares none */
} cm_device_keys;

/** fbclid or gclid. */
typedef enum cm_param_kind { CM_PARAM_FBCLID, CM_PARAM_GCLID, CM_PARAM_KIND_COUNT } cm_param_kind;

typedef struct cm_click_keys {
    uint64_t tenant_hash;
    uint64_t click_id_hash;                     /* of tenant and id */
    cm_slice params[CM_PARAM_KIND_COUNT];       /* packed: pack.h */
    uint64_t param_hashes[CM_PARAM_KIND_COUNT]; /* of tenant, kind and packed value */
    cm_slice campaign; /* campaign, ad set, ad and creative as one text: cm_campaign_join */
    uint64_t campaign_hash;
    int64_t expires_at; /* us since 1970, never missing */
    cm_device_keys device;
} cm_click_keys;

typedef struct cm_conversion_keys {
    uint64_t tenant_hash;
    uint64_t click_id_hash;
    cm_slice params[CM_PARAM_KIND_COUNT];
    uint64_t param_hashes[CM_PARAM_KIND_COUNT];
    cm_device_keys device;
} cm_conversion_keys;

/**
 * Make the keys of a click.
 *
 * @param keys  receives them; its slices point into the click and the scratch's arena
 * @return false when memory is short
 */
bool cm_click_keys_make(const cm_key_rules *rules, const cm_click *click, cm_key_scratch *scratch,
                        cm_click_keys *keys);

/** The same for a conversion, in two steps: what layer 1 needs, then (where it comes to that) what
 * the device shows. */
bool cm_conversion_keys_make(const cm_key_rules *rules, const cm_conversion *conversion,
                             cm_key_scratch *scratch, cm_conversion_keys *keys);
bool cm_conversion_keys_make_device(const cm_key_rules *rules, const cm_conversion *conversion,
                                    cm_key_scratch *scratch, cm_conversion_keys *keys);

void cm_key_scratch_destroy(cm_key_scratch *scratch);

/* The hashes by themselves, for removal, when only what is stored is at hand. */
uint64_t cm_text_hash(const cm_key_rules *rules, cm_slice text);
uint64_t cm_click_id_hash(uint64_t tenant_hash, cm_slice click_id);
uint64_t cm_param_hash(uint64_t tenant_hash, cm_param_kind kind, cm_slice value);
uint64_t cm_fingerprint_hash(uint64_t tenant_hash, const uint8_t fingerprint[32]);
uint64_t cm_bucket_hash(uint64_t tenant_hash, unsigned address_kind, uint64_t address);
uint64_t cm_wide_bucket_hash(uint64_t tenant_hash, const uint8_t bucket[16]);

/** The four names of a campaign, out of the text that cm_click_keys_make joined. */
void cm_campaign_split(cm_slice campaign, cm_slice names[4]);

#endif

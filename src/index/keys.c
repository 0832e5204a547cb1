#include "index/keys.h"

#include <endian.h>

#include "index/pack.h"
#include "model/normal.h"
#include "util/hash.h"
#include "util/slice.h"
#include "util/text.h"

#define CAMPAIGN_NAMES 4

uint64_t cm_text_hash(const cm_key_rules *rules, cm_slice text)
{
    return cm_hash_slice(text, rules->seed);
}

uint64_t cm_click_id_hash(uint64_t tenant_hash, cm_slice click_id)
{
    return cm_hash_slice(click_id, tenant_hash);
}

uint64_t cm_param_hash(uint64_t tenant_hash, cm_param_kind kind, cm_slice value)
{
    return cm_hash_slice(value, tenant_hash + 1 + (uint64_t)kind);
}

uint64_t cm_fingerprint_hash(uint64_t tenant_hash, const uint8_t fingerprint[32])
{
    return cm_hash_bytes(fingerprint, 32, tenant_hash);
}

uint64_t cm_bucket_hash(uint64_t tenant_hash, unsigned address_kind, uint64_t address)
{
    return cm_hash_bytes(&address, sizeof address, tenant_hash + address_kind);
}

uint64_t cm_wide_bucket_hash(uint64_t tenant_hash, const uint8_t bucket[16])
{
    return cm_hash_bytes(bucket, 16, tenant_hash);
}

static bool make_fingerprint(const cm_device *device, cm_key_scratch *scratch, cm_device_keys *keys)
{
    keys->has_fingerprint = false;
    if (device->has_fingerprint && !cm_fingerprint_is_missing(device->fingerprint)) {
        memcpy(keys->fingerprint, device->fingerprint, sizeof keys->fingerprint);
        keys->has_fingerprint = true;
        return true;
    }
    if (!cm_device_has_components(device))
        return true;
    if (scratch->digest == NULL && (scratch->digest = cm_digest_create()) == NULL)
        return false;
    if (!cm_components_hash(scratch->digest, device, keys->fingerprint))
        return false;
    keys->has_fingerprint = true;
    return true;
}

/* The number that stands for the bucket, where it has at most 64 bits. */
static uint64_t bucket_word(const cm_address *bucket)
{
    uint64_t word;
    if (bucket->version == 4)
        return (uint64_t)bucket->bytes[0] << 24 | (uint64_t)bucket->bytes[1] << 16 |
               (uint64_t)bucket->bytes[2] << 8 | bucket->bytes[3];
    memcpy(&word, bucket->bytes, sizeof word);
    return be64toh(word);
}

static void make_address(const cm_key_rules *rules, uint64_t tenant_hash, const cm_address *address,
                         cm_device_keys *keys)
{
    keys->address_kind = 0;
    keys->is_wide = false;
    keys->address = 0;
    if (!cm_address_is_evidence(address))
        return;
    cm_address bucket = cm_address_bucket(address, rules->model);
    keys->address_kind = bucket.version == 4 ? CM_ROW_IPV4 : CM_ROW_IPV6;
    keys->is_wide = cm_bucket_is_wide(rules->model, bucket.version);
    if (keys->is_wide) {
        memcpy(keys->wide, bucket.bytes, sizeof keys->wide);
        keys->bucket_hash = cm_wide_bucket_hash(tenant_hash, keys->wide);
        return;
    }
    keys->address = bucket_word(&bucket);
    keys->bucket_hash = cm_bucket_hash(tenant_hash, keys->address_kind, keys->address);
}

static bool make_traits(const cm_key_rules *rules, const cm_device *device, cm_arena *arena,
                        cm_device_keys *keys)
{
    cm_shown_traits *traits = cm_arena_take(arena, sizeof *traits);
    keys->traits = traits;
    if (traits == NULL || !cm_device_traits(device, arena, traits->texts))
        return false;
    for (size_t i = 0; i < CM_TRAIT_COUNT; i++)
        traits->hashes[i] = cm_text_hash(rules, traits->texts[i]);
    return true;
}

static bool make_device(const cm_key_rules *rules, uint64_t tenant_hash, const cm_device *device,
                        cm_key_scratch *scratch, cm_device_keys *keys)
{
    char *room = cm_arena_take(&scratch->arena, device->device_type.size);
    if (room == NULL || !make_fingerprint(device, scratch, keys))
        return false;
    keys->device_type = cm_text_fold(device->device_type, room);
    if (keys->has_fingerprint)
        keys->fingerprint_hash = cm_fingerprint_hash(tenant_hash, keys->fingerprint);
    keys->device_type_hash = cm_text_hash(rules, keys->device_type);
    make_address(rules, tenant_hash, &device->ip_address, keys);
    keys->user_agent_hash = cm_text_hash(rules, device->user_agent);
    keys->traits = NULL;
    return !rules->model->has_traits || make_traits(rules, device, &scratch->arena, keys);
}

static bool make_params(uint64_t tenant_hash, cm_slice fbclid, cm_slice gclid, cm_arena *arena,
                        cm_slice *params, uint64_t *hashes)
{
    const cm_slice values[CM_PARAM_KIND_COUNT] = {cm_fbclid_value(fbclid), gclid};
    for (unsigned kind = 0; kind < CM_PARAM_KIND_COUNT; kind++) {
        params[kind] = (cm_slice){0};
        if (values[kind].size == 0)
            continue;
        char *room = cm_arena_take(arena, CM_PACK_ROOM(values[kind].size));
        if (room == NULL)
            return false;
        params[kind] = cm_slice_of(room, cm_pack(values[kind], room));
        hashes[kind] = cm_param_hash(tenant_hash, (cm_param_kind)kind, params[kind]);
    }
    return true;
}

/* Four sizes, then four texts: one key for what clicks share. */
static bool join_campaign(const cm_click *click, cm_arena *arena, cm_slice *campaign)
{
    const cm_slice names[CAMPAIGN_NAMES] = {click->campaign_id, click->adset_id, click->ad_id,
                                            click->creative_id};
    uint32_t sizes[CAMPAIGN_NAMES];
    size_t size = sizeof sizes;
    for (size_t i = 0; i < CAMPAIGN_NAMES; i++) {
        sizes[i] = (uint32_t)names[i].size;
        size += names[i].size;
    }
    *campaign = (cm_slice){0};
    if (size == sizeof sizes)
        return true;
    char *at = cm_arena_take(arena, size);
    if (at == NULL)
        return false;
    *campaign = cm_slice_of(at, size);
    memcpy(at, sizes, sizeof sizes);
    at += sizeof sizes;
    for (size_t i = 0; i < CAMPAIGN_NAMES; i++) {
        if (sizes[i] > 0)
            memcpy(at, names[i].data, sizes[i]);
        at += sizes[i];
    }
    return true;
}

void cm_campaign_split(cm_slice campaign, cm_slice names[CAMPAIGN_NAMES])
{
    uint32_t sizes[CAMPAIGN_NAMES] = {0};
    if (campaign.size > 0)
        memcpy(sizes, campaign.data, sizeof sizes);
    const char *at = campaign.size > 0 ? campaign.data + sizeof sizes : NULL;
    for (size_t i = 0; i < CAMPAIGN_NAMES; i++) {
        names[i] = cm_slice_of(sizes[i] > 0 ? at : NULL, sizes[i]);
        if (sizes[i] > 0)
            at += sizes[i];
    }
}

bool cm_click_keys_make(const cm_key_rules *rules, const cm_click *click, cm_key_scratch *scratch,
                        cm_click_keys *keys)
{
    keys->tenant_hash = cm_text_hash(rules, click->tenant_id);
    keys->click_id_hash = cm_click_id_hash(keys->tenant_hash, click->click_id);
    if (!make_params(keys->tenant_hash, click->fbclid, click->gclid, &scratch->arena, keys->params,
                     keys->param_hashes) ||
        !join_campaign(click, &scratch->arena, &keys->campaign))
        return false;
    keys->campaign_hash = cm_text_hash(rules, keys->campaign);
    keys->expires_at =
        cm_click_expiry(click->click_timestamp, click->expires_at, rules->model->window_us);
    return make_device(rules, keys->tenant_hash, &click->device, scratch, &keys->device);
}

bool cm_conversion_keys_make(const cm_key_rules *rules, const cm_conversion *conversion,
                             cm_key_scratch *scratch, cm_conversion_keys *keys)
{
    keys->tenant_hash = cm_text_hash(rules, conversion->tenant_id);
    if (conversion->click_id.size > 0)
        keys->click_id_hash = cm_click_id_hash(keys->tenant_hash, conversion->click_id);
    return make_params(keys->tenant_hash, conversion->fbclid, conversion->gclid, &scratch->arena,
                       keys->params, keys->param_hashes);
}

bool cm_conversion_keys_make_device(const cm_key_rules *rules, const cm_conversion *conversion,
                                    cm_key_scratch *scratch, cm_conversion_keys *keys)
{
    return make_device(rules, keys->tenant_hash, &conversion->device, scratch, &keys->device);
}

void cm_key_scratch_destroy(cm_key_scratch *scratch)
{
    cm_digest_destroy(scratch->digest);
    cm_arena_destroy(&scratch->arena);
    scratch->digest = NULL;
}

/*
 * The memory of a click's insert, asked for in four steps, each following what the step before has
 * brought into the cache: slots of the tables, then the groups they name, then the ends of the
 * groups' lists, then the newest clicks there.
 */
#include "index/click_prefetch.h"

static void prefetch_id_slots(const cm_click_index *index, const cm_click_keys *keys)
{
    cm_table_prefetch(&index->click_ids, keys->click_id_hash);
    cm_table_prefetch(&index->campaigns.table, keys->campaign_hash);
    for (unsigned kind = 0; kind < CM_PARAM_KIND_COUNT; kind++)
        if (keys->params[kind].size > 0)
            cm_table_prefetch(&index->params.table, keys->param_hashes[kind]);
}

static void prefetch_device_slots(const cm_click_index *index, const cm_device_keys *keys)
{
    if (keys->has_fingerprint)
        cm_table_prefetch(&index->fingerprints.table, keys->fingerprint_hash);
    if (keys->bucket.version == 0)
        return;
    cm_table_prefetch(&index->addresses.groups_table, keys->address_hash);
    cm_table_prefetch(&index->addresses.buckets_table, keys->bucket_hash);
}

static uint32_t guess_fingerprint(const cm_click_index *index, const cm_device_keys *keys)
{
    return keys->has_fingerprint
               ? cm_table_guess(&index->fingerprints.table, keys->fingerprint_hash)
               : CM_NUMBER_NONE;
}

static uint32_t guess_address(const cm_click_index *index, const cm_device_keys *keys)
{
    return keys->bucket.version != 0
               ? cm_table_guess(&index->addresses.groups_table, keys->address_hash)
               : CM_NUMBER_NONE;
}

static uint32_t guess_bucket(const cm_click_index *index, const cm_device_keys *keys)
{
    return keys->bucket.version != 0
               ? cm_table_guess(&index->addresses.buckets_table, keys->bucket_hash)
               : CM_NUMBER_NONE;
}

static void prefetch_groups(const cm_click_index *index, const cm_device_keys *keys)
{
    uint32_t fingerprint = guess_fingerprint(index, keys);
    if (fingerprint != CM_NUMBER_NONE)
        __builtin_prefetch(cm_fingerprint_group_at(&index->fingerprints, fingerprint), 1);
    uint32_t address = guess_address(index, keys);
    if (address == CM_NUMBER_NONE) /* a new group: it will be linked to those of its bucket */
        address = guess_bucket(index, keys);
    if (address != CM_NUMBER_NONE)
        __builtin_prefetch(cm_address_group_at(&index->addresses, address), 1);
}

static void prefetch_ends(const cm_click_index *index, const cm_device_keys *keys)
{
    uint32_t fingerprint = guess_fingerprint(index, keys);
    if (fingerprint != CM_NUMBER_NONE)
        cm_list_prefetch_end(&index->lists,
                             &cm_fingerprint_group_at(&index->fingerprints, fingerprint)->list);
    uint32_t address = guess_address(index, keys);
    if (address != CM_NUMBER_NONE)
        cm_list_prefetch_end(&index->lists, &cm_address_group_at(&index->addresses, address)->list);
}

static void prefetch_newest(const cm_click_index *index, const cm_device_keys *keys)
{
    uint32_t fingerprint = guess_fingerprint(index, keys);
    if (fingerprint != CM_NUMBER_NONE)
        cm_list_prefetch_newest(&index->lists,
                                &cm_fingerprint_group_at(&index->fingerprints, fingerprint)->list);
    uint32_t address = guess_address(index, keys);
    if (address != CM_NUMBER_NONE)
        cm_list_prefetch_newest(&index->lists,
                                &cm_address_group_at(&index->addresses, address)->list);
}

void cm_click_prefetch_register(const cm_click_index *index, const cm_click_keys *keys, size_t at,
                                size_t count)
{
    const cm_dictionary *campaigns = &index->campaigns;
    if (at + 32 < count)
        prefetch_id_slots(index, &keys[at + 32]);
    if (at + 24 < count) {
        uint32_t campaign = cm_table_guess(&campaigns->table, keys[at + 24].campaign_hash);
        if (campaign != CM_NUMBER_NONE)
            __builtin_prefetch(&campaigns->texts[campaign]);
    }
    if (at + 16 < count) {
        uint32_t campaign = cm_table_guess(&campaigns->table, keys[at + 16].campaign_hash);
        if (campaign != CM_NUMBER_NONE)
            __builtin_prefetch(campaigns->texts[campaign].data);
    }
}

void cm_click_prefetch_list(const cm_click_index *index, const cm_click_keys *keys, size_t at,
                            size_t count)
{
    if (at + 32 < count)
        prefetch_device_slots(index, &keys[at + 32].device);
    if (at + 24 < count)
        prefetch_groups(index, &keys[at + 24].device);
    if (at + 16 < count)
        prefetch_ends(index, &keys[at + 16].device);
    if (at + 8 < count)
        prefetch_newest(index, &keys[at + 8].device);
}

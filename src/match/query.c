#include "match/query.h"

void cm_query_prefetch_ids(const cm_click_index *index, const cm_query *query)
{
    if (query->conversion->click_id.size > 0)
        cm_table_prefetch(&index->click_ids, query->keys.click_id_hash);
    for (unsigned kind = 0; kind < CM_PARAM_KIND_COUNT; kind++)
        if (query->keys.params[kind].size > 0)
            cm_table_prefetch(&index->params.table, query->keys.param_hashes[kind]);
}

void cm_query_find_tenant(const cm_click_index *index, cm_query *query)
{
    query->tenant =
        cm_dictionary_find(&index->tenants, query->conversion->tenant_id, query->keys.tenant_hash);
}

void cm_query_prefetch_device(const cm_click_index *index, const cm_query *query)
{
    const cm_device_keys *keys = &query->keys.device;
    if (keys->has_fingerprint)
        cm_table_prefetch(&index->fingerprints.table, keys->fingerprint_hash);
    if (keys->bucket.version == 0)
        return;
    if (keys->device_type.size > 0)
        cm_table_prefetch(&index->addresses.groups_table, keys->address_hash);
    else
        cm_table_prefetch(&index->addresses.buckets_table, keys->bucket_hash);
}

static void add_group(const cm_click_index *index, cm_query *query, uint32_t device_type,
                      uint64_t hash)
{
    uint32_t group = cm_address_find(&index->addresses, query->tenant, &query->keys.device.bucket,
                                     device_type, hash);
    if (group == CM_NUMBER_NONE)
        return;
    cm_list_set *set = &query->addresses;
    const cm_list *list = &cm_address_group_at(&index->addresses, group)->list;
    query->address_groups[set->count] = group;
    set->lists[set->count++] = list;
    cm_list_prefetch(&index->lists, list);
}

static void find_addresses(const cm_click_index *index, cm_query *query)
{
    const cm_device_keys *keys = &query->keys.device;
    if (keys->bucket.version == 0)
        return;
    if (keys->device_type.size == 0) {
        uint32_t head = cm_address_find_bucket(&index->addresses, query->tenant, &keys->bucket,
                                               keys->bucket_hash);
        query->addresses.bucket_head = head == CM_NUMBER_NONE ? 0 : head;
        return;
    }
    uint32_t device_type =
        cm_dictionary_find(&index->device_types, keys->device_type, keys->device_type_hash);
    if (device_type != CM_NUMBER_NONE)
        add_group(index, query, device_type, keys->address_hash);
    uint64_t missing_hash = cm_text_hash(&index->rules, (cm_slice){0});
    add_group(index, query, CM_NUMBER_MISSING, cm_address_hash(keys->bucket_hash, missing_hash));
}

void cm_query_find_device(const cm_click_index *index, cm_query *query)
{
    query->fingerprint = CM_NUMBER_NONE;
    query->address_groups[0] = CM_NUMBER_NONE;
    query->address_groups[1] = CM_NUMBER_NONE;
    query->addresses = (cm_list_set){0};
    query->user_agent =
        cm_dictionary_find(&index->user_agents, query->conversion->device.user_agent,
                           query->keys.device.user_agent_hash);
    if (query->tenant == CM_NUMBER_NONE)
        return;
    if (query->keys.device.has_fingerprint) {
        query->fingerprint =
            cm_fingerprint_find(&index->fingerprints, query->tenant, &query->keys.device);
        if (query->fingerprint != CM_NUMBER_NONE)
            cm_list_prefetch(
                &index->lists,
                &cm_fingerprint_group_at(&index->fingerprints, query->fingerprint)->list);
    }
    find_addresses(index, query);
}

bool cm_query_shares_address(const cm_click_index *index, const cm_query *query,
                             const cm_click_row *row)
{
    if (row->address & CM_ADDRESS_MISSING)
        return false;
    if (query->addresses.bucket_head == 0)
        return row->address == query->address_groups[0] || row->address == query->address_groups[1];
    return cm_address_group_is_of(cm_address_group_at(&index->addresses, row->address),
                                  query->tenant, &query->keys.device.bucket);
}

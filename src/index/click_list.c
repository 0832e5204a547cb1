#include "index/click_list.h"

#include "index/click_prefetch.h"
#include "util/grow.h"

static bool reserve_tenant(cm_click_index *index, uint32_t tenant)
{
    if (tenant < index->tenant_list_count)
        return true;
    cm_list *lists = cm_grow(index->tenant_lists, &index->tenant_list_capacity, (size_t)tenant + 1,
                             sizeof *lists);
    if (lists == NULL)
        return false;
    index->tenant_lists = lists;
    while (index->tenant_list_count <= tenant)
        lists[index->tenant_list_count++] = (cm_list){0};
    return true;
}

static void find_groups(const cm_click_index *index, cm_listing *listing)
{
    const cm_device_keys *keys = &listing->keys->device;
    if (keys->has_fingerprint)
        listing->fingerprint_group =
            cm_fingerprint_find(&index->fingerprints, listing->tenant, keys);
    if (keys->bucket.version != 0)
        listing->address_group = cm_address_find(&index->addresses, listing->tenant, &keys->bucket,
                                                 listing->device_type, keys->address_hash);
}

static cm_status reserve_lists(cm_click_index *index, const cm_listing *listing, cm_error *error)
{
    const cm_list *fingerprint = NULL;
    const cm_list *address = NULL;
    if (listing->fingerprint_group != CM_NUMBER_NONE)
        fingerprint =
            &cm_fingerprint_group_at(&index->fingerprints, listing->fingerprint_group)->list;
    if (listing->address_group != CM_NUMBER_NONE)
        address = &cm_address_group_at(&index->addresses, listing->address_group)->list;
    cm_status status = cm_list_reserve(&index->lists, &index->tenant_lists[listing->tenant], error);
    if (status == CM_OK)
        status = cm_list_reserve(&index->lists, fingerprint, error);
    if (status == CM_OK)
        status = cm_list_reserve(&index->lists, address, error);
    return status;
}

static cm_status reserve(cm_click_index *index, const cm_listing *listing, cm_error *error)
{
    if (!cm_table_reserve(&index->fingerprints.table, 1) ||
        !cm_groups_reserve(&index->fingerprints.groups, 1) ||
        !cm_address_reserve(&index->addresses) || !reserve_tenant(index, listing->tenant))
        return cm_error_memory(error, "the indexes", cm_groups_memory(&index->addresses.groups));
    return reserve_lists(index, listing, error);
}

cm_status cm_click_list_prepare(cm_click_index *index, const cm_click *click,
                                const cm_click_keys *keys, uint32_t tenant, cm_listing *listing,
                                cm_error *error)
{
    *listing = (cm_listing){
        .keys = keys,
        .tenant = tenant,
        .is_listed = click->is_valid,
        .fingerprint_group = CM_NUMBER_NONE,
        .address_group = CM_NUMBER_NONE,
    };
    if (!listing->is_listed)
        return CM_OK;
    listing->device_type = cm_dictionary_intern(&index->device_types, keys->device.device_type,
                                                keys->device.device_type_hash);
    if (listing->device_type == CM_NUMBER_NONE)
        return cm_error_memory(error, "the device types", keys->device.device_type.size);
    find_groups(index, listing);
    return reserve(index, listing, error);
}

static uint32_t list_fingerprint(cm_click_index *index, cm_listing *listing, uint32_t number)
{
    if (!listing->keys->device.has_fingerprint)
        return CM_NUMBER_MISSING;
    uint32_t group = listing->fingerprint_group;
    if (group == CM_NUMBER_NONE)
        group = cm_fingerprint_take(&index->fingerprints, listing->tenant, &listing->keys->device);
    cm_list_insert(&index->lists, &cm_fingerprint_group_at(&index->fingerprints, group)->list,
                   number);
    return group;
}

static uint32_t list_address(cm_click_index *index, cm_listing *listing, uint32_t number)
{
    if (listing->keys->device.bucket.version == 0)
        return CM_ADDRESS_MISSING | listing->device_type;
    uint32_t group = listing->address_group;
    if (group == CM_NUMBER_NONE)
        group = cm_address_take(&index->addresses, listing->tenant, listing->device_type,
                                &listing->keys->device);
    cm_list_insert(&index->lists, &cm_address_group_at(&index->addresses, group)->list, number);
    return group;
}

void cm_click_list_commit(cm_click_index *index, cm_listing *listing, uint32_t number)
{
    if (!listing->is_listed)
        return;
    cm_click_row *row = cm_click_store_row_to_set(&index->store, number);
    row->fingerprint = list_fingerprint(index, listing, number);
    row->address = list_address(index, listing, number);
    cm_list_insert(&index->lists, &index->tenant_lists[listing->tenant], number);
}

cm_status cm_click_index_list(cm_click_index *index, const cm_click *clicks,
                              const cm_click_keys *keys, size_t count, const uint32_t *numbers,
                              cm_error *error)
{
    for (size_t i = 0; i < count; i++) {
        cm_listing listing;
        cm_click_prefetch_list(index, keys, i, count);
        if (numbers[i] == CM_NUMBER_NONE)
            continue;
        uint32_t tenant = cm_click_store_row(&index->store, numbers[i])->tenant;
        cm_status status =
            cm_click_list_prepare(index, &clicks[i], &keys[i], tenant, &listing, error);
        if (status != CM_OK)
            return status;
        cm_click_list_commit(index, &listing, numbers[i]);
    }
    return CM_OK;
}

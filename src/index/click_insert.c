/* A click into the store and the indexes, or not at all. */
#include "index/click_index.h"
#include "index/click_prefetch.h"
#include "util/grow.h"

/* What an insert has found out before it changes anything. CM_NUMBER_NONE: a group to be made. */
struct insertion {
    const cm_click *click;
    const cm_click_keys *keys;
    cm_click_texts texts;
    cm_click_row row;
    uint32_t device_type;
    bool listed; /* valid: layers 2 and 3 may see it */
    bool has_address;
    uint32_t param_groups[CM_PARAM_KIND_COUNT];
    uint32_t fingerprint_group;
    uint32_t address_group;
};

static cm_status intern(cm_click_index *index, struct insertion *insertion, cm_error *error)
{
    const cm_click_keys *keys = insertion->keys;
    cm_click_row *row = &insertion->row;
    row->user_agent = cm_dictionary_intern(&index->user_agents, insertion->click->device.user_agent,
                                           keys->device.user_agent_hash);
    row->campaign = cm_dictionary_intern(&index->campaigns, keys->campaign, keys->campaign_hash);
    insertion->device_type = cm_dictionary_intern(&index->device_types, keys->device.device_type,
                                                  keys->device.device_type_hash);
    if (row->user_agent == CM_NUMBER_NONE || row->campaign == CM_NUMBER_NONE ||
        insertion->device_type == CM_NUMBER_NONE)
        return cm_error_memory(error, "a dictionary", keys->campaign.size);
    return CM_OK;
}

static void find_groups(const cm_click_index *index, struct insertion *insertion)
{
    const cm_click_keys *keys = insertion->keys;
    uint32_t tenant = insertion->row.tenant;
    for (unsigned kind = 0; kind < CM_PARAM_KIND_COUNT; kind++)
        if (keys->params[kind].size > 0)
            insertion->param_groups[kind] =
                cm_param_find(&index->params, &index->lists, (cm_param_kind)kind, tenant,
                              keys->params[kind], keys->param_hashes[kind]);
    if (!insertion->listed)
        return;
    if (keys->device.has_fingerprint)
        insertion->fingerprint_group =
            cm_fingerprint_find(&index->fingerprints, tenant, &keys->device);
    if (insertion->has_address)
        insertion->address_group =
            cm_address_find(&index->addresses, tenant, &keys->device.bucket, insertion->device_type,
                            keys->device.address_hash);
}

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

static cm_status reserve_lists(cm_click_index *index, const struct insertion *insertion,
                               cm_error *error)
{
    const cm_list *lists[5] = {&index->tenant_lists[insertion->row.tenant]};
    size_t count = 1;
    for (unsigned kind = 0; kind < CM_PARAM_KIND_COUNT; kind++)
        if (insertion->param_groups[kind] != CM_NUMBER_NONE)
            lists[count++] = cm_param_list(&index->params, insertion->param_groups[kind]);
    if (insertion->fingerprint_group != CM_NUMBER_NONE)
        lists[count++] =
            &cm_fingerprint_group_at(&index->fingerprints, insertion->fingerprint_group)->list;
    if (insertion->address_group != CM_NUMBER_NONE)
        lists[count++] = &cm_address_group_at(&index->addresses, insertion->address_group)->list;
    cm_status status = CM_OK;
    for (size_t i = 0; i < count && status == CM_OK; i++)
        status = cm_list_reserve(&index->lists, lists[i], error);
    return status;
}

static cm_status reserve(cm_click_index *index, const struct insertion *insertion, cm_error *error)
{
    cm_status status = cm_click_store_reserve(&index->store, &insertion->texts, error);
    if (status != CM_OK)
        return status;
    if (!cm_table_reserve(&index->click_ids, 1) ||
        !cm_table_reserve(&index->params.table, CM_PARAM_KIND_COUNT) ||
        !cm_groups_reserve(&index->params.groups, CM_PARAM_KIND_COUNT) ||
        !cm_table_reserve(&index->fingerprints.table, 1) ||
        !cm_groups_reserve(&index->fingerprints.groups, 1) ||
        !cm_address_reserve(&index->addresses) || !reserve_tenant(index, insertion->row.tenant))
        return cm_error_memory(error, "the indexes", cm_click_index_memory(index) / 2);
    return reserve_lists(index, insertion, error);
}

static void make_groups(cm_click_index *index, struct insertion *insertion)
{
    const cm_click_keys *keys = insertion->keys;
    uint32_t tenant = insertion->row.tenant;
    for (unsigned kind = 0; kind < CM_PARAM_KIND_COUNT; kind++) {
        if (keys->params[kind].size == 0 || insertion->param_groups[kind] != CM_NUMBER_NONE)
            continue;
        insertion->param_groups[kind] = cm_groups_take(&index->params.groups);
        cm_table_insert(&index->params.table, keys->param_hashes[kind],
                        insertion->param_groups[kind]);
    }
    if (!insertion->listed)
        return;
    if (keys->device.has_fingerprint && insertion->fingerprint_group == CM_NUMBER_NONE)
        insertion->fingerprint_group =
            cm_fingerprint_take(&index->fingerprints, tenant, &keys->device);
    if (insertion->has_address && insertion->address_group == CM_NUMBER_NONE)
        insertion->address_group =
            cm_address_take(&index->addresses, tenant, insertion->device_type, &keys->device);
}

static uint32_t store_click(cm_click_index *index, struct insertion *insertion)
{
    const cm_model *model = index->rules.model;
    cm_click_row *row = &insertion->row;
    bool has_fingerprint = insertion->fingerprint_group != CM_NUMBER_NONE;
    row->click_timestamp = insertion->click->click_timestamp;
    row->fingerprint = has_fingerprint ? insertion->fingerprint_group : CM_NUMBER_MISSING;
    row->address = insertion->address_group != CM_NUMBER_NONE
                       ? insertion->address_group
                       : CM_ADDRESS_MISSING | insertion->device_type;
    int64_t window_us = model->window_us > model->probabilistic_window_us
                            ? model->window_us
                            : model->probabilistic_window_us;
    int64_t end = row->click_timestamp + window_us;
    if (end < insertion->keys->expires_at)
        end = insertion->keys->expires_at;
    return cm_click_store_append(&index->store, row, &insertion->texts, insertion->keys->expires_at,
                                 insertion->click->is_valid, end + model->retention_us);
}

static void list_click(cm_click_index *index, const struct insertion *insertion, uint32_t click)
{
    cm_table_insert(&index->click_ids, insertion->keys->click_id_hash, click);
    for (unsigned kind = 0; kind < CM_PARAM_KIND_COUNT; kind++)
        if (insertion->param_groups[kind] != CM_NUMBER_NONE)
            cm_list_insert(&index->lists,
                           cm_param_list(&index->params, insertion->param_groups[kind]), click);
    if (!insertion->listed)
        return;
    cm_list_insert(&index->lists, &index->tenant_lists[insertion->row.tenant], click);
    if (insertion->fingerprint_group != CM_NUMBER_NONE)
        cm_list_insert(
            &index->lists,
            &cm_fingerprint_group_at(&index->fingerprints, insertion->fingerprint_group)->list,
            click);
    if (insertion->address_group != CM_NUMBER_NONE)
        cm_list_insert(&index->lists,
                       &cm_address_group_at(&index->addresses, insertion->address_group)->list,
                       click);
}

cm_status cm_click_index_insert(cm_click_index *index, const cm_click *click,
                                const cm_click_keys *keys, bool *added, cm_error *error)
{
    struct insertion insertion = {
        .click = click,
        .keys = keys,
        .texts = {click->click_id, keys->params[CM_PARAM_FBCLID], keys->params[CM_PARAM_GCLID],
                  click->reference},
        .listed = click->is_valid,
        .has_address = keys->device.bucket.version != 0,
        .param_groups = {CM_NUMBER_NONE, CM_NUMBER_NONE},
        .fingerprint_group = CM_NUMBER_NONE,
        .address_group = CM_NUMBER_NONE,
    };
    *added = false;
    insertion.row.tenant =
        cm_dictionary_intern(&index->tenants, click->tenant_id, keys->tenant_hash);
    if (insertion.row.tenant == CM_NUMBER_NONE)
        return cm_error_memory(error, "the tenants", click->tenant_id.size);
    if (cm_click_id_find(&index->click_ids, &index->store, insertion.row.tenant, click->click_id,
                         keys->click_id_hash) != CM_NUMBER_NONE)
        return CM_OK;
    cm_status status = intern(index, &insertion, error);
    if (status != CM_OK)
        return status;
    find_groups(index, &insertion);
    status = reserve(index, &insertion, error);
    if (status != CM_OK)
        return status;
    make_groups(index, &insertion);
    list_click(index, &insertion, store_click(index, &insertion));
    *added = true;
    return CM_OK;
}

cm_status cm_click_index_insert_all(cm_click_index *index, const cm_click *clicks,
                                    const cm_click_keys *keys, size_t count, uint64_t *duplicates,
                                    size_t *done, cm_error *error)
{
    for (*done = 0; *done < count; (*done)++) {
        bool added;
        cm_click_prefetch(index, keys, *done, count);
        cm_status status =
            cm_click_index_insert(index, &clicks[*done], &keys[*done], &added, error);
        if (status != CM_OK)
            return status;
        *duplicates += !added;
    }
    return CM_OK;
}

#include "index/click_index.h"

#include "util/check.h"
#include "util/grow.h"

void cm_click_index_init(cm_click_index *index, const cm_model *model, uint64_t seed)
{
    *index = (cm_click_index){.rules = {model, seed}};
    cm_click_store_init(&index->store, model->window_us);
    cm_lists_init(&index->lists, &index->store);
    cm_groups_init(&index->params.groups, sizeof(cm_list));
    cm_groups_init(&index->fingerprints.groups, sizeof(cm_fingerprint_group));
    cm_groups_init(&index->addresses.groups, sizeof(cm_address_group));
}

void cm_click_index_destroy(cm_click_index *index)
{
    cm_click_store_destroy(&index->store);
    cm_lists_destroy(&index->lists);
    cm_dictionary *dictionaries[] = {&index->tenants, &index->device_types, &index->user_agents,
                                     &index->campaigns};
    for (size_t i = 0; i < sizeof dictionaries / sizeof *dictionaries; i++)
        cm_dictionary_destroy(dictionaries[i]);
    cm_table *tables[] = {&index->click_ids, &index->params.table, &index->fingerprints.table,
                          &index->addresses.groups_table, &index->addresses.buckets_table};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        cm_table_destroy(tables[i]);
    cm_groups_destroy(&index->params.groups);
    cm_groups_destroy(&index->fingerprints.groups);
    cm_groups_destroy(&index->addresses.groups);
    free(index->tenant_lists);
}

bool cm_click_index_expect(cm_click_index *index, size_t clicks)
{
    return cm_table_reserve(&index->click_ids, clicks);
}

void cm_click_index_prefetch(const cm_click_index *index, const cm_click_keys *keys)
{
    cm_table_prefetch(&index->click_ids, keys->click_id_hash);
    for (unsigned kind = 0; kind < CM_PARAM_KIND_COUNT; kind++)
        if (keys->params[kind].size > 0)
            cm_table_prefetch(&index->params.table, keys->param_hashes[kind]);
    if (keys->device.has_fingerprint)
        cm_table_prefetch(&index->fingerprints.table, keys->device.fingerprint_hash);
    if (keys->device.bucket.version != 0)
        cm_table_prefetch(&index->addresses.groups_table, keys->device.address_hash);
}

/* ---- insert ---- */

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

/* ---- expire ---- */

static void unlist_params(cm_click_index *index, uint32_t click, uint64_t tenant_hash)
{
    cm_click_texts texts = cm_click_store_texts(&index->store, click);
    const cm_slice values[CM_PARAM_KIND_COUNT] = {texts.fbclid, texts.gclid};
    uint32_t tenant = cm_click_store_row(&index->store, click)->tenant;
    for (unsigned kind = 0; kind < CM_PARAM_KIND_COUNT; kind++) {
        if (values[kind].size == 0)
            continue;
        uint64_t hash = cm_param_hash(tenant_hash, (cm_param_kind)kind, values[kind]);
        uint32_t group = cm_param_find(&index->params, &index->lists, (cm_param_kind)kind, tenant,
                                       values[kind], hash);
        CM_CHECK(group != CM_NUMBER_NONE);
        cm_list *list = cm_param_list(&index->params, group);
        cm_list_remove(&index->lists, list, click);
        if (list->count == 0) {
            cm_table_remove(&index->params.table, hash, group);
            cm_groups_give(&index->params.groups, group);
        }
    }
}

static void unlist_fingerprint(cm_click_index *index, uint32_t click, uint32_t number,
                               uint64_t tenant_hash)
{
    cm_fingerprint_group *group = cm_fingerprint_group_at(&index->fingerprints, number);
    cm_list_remove(&index->lists, &group->list, click);
    if (group->list.count > 0)
        return;
    cm_table_remove(&index->fingerprints.table,
                    cm_fingerprint_hash(tenant_hash, group->fingerprint), number);
    cm_groups_give(&index->fingerprints.groups, number);
}

static void unlist_address(cm_click_index *index, uint32_t click, uint32_t number,
                           uint64_t tenant_hash)
{
    cm_address_group *group = cm_address_group_at(&index->addresses, number);
    cm_list_remove(&index->lists, &group->list, click);
    if (group->list.count > 0)
        return;
    uint64_t bucket_hash = cm_bucket_hash(tenant_hash, &group->bucket);
    cm_slice device_type = cm_dictionary_text(&index->device_types, group->device_type);
    uint64_t hash = cm_address_hash(bucket_hash, cm_text_hash(&index->rules, device_type));
    cm_address_give(&index->addresses, number, hash, bucket_hash);
}

static void unlist_click(cm_click_index *index, uint32_t click)
{
    const cm_click_row *row = cm_click_store_row(&index->store, click);
    uint64_t tenant_hash =
        cm_text_hash(&index->rules, cm_dictionary_text(&index->tenants, row->tenant));
    cm_slice click_id = cm_click_store_id(&index->store, click);
    cm_table_remove(&index->click_ids, cm_click_id_hash(tenant_hash, click_id), click);
    unlist_params(index, click, tenant_hash);
    if (!cm_click_row_is_valid(row))
        return;
    cm_list_remove(&index->lists, &index->tenant_lists[row->tenant], click);
    if (row->fingerprint != CM_NUMBER_MISSING)
        unlist_fingerprint(index, click, row->fingerprint, tenant_hash);
    if ((row->address & CM_ADDRESS_MISSING) == 0)
        unlist_address(index, click, row->address, tenant_hash);
}

size_t cm_click_index_expire(cm_click_index *index, int64_t watermark)
{
    size_t before = index->store.count;
    for (size_t i = 0; i < index->store.segment_count; i++) {
        const cm_segment *segment = index->store.segments[i];
        if (segment == NULL || segment->last_findable > watermark)
            continue;
        for (uint32_t row = 0; row < segment->count; row++)
            unlist_click(index, (uint32_t)(i << CM_SEGMENT_BITS) + row);
        cm_click_store_free_segment(&index->store, i);
    }
    return before - index->store.count;
}

size_t cm_click_index_memory(const cm_click_index *index)
{
    return cm_click_store_memory(&index->store) + cm_lists_memory(&index->lists) +
           cm_dictionary_memory(&index->tenants) + cm_dictionary_memory(&index->device_types) +
           cm_dictionary_memory(&index->user_agents) + cm_dictionary_memory(&index->campaigns) +
           cm_table_memory(&index->click_ids) + cm_table_memory(&index->params.table) +
           cm_table_memory(&index->fingerprints.table) +
           cm_table_memory(&index->addresses.groups_table) +
           cm_table_memory(&index->addresses.buckets_table) +
           cm_groups_memory(&index->params.groups) + cm_groups_memory(&index->fingerprints.groups) +
           cm_groups_memory(&index->addresses.groups) +
           index->tenant_list_capacity * sizeof(cm_list);
}

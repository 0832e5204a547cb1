/* Clicks out of the indexes, and their segments with them. */
#include "index/click_index.h"
#include "util/check.h"

static void unlist_params(cm_click_index *index, uint32_t click, uint64_t tenant_hash)
{
    cm_click_texts texts = cm_click_store_texts(&index->store, click);
    const cm_slice values[CM_PARAM_KIND_COUNT] = {texts.fbclid, texts.gclid};
    uint32_t tenant = cm_click_store_row(&index->store, click)->tenant;
    for (unsigned kind = 0; kind < CM_PARAM_KIND_COUNT; kind++) {
        if (values[kind].size == 0)
            continue;
        uint64_t hash = cm_param_hash(tenant_hash, (cm_param_kind)kind, values[kind]);
        uint32_t group =
            cm_param_find(&index->params, (cm_param_kind)kind, tenant, values[kind], hash);
        CM_CHECK(group != CM_NUMBER_NONE);
        cm_list *list = cm_param_list(&index->params, group);
        cm_list_remove(&index->params.lists, list, click);
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

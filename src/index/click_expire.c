/* Clicks out of the indexes, and their segments with them. */
#include "index/click_index.h"
#include "util/check.h"

static void unlist_params(cm_click_index *index, uint32_t click, uint32_t tenant,
                          uint64_t tenant_hash)
{
    cm_click_texts texts = cm_click_store_texts(&index->catalog.store, click);
    const cm_slice values[CM_PARAM_KIND_COUNT] = {texts.fbclid, texts.gclid};
    for (unsigned kind = 0; kind < CM_PARAM_KIND_COUNT; kind++) {
        if (values[kind].size == 0)
            continue;
        uint64_t hash = cm_param_hash(tenant_hash, (cm_param_kind)kind, values[kind]);
        cm_postings *shard = &index->params[kind][cm_shard_of(hash)];
        uint32_t reference =
            cm_param_find(shard, &index->catalog, (cm_param_kind)kind, tenant, values[kind], hash);
        CM_CHECK(reference != CM_NUMBER_NONE);
        cm_postings_remove(shard, hash, reference, click);
    }
}

static void unlist_fingerprint(cm_click_index *index, const cm_click_row *row, uint32_t click,
                               uint64_t tenant_hash)
{
    cm_fingerprint_shard *shard = &index->fingerprints[row->fingerprint & (CM_SHARDS - 1)];
    uint32_t group = row->fingerprint >> CM_SHARD_BITS;
    uint64_t hash =
        cm_fingerprint_hash(tenant_hash, cm_fingerprint_group_at(shard, group)->fingerprint);
    cm_fingerprint_remove(shard, group, hash, click);
}

static void unlist_address(cm_click_index *index, const cm_click_row *row, uint32_t click,
                           uint32_t tenant, uint64_t tenant_hash)
{
    unsigned kind = cm_click_row_address_kind(row);
    cm_bucket_key key = {tenant, kind, row->address, 0};
    if (kind == CM_ROW_IPV6 && index->rules.model->ipv6_prefix > 64) {
        cm_slice bucket =
            cm_catalog_name(&index->catalog, CM_NAME_WIDE_BUCKET, (uint32_t)row->address);
        key.hash = cm_wide_bucket_hash(tenant_hash, (const uint8_t *)bucket.data);
    } else {
        key.hash = cm_bucket_hash(tenant_hash, kind, row->address);
    }
    cm_address_remove(&index->addresses[cm_shard_of(key.hash)], &index->catalog, &key, row->who,
                      click);
}

static void unlist_click(cm_click_index *index, uint32_t click)
{
    const cm_click_row *row = cm_click_store_row(&index->catalog.store, click);
    if (row->time & CM_ROW_DUPLICATE)
        return;
    uint32_t tenant = cm_catalog_tenant(&index->catalog, click);
    uint64_t tenant_hash =
        cm_text_hash(&index->rules, cm_catalog_name(&index->catalog, CM_NAME_TENANT, tenant));
    uint64_t id_hash =
        cm_click_id_hash(tenant_hash, cm_click_store_id(&index->catalog.store, click));
    cm_table_remove(&index->click_ids[cm_shard_of(id_hash)], id_hash, click);
    unlist_params(index, click, tenant, tenant_hash);
    if (!cm_click_row_is_valid(row))
        return;
    cm_list_remove(&index->tenants.lists, &index->tenants.of[tenant], click);
    if (row->fingerprint != CM_NUMBER_MISSING)
        unlist_fingerprint(index, row, click, tenant_hash);
    if (cm_click_row_address_kind(row) != 0)
        unlist_address(index, row, click, tenant, tenant_hash);
}

size_t cm_click_index_expire(cm_click_index *index, int64_t watermark)
{
    cm_click_store *store = &index->catalog.store;
    size_t before = cm_click_store_count(store);
    for (size_t i = 0; i < store->segment_count; i++) {
        const cm_segment *segment = store->segments[i];
        if (segment == NULL || segment->last_findable > watermark)
            continue;
        for (uint32_t row = 0; row < segment->count; row++)
            unlist_click(index, (uint32_t)(i << CM_SEGMENT_BITS) + row);
        if (segment == index->writer.segment)
            cm_click_store_close(&index->writer);
        cm_click_store_free_segment(store, i);
    }
    return before - cm_click_store_count(store);
}

#include "index/click_index.h"

#include "util/hash.h"

void cm_click_index_init(cm_click_index *index, const cm_model *model, uint64_t seed)
{
    const cm_click_store *store = &index->catalog.store;
    memset(index, 0, sizeof *index);
    index->rules = (cm_key_rules){model, seed};
    index->ahead.is_ahead = true;
    index->names.catalog = &index->catalog;
    index->dying = CM_NUMBER_NONE;
    cm_click_store_init(&index->catalog.store, model->window_us);
    for (size_t shard = 0; shard < CM_SHARDS; shard++) {
        for (size_t kind = 0; kind < CM_PARAM_KIND_COUNT; kind++)
            cm_postings_init(&index->params[kind][shard], store, sizeof(cm_list));
        cm_fingerprint_init(&index->fingerprints[shard], store);
        cm_address_init(&index->addresses[shard], store);
    }
    cm_tenants_init(&index->tenants, store);
}

void cm_click_index_destroy(cm_click_index *index)
{
    for (size_t shard = 0; shard < CM_SHARDS; shard++) {
        cm_table_destroy(&index->click_ids[shard]);
        for (size_t kind = 0; kind < CM_PARAM_KIND_COUNT; kind++)
            cm_postings_destroy(&index->params[kind][shard]);
        cm_fingerprint_destroy(&index->fingerprints[shard]);
        cm_address_destroy(&index->addresses[shard]);
    }
    cm_tenants_destroy(&index->tenants);
    cm_names_destroy(&index->names);
    cm_catalog_destroy(&index->catalog);
}

bool cm_click_index_expect(cm_click_index *index, size_t clicks)
{
    for (size_t shard = 0; clicks >= CM_SHARDS && shard < CM_SHARDS; shard++)
        if (!cm_table_reserve(&index->click_ids[shard], clicks / CM_SHARDS))
            return false;
    return true;
}

static void add_shard_memory(const cm_click_index *index, size_t shard, cm_index_memory *memory)
{
    const cm_fingerprint_shard *fingerprints = &index->fingerprints[shard];
    const cm_address_shard *addresses = &index->addresses[shard];
    memory->click_ids += cm_table_memory(&index->click_ids[shard]);
    for (size_t kind = 0; kind < CM_PARAM_KIND_COUNT; kind++) {
        memory->param_table += cm_table_memory(&index->params[kind][shard].table);
        memory->param_lists += cm_postings_list_memory(&index->params[kind][shard]);
    }
    memory->fingerprint_table += cm_table_memory(&fingerprints->table);
    memory->fingerprint_groups += cm_groups_memory(&fingerprints->groups);
    memory->fingerprint_lists += cm_lists_memory(&fingerprints->lists);
    memory->address_table +=
        cm_table_memory(&addresses->buckets.table) + cm_table_memory(&addresses->types.table);
    memory->address_lists +=
        cm_postings_list_memory(&addresses->buckets) + cm_postings_list_memory(&addresses->types);
}

cm_index_memory cm_click_index_memory(const cm_click_index *index)
{
    cm_index_memory memory = {
        .store = cm_click_store_memory(&index->catalog.store),
        .tenant_lists = cm_tenants_memory(&index->tenants),
        .shards = sizeof *index,
    };
    for (size_t kind = 0; kind < CM_NAME_KIND_COUNT; kind++)
        memory.names[kind] = cm_catalog_memory(&index->catalog, (cm_name_kind)kind);
    for (size_t shard = 0; shard < CM_SHARDS; shard++)
        add_shard_memory(index, shard, &memory);
    return memory;
}

cm_bucket_key cm_click_index_bucket(const cm_click_index *index, uint32_t tenant,
                                    const cm_device_keys *keys)
{
    cm_bucket_key key = {tenant, keys->address_kind, keys->address, keys->bucket_hash};
    if (keys->is_wide) {
        cm_slice bucket = cm_slice_of((const char *)keys->wide, sizeof keys->wide);
        uint32_t number = cm_dictionary_find(&index->catalog.names[CM_NAME_WIDE_BUCKET], bucket,
                                             cm_text_hash(&index->rules, bucket));
        key.address = number == CM_NUMBER_NONE ? UINT64_MAX : number;
    }
    return key;
}

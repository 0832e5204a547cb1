/*
 * A shard takes its entries from one log after another. What an entry will read (itself, the rows
 * of its own click and of the one it will be put behind) is asked for while those before it are put
 * in.
 */
#include "index/click_build.h"

#include "util/grow.h"
#include "util/prefetch.h"

/* Entries ahead: the entry itself, then what it leads to. */
#define AHEAD_ENTRY 24
#define AHEAD_ROWS 12

void cm_shard_builder_destroy(cm_shard_builder *builder)
{
    cm_list_sorter_destroy(&builder->sorter);
    free(builder->unordered);
    free(builder->entries);
}

static const cm_click_row *row_of(const cm_shard_builder *builder, uint32_t number)
{
    return cm_click_store_row(&builder->index->catalog.store, number);
}

static bool is_duplicate(const cm_shard_builder *builder, uint32_t number)
{
    return builder->has_duplicates && (row_of(builder, number)->time & CM_ROW_DUPLICATE) != 0;
}

/* ---- the entries of a shard ---- */

static void prefetch_log(const cm_shard_builder *builder, size_t at, cm_log_kind kind,
                         unsigned shard)
{
    if (at < builder->log_count)
        cm_prefetch(&builder->logs[at]->starts[kind][shard]);
}

static cm_status gather(cm_shard_builder *builder, cm_log_kind kind, unsigned shard,
                        size_t entry_bytes)
{
    builder->entry_count = 0;
    for (size_t i = 0; i < builder->log_count; i++) {
        prefetch_log(builder, i + 8, kind, shard);
        const cm_click_log *log = builder->logs[i];
        uint32_t begin = log->starts[kind][shard], end = log->starts[kind][shard + 1];
        const void **entries =
            cm_grow(builder->entries, &builder->entry_capacity,
                    builder->entry_count + (end - begin), sizeof *builder->entries);
        if (entries == NULL)
            return cm_error_memory(&builder->error, "a shard of an index",
                                   builder->entry_count * sizeof *entries);
        builder->entries = entries;
        for (uint32_t j = begin; j < end; j++)
            entries[builder->entry_count++] = (const char *)log->entries[kind] + j * entry_bytes;
    }
    return CM_OK;
}

/* Shards are alike: the share of entries whose key is new will be that of the shards before, so
 * that a table is made once and does not grow by and by. No more than a guess: it may be too
 * small. */
static size_t expect_keys(const cm_shard_builder *builder, cm_log_kind kind)
{
    size_t entries = builder->seen[kind].entries;
    if (entries == 0)
        return 0;
    return (size_t)((double)builder->entry_count * (double)builder->seen[kind].keys /
                    (double)entries);
}

static void count_keys(cm_shard_builder *builder, cm_log_kind kind, size_t keys)
{
    builder->seen[kind].entries += builder->entry_count;
    builder->seen[kind].keys += keys;
}

static void prefetch_entry(const cm_shard_builder *builder, size_t at)
{
    if (at < builder->entry_count)
        cm_prefetch(builder->entries[at]);
}

/* The entry that is `ahead` places further; NULL at the end. */
static const cm_log_entry *entry_at(const cm_shard_builder *builder, size_t at)
{
    return at < builder->entry_count ? builder->entries[at] : NULL;
}

/* ---- lists that got out of order ---- */

static cm_status remember_unordered(cm_shard_builder *builder, uint32_t list)
{
    uint32_t *unordered = cm_grow(builder->unordered, &builder->unordered_capacity,
                                  builder->unordered_count + 1, sizeof *unordered);
    if (unordered == NULL)
        return cm_error_memory(&builder->error, "lists to sort",
                               builder->unordered_count * sizeof *unordered);
    builder->unordered = unordered;
    unordered[builder->unordered_count++] = list;
    return CM_OK;
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* A list and what it lives in. */
typedef struct place {
    cm_lists *lists;
    const cm_list *list;
} place;

/* Each list once, however often it was remembered. find: what `remember` meant. */
static cm_status sort_unordered(cm_shard_builder *builder, place (*find)(void *of, uint32_t list),
                                void *of)
{
    cm_status status = CM_OK;
    if (builder->unordered_count > 1)
        qsort(builder->unordered, builder->unordered_count, sizeof *builder->unordered,
              compare_numbers);
    for (size_t i = 0; i < builder->unordered_count && status == CM_OK; i++) {
        if (i > 0 && builder->unordered[i] == builder->unordered[i - 1])
            continue;
        place p = find(of, builder->unordered[i]);
        status = cm_list_sort(p.lists, p.list, &builder->sorter, &builder->error);
    }
    builder->unordered_count = 0;
    return status;
}

/* ---- click ids ---- */

static cm_status put_id(cm_shard_builder *builder, cm_table *table, uint64_t hash, uint32_t number)
{
    cm_catalog *catalog = &builder->index->catalog;
    if (!cm_table_reserve_one(table))
        return cm_error_memory(&builder->error, "the click ids", cm_table_memory(table));
    if (cm_table_guess(table, hash) != CM_NUMBER_NONE) {
        uint32_t tenant = cm_catalog_tenant(catalog, number);
        cm_slice id = cm_click_store_id(&catalog->store, number);
        if (cm_click_id_find(table, catalog, tenant, id, hash) != CM_NUMBER_NONE) {
            cm_click_store_drop(&catalog->store, number);
            builder->duplicates++;
            return CM_OK;
        }
    }
    cm_table_insert(table, hash, number);
    return CM_OK;
}

cm_status cm_build_ids(cm_shard_builder *builder, unsigned shard)
{
    cm_table *table = &builder->index->click_ids[shard];
    cm_status status = gather(builder, CM_LOG_ID, shard, sizeof(cm_log_entry));
    /* The table is made once, not by and by. */
    if (status == CM_OK && !cm_table_reserve(table, builder->entry_count))
        status = cm_error_memory(&builder->error, "the click ids", cm_table_memory(table));
    for (size_t i = 0; i < builder->entry_count && status == CM_OK; i++) {
        const cm_log_entry *entry = entry_at(builder, i);
        prefetch_entry(builder, i + AHEAD_ENTRY);
        status = put_id(builder, table, cm_log_hash(shard, entry->tag), entry->number);
    }
    return status;
}

/* ---- fbclid and gclid ---- */

static place place_of_param(void *of, uint32_t reference)
{
    cm_postings *shard = of;
    return (place){&shard->lists, cm_postings_group(shard, reference)};
}

static cm_status put_param(cm_shard_builder *builder, cm_postings *shard, cm_param_kind kind,
                           uint64_t hash, uint32_t click)
{
    const cm_catalog *catalog = &builder->index->catalog;
    uint32_t reference = CM_NUMBER_NONE;
    bool in_order;
    if (is_duplicate(builder, click))
        return CM_OK;
    if (cm_table_guess(&shard->table, hash) != CM_NUMBER_NONE) {
        cm_click_texts texts = cm_click_store_texts(&catalog->store, click);
        reference = cm_param_find(shard, catalog, kind, cm_catalog_tenant(catalog, click),
                                  kind == CM_PARAM_GCLID ? texts.gclid : texts.fbclid, hash);
    }
    cm_status status = cm_postings_reserve(shard, reference, &builder->error);
    if (status != CM_OK)
        return status;
    reference = cm_postings_add(shard, hash, reference, click, true, &in_order);
    return in_order ? CM_OK : remember_unordered(builder, reference);
}

static cm_status build_params(cm_shard_builder *builder, cm_log_kind log, cm_param_kind kind,
                              unsigned at)
{
    cm_postings *shard = &builder->index->params[kind][at];
    cm_status status = gather(builder, log, at, sizeof(cm_log_entry));
    size_t before = shard->table.count;
    if (status == CM_OK && !cm_table_reserve(&shard->table, expect_keys(builder, log)))
        status = cm_error_memory(&builder->error, "an index", cm_table_memory(&shard->table));
    for (size_t i = 0; i < builder->entry_count && status == CM_OK; i++) {
        const cm_log_entry *entry = entry_at(builder, i);
        prefetch_entry(builder, i + AHEAD_ENTRY);
        status = put_param(builder, shard, kind, cm_log_hash(at, entry->tag), entry->number);
    }
    count_keys(builder, log, shard->table.count - before);
    return status == CM_OK ? sort_unordered(builder, place_of_param, shard) : status;
}

cm_status cm_build_fbclids(cm_shard_builder *builder, unsigned shard)
{
    return build_params(builder, CM_LOG_FBCLID, CM_PARAM_FBCLID, shard);
}

cm_status cm_build_gclids(cm_shard_builder *builder, unsigned shard)
{
    return build_params(builder, CM_LOG_GCLID, CM_PARAM_GCLID, shard);
}

/* ---- addresses ---- */

/* Buckets are remembered by their reference, types by theirs without CM_POSTINGS_GROUP. */
static place place_of_address(void *of, uint32_t reference)
{
    cm_address_shard *shard = of;
    cm_postings *postings = cm_postings_is_group(reference) ? &shard->buckets : &shard->types;
    return (place){&postings->lists, cm_postings_group(postings, reference)};
}

static cm_status put_address(cm_shard_builder *builder, cm_address_shard *shard, uint64_t hash,
                             uint32_t click)
{
    const cm_catalog *catalog = &builder->index->catalog;
    const cm_click_row *row = row_of(builder, click);
    if (is_duplicate(builder, click))
        return CM_OK;
    cm_bucket_key key = {cm_catalog_who(catalog, row->who).tenant, cm_click_row_address_kind(row),
                         row->address, hash};
    uint32_t reference = cm_address_find(shard, catalog, &key);
    cm_status status =
        cm_address_reserve(shard, catalog, &key, reference, row->who, &builder->error);
    if (status != CM_OK)
        return status;
    cm_address_added added = cm_address_add(shard, catalog, &key, reference, row->who, click, true);
    if (added.unordered_bucket != CM_NUMBER_NONE)
        status = remember_unordered(builder, added.unordered_bucket);
    if (status == CM_OK && added.unordered_type != CM_NUMBER_NONE)
        status = remember_unordered(builder, added.unordered_type & ~CM_POSTINGS_GROUP);
    return status;
}

static void prefetch_address(const cm_shard_builder *builder, const cm_address_shard *shard,
                             unsigned at, const cm_log_entry *entry)
{
    if (entry == NULL)
        return;
    cm_prefetch(row_of(builder, entry->number));
    uint32_t reference = cm_table_guess(&shard->buckets.table, cm_log_hash(at, entry->tag));
    if (reference != CM_NUMBER_NONE)
        cm_postings_prefetch_newest(&shard->buckets, reference);
}

cm_status cm_build_addresses(cm_shard_builder *builder, unsigned at)
{
    cm_address_shard *shard = &builder->index->addresses[at];
    cm_status status = gather(builder, CM_LOG_ADDRESS, at, sizeof(cm_log_entry));
    cm_table *table = &shard->buckets.table;
    size_t before = table->count;
    if (status == CM_OK && !cm_table_reserve(table, expect_keys(builder, CM_LOG_ADDRESS)))
        status = cm_error_memory(&builder->error, "the addresses", cm_table_memory(table));
    for (size_t i = 0; i < builder->entry_count && status == CM_OK; i++) {
        const cm_log_entry *entry = entry_at(builder, i);
        prefetch_entry(builder, i + AHEAD_ENTRY);
        prefetch_address(builder, shard, at, entry_at(builder, i + AHEAD_ROWS));
        status = put_address(builder, shard, cm_log_hash(at, entry->tag), entry->number);
    }
    count_keys(builder, CM_LOG_ADDRESS, table->count - before);
    return status == CM_OK ? sort_unordered(builder, place_of_address, shard) : status;
}

/* ---- fingerprints ---- */

static cm_list *list_of(const cm_fingerprint_shard *shard, uint32_t group)
{
    return &cm_fingerprint_group_at(shard, group)->list;
}

static place place_of_fingerprint(void *of, uint32_t group)
{
    cm_fingerprint_shard *shard = of;
    return (place){&shard->lists, list_of(shard, group)};
}

/* Where room may be needed, or a group. */
static cm_status append_fingerprint(cm_shard_builder *builder, cm_fingerprint_shard *shard,
                                    const cm_log_fingerprint *entry, uint64_t hash, uint32_t tenant,
                                    uint32_t *group)
{
    cm_status status = cm_fingerprint_reserve(shard, *group, &builder->error);
    if (status != CM_OK)
        return status;
    if (*group == CM_NUMBER_NONE)
        *group = cm_fingerprint_take(shard, tenant, entry->fingerprint, hash);
    if (!cm_list_append(&shard->lists, list_of(shard, *group), entry->entry.number))
        status = remember_unordered(builder, *group);
    return status;
}

static cm_status put_fingerprint(cm_shard_builder *builder, unsigned at,
                                 const cm_log_fingerprint *entry)
{
    cm_fingerprint_shard *shard = &builder->index->fingerprints[at];
    cm_catalog *catalog = &builder->index->catalog;
    uint64_t hash = cm_log_hash(at, entry->entry.tag);
    uint32_t click = entry->entry.number;
    if (is_duplicate(builder, click))
        return CM_OK;
    uint32_t tenant = cm_catalog_tenant(catalog, click);
    uint32_t group = cm_fingerprint_find(shard, tenant, entry->fingerprint, hash);
    cm_status status = CM_OK;
    if (group == CM_NUMBER_NONE ||
        !cm_list_append_plainly(&shard->lists, list_of(shard, group), click))
        status = append_fingerprint(builder, shard, entry, hash, tenant, &group);
    if (status == CM_OK)
        cm_click_store_row_to_set(&catalog->store, click)->fingerprint =
            cm_fingerprint_number(group, at);
    return status;
}

static void prefetch_fingerprint(const cm_shard_builder *builder, const cm_fingerprint_shard *shard,
                                 unsigned at, const cm_log_entry *entry)
{
    if (entry == NULL)
        return;
    cm_prefetch_write(row_of(builder, entry->number));
    uint32_t group = cm_table_guess(&shard->table, cm_log_hash(at, entry->tag));
    if (group != CM_NUMBER_NONE)
        cm_list_prefetch_newest(&shard->lists, list_of(shard, group));
}

cm_status cm_build_fingerprints(cm_shard_builder *builder, unsigned at)
{
    cm_fingerprint_shard *shard = &builder->index->fingerprints[at];
    cm_status status = gather(builder, CM_LOG_FINGERPRINT, at, sizeof(cm_log_fingerprint));
    size_t before = shard->table.count, expected = expect_keys(builder, CM_LOG_FINGERPRINT);
    if (status == CM_OK && (!cm_table_reserve(&shard->table, expected) ||
                            !cm_groups_reserve(&shard->groups, expected)))
        status =
            cm_error_memory(&builder->error, "the fingerprints", cm_groups_memory(&shard->groups));
    for (size_t i = 0; i < builder->entry_count && status == CM_OK; i++) {
        prefetch_entry(builder, i + AHEAD_ENTRY);
        prefetch_fingerprint(builder, shard, at, entry_at(builder, i + AHEAD_ROWS));
        status = put_fingerprint(builder, at, builder->entries[i]);
    }
    count_keys(builder, CM_LOG_FINGERPRINT, shard->table.count - before);
    return status == CM_OK ? sort_unordered(builder, place_of_fingerprint, shard) : status;
}

/* ---- tenants ---- */

static place place_of_tenant(void *of, uint32_t tenant)
{
    cm_tenant_index *index = of;
    return (place){&index->lists, &index->of[tenant]};
}

static cm_status put_tenant(cm_shard_builder *builder, uint32_t click)
{
    cm_tenant_index *tenants = &builder->index->tenants;
    const cm_click_row *row = row_of(builder, click);
    if (!cm_click_row_is_valid(row) || is_duplicate(builder, click))
        return CM_OK;
    uint32_t tenant = cm_catalog_who(&builder->index->catalog, row->who).tenant;
    if (tenant < tenants->count &&
        cm_list_append_plainly(&tenants->lists, &tenants->of[tenant], click))
        return CM_OK;
    cm_status status = cm_tenants_reserve(tenants, tenant, &builder->error);
    if (status != CM_OK || cm_list_append(&tenants->lists, &tenants->of[tenant], click))
        return status;
    return remember_unordered(builder, tenant);
}

/* In input order, which is mostly that of time. */
static cm_status put_tenants(cm_shard_builder *builder, const cm_number_range *range)
{
    cm_status status = CM_OK;
    for (uint32_t i = 0; i < range->count && status == CM_OK; i++)
        status = put_tenant(builder, range->first + i);
    return status;
}

cm_status cm_build_tenants(cm_shard_builder *builder)
{
    cm_status status = CM_OK;
    for (size_t i = 0; i < builder->log_count; i++)
        for (size_t j = 0; j < builder->logs[i]->range_count && status == CM_OK; j++)
            status = put_tenants(builder, &builder->logs[i]->ranges[j]);
    return status == CM_OK ? sort_unordered(builder, place_of_tenant, &builder->index->tenants)
                           : status;
}

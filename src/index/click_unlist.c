#include "index/click_unlist.h"

#include "model/normal.h"
#include "util/check.h"
#include "util/prefetch.h"

/* What a click is found by. */
struct removal {
    const cm_click_row *row;
    uint64_t tenant_hash, id_hash, bucket_hash;
    uint64_t param_hashes[CM_PARAM_KIND_COUNT];
    /* What the tables probably lead to: */
    const cm_bucket *bucket;              /* NULL: none that has a list */
    uint32_t params[CM_PARAM_KIND_COUNT]; /* references */
    uint32_t click, tenant;
    bool has_params[CM_PARAM_KIND_COUNT];
};

static bool has_fingerprint(const struct removal *removal)
{
    return removal->row->fingerprint != CM_NUMBER_MISSING;
}

/* An invalid click is in no list but those of its parameters. */
static bool has_address(const struct removal *removal)
{
    return cm_click_row_is_valid(removal->row) && cm_click_row_address_kind(removal->row) != 0;
}

static cm_postings *param_shard(cm_click_index *index, const struct removal *removal, unsigned kind)
{
    return &index->params[kind][cm_shard_of(removal->param_hashes[kind])];
}

static cm_address_shard *address_shard(cm_click_index *index, const struct removal *removal)
{
    return &index->addresses[cm_shard_of(removal->bucket_hash)];
}

static cm_fingerprint_shard *fingerprint_shard(cm_click_index *index, const struct removal *removal)
{
    return &index->fingerprints[removal->row->fingerprint & (CM_SHARDS - 1)];
}

static uint32_t fingerprint_group(const struct removal *removal)
{
    return removal->row->fingerprint >> CM_SHARD_BITS;
}

/* ---- first step: keys, and their slots ---- */

static void make_param(cm_click_index *index, struct removal *removal, cm_param_kind kind,
                       cm_slice value)
{
    removal->has_params[kind] = value.size > 0;
    if (value.size == 0)
        return;
    removal->param_hashes[kind] = cm_param_hash(removal->tenant_hash, kind, value);
    cm_table_prefetch_run(&param_shard(index, removal, kind)->table, removal->param_hashes[kind]);
}

static void make_bucket(cm_click_index *index, struct removal *removal)
{
    const cm_click_row *row = removal->row;
    unsigned kind = cm_click_row_address_kind(row);
    if (!has_address(removal))
        return;
    if (cm_bucket_is_wide(index->rules.model, cm_row_address_version(kind))) {
        cm_slice bucket =
            cm_catalog_name(&index->catalog, CM_NAME_WIDE_BUCKET, (uint32_t)row->address);
        removal->bucket_hash =
            cm_wide_bucket_hash(removal->tenant_hash, (const uint8_t *)bucket.data);
    } else {
        removal->bucket_hash = cm_bucket_hash(removal->tenant_hash, kind, row->address);
    }
    cm_table_prefetch_run(&address_shard(index, removal)->buckets.table, removal->bucket_hash);
}

static void start(cm_click_index *index, struct removal *removal)
{
    cm_click_texts texts = cm_click_store_texts(&index->catalog.store, removal->click);
    removal->id_hash = cm_click_id_hash(removal->tenant_hash, texts.click_id);
    cm_table_prefetch_run(&index->click_ids[cm_shard_of(removal->id_hash)], removal->id_hash);
    make_param(index, removal, CM_PARAM_FBCLID, texts.fbclid);
    make_param(index, removal, CM_PARAM_GCLID, texts.gclid);
    make_bucket(index, removal);
    if (!has_fingerprint(removal))
        return;
    const cm_fingerprint_group *group =
        cm_fingerprint_group_at(fingerprint_shard(index, removal), fingerprint_group(removal));
    cm_prefetch(group);
    cm_prefetch(&group->fingerprint[31]);
}

/* ---- what slots lead to ---- */

static void prefetch_groups(cm_click_index *index, struct removal *removal)
{
    for (unsigned kind = 0; kind < CM_PARAM_KIND_COUNT; kind++) {
        if (!removal->has_params[kind])
            continue;
        const cm_postings *shard = param_shard(index, removal, kind);
        uint32_t reference = cm_table_guess(&shard->table, removal->param_hashes[kind]);
        if (reference != CM_NUMBER_NONE && cm_postings_is_group(reference))
            cm_prefetch(cm_postings_group(shard, reference));
        removal->params[kind] = reference;
    }
    if (has_address(removal))
        removal->bucket = cm_address_prefetch(address_shard(index, removal), removal->bucket_hash);
    if (!has_fingerprint(removal))
        return;
    const cm_fingerprint_shard *shard = fingerprint_shard(index, removal);
    const cm_fingerprint_group *group = cm_fingerprint_group_at(shard, fingerprint_group(removal));
    cm_list_prefetch_front(&shard->lists, &group->list);
    if (group->list.count == 1) /* it goes with the click */
        cm_table_prefetch_run(&shard->table,
                              cm_fingerprint_hash(removal->tenant_hash, group->fingerprint));
}

static void prefetch_lists(cm_click_index *index, struct removal *removal)
{
    for (unsigned kind = 0; kind < CM_PARAM_KIND_COUNT; kind++)
        if (removal->has_params[kind] && removal->params[kind] != CM_NUMBER_NONE)
            cm_postings_prefetch_front(param_shard(index, removal, kind), removal->params[kind]);
    if (removal->bucket != NULL)
        cm_address_prefetch_lists(address_shard(index, removal), removal->bucket,
                                  removal->bucket_hash, removal->row->who);
}

static void prefetch_types(cm_click_index *index, struct removal *removal)
{
    if (removal->bucket != NULL)
        cm_address_prefetch_type(address_shard(index, removal), removal->bucket,
                                 removal->bucket_hash, removal->row->who);
}

/* ---- last step ---- */

static void unlist_param(cm_click_index *index, const struct removal *removal, unsigned kind)
{
    uint64_t hash = removal->param_hashes[kind];
    cm_postings *shard = param_shard(index, removal, kind);
    uint32_t reference = cm_postings_find_click(shard, hash, removal->click);
    CM_CHECK(reference != CM_NUMBER_NONE);
    cm_postings_remove(shard, hash, reference, removal->click);
}

static void unlist_fingerprint(cm_click_index *index, const struct removal *removal)
{
    cm_fingerprint_shard *shard = fingerprint_shard(index, removal);
    uint32_t number = fingerprint_group(removal);
    cm_fingerprint_group *group = cm_fingerprint_group_at(shard, number);
    cm_list_remove(&shard->lists, &group->list, removal->click);
    if (group->list.count == 0)
        cm_fingerprint_remove(shard, number,
                              cm_fingerprint_hash(removal->tenant_hash, group->fingerprint));
}

static void unlist(cm_click_index *index, struct removal *removal)
{
    cm_table_remove(&index->click_ids[cm_shard_of(removal->id_hash)], removal->id_hash,
                    removal->click);
    for (unsigned kind = 0; kind < CM_PARAM_KIND_COUNT; kind++)
        if (removal->has_params[kind])
            unlist_param(index, removal, kind);
    if (has_fingerprint(removal))
        unlist_fingerprint(index, removal);
    if (has_address(removal))
        cm_address_remove(address_shard(index, removal), &index->catalog, removal->bucket_hash,
                          removal->row->who, removal->click);
}

/* A tenant's list is long: its clicks are removed together. */
static void unlist_of_tenant(cm_click_index *index, struct removal *removals, uint32_t count)
{
    uint32_t tenant = removals[0].tenant, clicks[CM_UNLIST_BATCH], click_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (removals[i].tenant != tenant)
            continue;
        removals[i].tenant = CM_NUMBER_MISSING;
        if (cm_click_row_is_valid(removals[i].row))
            clicks[click_count++] = removals[i].click;
    }
    if (click_count > 0)
        cm_list_remove_some(&index->tenants.lists, &index->tenants.of[tenant], clicks, click_count);
}

/* The clicks that are in the indexes. Neighbours are often of the same who. */
static uint32_t gather(const cm_click_index *index, uint32_t first, uint32_t count,
                       struct removal *removals)
{
    const cm_catalog *catalog = &index->catalog;
    uint32_t removal_count = 0, who = CM_NUMBER_MISSING, tenant = CM_NUMBER_MISSING;
    uint64_t tenant_hash = 0;
    for (uint32_t i = 0; i < count; i++) {
        const cm_click_row *row = cm_click_store_row(&catalog->store, first + i);
        if (row->time & CM_ROW_DUPLICATE)
            continue;
        if (row->who != who) {
            who = row->who;
            tenant = cm_catalog_who(catalog, who).tenant;
            tenant_hash =
                cm_text_hash(&index->rules, cm_catalog_name(catalog, CM_NAME_TENANT, tenant));
        }
        removals[removal_count++] = (struct removal){
            .row = row, .tenant_hash = tenant_hash, .click = first + i, .tenant = tenant};
    }
    return removal_count;
}

void cm_click_index_unlist_soon(const cm_click_index *index, uint32_t first, uint32_t count)
{
    const cm_click_store *store = &index->catalog.store;
    for (uint32_t click = first; click < first + count; click++) {
        cm_prefetch(cm_click_store_row(store, click));
        cm_click_store_prefetch_text(store, click);
    }
}

uint32_t cm_click_index_unlist(cm_click_index *index, uint32_t first, uint32_t count)
{
    static void (*const steps[])(cm_click_index * index, struct removal * removal) = {
        start, prefetch_groups, prefetch_lists, prefetch_types, unlist};
    struct removal removals[CM_UNLIST_BATCH];
    CM_CHECK(count <= CM_UNLIST_BATCH);
    uint32_t removal_count = gather(index, first, count, removals);
    for (size_t step = 0; step < sizeof steps / sizeof *steps; step++)
        for (uint32_t i = 0; i < removal_count; i++)
            steps[step](index, &removals[i]);
    for (uint32_t i = 0; i < removal_count; i++)
        if (removals[i].tenant != CM_NUMBER_MISSING)
            unlist_of_tenant(index, removals + i, removal_count - i);
    return removal_count;
}

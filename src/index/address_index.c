#include "index/address_index.h"

#include "util/check.h"
#include "util/hash.h"

/* Of a hash, what a table keeps and what chooses the shard: clicks that are loaded in bulk have no
 * more. */
#define KEPT_BITS (~(((uint64_t)1 << CM_TABLE_TAG_SHIFT) - 1))

void cm_address_init(cm_address_shard *shard, const cm_click_store *store)
{
    cm_postings_init(&shard->buckets, store, sizeof(cm_bucket));
    cm_postings_init(&shard->types, store, sizeof(cm_list));
}

void cm_address_destroy(cm_address_shard *shard)
{
    cm_postings_destroy(&shard->buckets);
    cm_postings_destroy(&shard->types);
}

/* Types are in the shard of their bucket, wherever this hash alone would put them. */
static uint64_t type_hash(uint64_t hash, uint32_t who)
{
    return cm_hash_pair(hash & KEPT_BITS, who);
}

static bool is_in_bucket(const cm_click_row *row, const cm_bucket_key *key)
{
    return row->address == key->address && cm_click_row_address_kind(row) == key->kind;
}

uint32_t cm_address_find(const cm_address_shard *shard, const cm_catalog *catalog,
                         const cm_bucket_key *key)
{
    cm_probe probe = cm_table_probe(&shard->buckets.table, key->hash);
    for (;;) {
        uint32_t reference = cm_table_next(&shard->buckets.table, &probe);
        if (reference == CM_NUMBER_NONE)
            return reference;
        uint32_t click = cm_postings_newest(&shard->buckets, reference);
        if (is_in_bucket(cm_click_store_row(&catalog->store, click), key) &&
            cm_catalog_tenant(catalog, click) == key->tenant)
            return reference;
    }
}

uint32_t cm_address_find_type(const cm_address_shard *shard, const cm_catalog *catalog,
                              const cm_bucket_key *key, uint32_t who)
{
    cm_probe probe = cm_table_probe(&shard->types.table, type_hash(key->hash, who));
    for (;;) {
        uint32_t reference = cm_table_next(&shard->types.table, &probe);
        if (reference == CM_NUMBER_NONE)
            return reference;
        const cm_click_row *row =
            cm_click_store_row(&catalog->store, cm_postings_newest(&shard->types, reference));
        if (row->who == who && is_in_bucket(row, key))
            return reference;
    }
}

/* Add a click to its type's list; in_order as in cm_postings_add. */
static uint32_t add_type(cm_address_shard *shard, const cm_catalog *catalog,
                         const cm_bucket_key *key, uint32_t who, uint32_t click, bool is_bulk,
                         bool *in_order)
{
    uint32_t reference = cm_address_find_type(shard, catalog, key, who);
    return cm_postings_add(&shard->types, type_hash(key->hash, who), reference, click, is_bulk,
                           in_order);
}

static void remove_type(cm_address_shard *shard, uint64_t hash, uint32_t who, uint32_t click)
{
    hash = type_hash(hash, who);
    uint32_t reference = cm_postings_find_click(&shard->types, hash, click);
    CM_CHECK(reference != CM_NUMBER_NONE);
    cm_postings_remove(&shard->types, hash, reference, click);
}

static cm_status reserve_type(cm_address_shard *shard, const cm_catalog *catalog,
                              const cm_bucket_key *key, uint32_t who, cm_error *error)
{
    return cm_postings_reserve(&shard->types, cm_address_find_type(shard, catalog, key, who),
                               error);
}

/* A list for each type, made of the bucket's; all or none. */
static cm_status split(cm_address_shard *shard, const cm_catalog *catalog, const cm_bucket_key *key,
                       cm_bucket *bucket, cm_error *error)
{
    const cm_lists *lists = &shard->buckets.lists;
    uint32_t clicks[CM_BUCKET_WHOLE_MAX];
    uint32_t whos[CM_BUCKET_WHOLE_MAX];
    cm_cursor cursor = cm_list_walk(lists, &bucket->list, bucket->list.count);
    for (uint32_t i = 0; i < CM_BUCKET_WHOLE_MAX; i++) {
        clicks[i] = cm_cursor_next(lists, &cursor);
        whos[i] = cm_click_store_row(&catalog->store, clicks[i])->who;
    }
    for (uint32_t i = 0; i < CM_BUCKET_WHOLE_MAX; i++) {
        cm_status status = reserve_type(shard, catalog, key, whos[i], error);
        if (status != CM_OK) {
            while (i-- > 0)
                remove_type(shard, key->hash, whos[i], clicks[i]);
            return status;
        }
        add_type(shard, catalog, key, whos[i], clicks[i], false, NULL);
    }
    bucket->is_split = true;
    return CM_OK;
}

static cm_bucket *bucket_to_set(cm_address_shard *shard, uint32_t reference)
{
    return (cm_bucket *)(void *)cm_postings_group(&shard->buckets, reference);
}

cm_status cm_address_reserve(cm_address_shard *shard, const cm_catalog *catalog,
                             const cm_bucket_key *key, uint32_t reference, uint32_t who,
                             cm_error *error)
{
    cm_status status = cm_postings_reserve(&shard->buckets, reference, error);
    if (status != CM_OK || reference == CM_NUMBER_NONE || !cm_postings_is_group(reference))
        return status;
    cm_bucket *bucket = bucket_to_set(shard, reference);
    if (bucket->list.count == CM_BUCKET_WHOLE_MAX && !bucket->is_split)
        status = split(shard, catalog, key, bucket, error);
    if (status != CM_OK || !bucket->is_split)
        return status;
    return reserve_type(shard, catalog, key, who, error);
}

cm_address_added cm_address_add(cm_address_shard *shard, const cm_catalog *catalog,
                                const cm_bucket_key *key, uint32_t reference, uint32_t who,
                                uint32_t click, bool is_bulk)
{
    cm_address_added added = {CM_NUMBER_NONE, CM_NUMBER_NONE};
    bool in_order = true;
    reference = cm_postings_add(&shard->buckets, key->hash, reference, click, is_bulk, &in_order);
    if (!in_order)
        added.unordered_bucket = reference;
    if (!cm_postings_is_group(reference) || !cm_bucket_at(shard, reference)->is_split)
        return added;
    in_order = true;
    uint32_t type = add_type(shard, catalog, key, who, click, is_bulk, &in_order);
    if (!in_order)
        added.unordered_type = type;
    return added;
}

void cm_address_remove(cm_address_shard *shard, const cm_catalog *catalog, uint64_t hash,
                       uint32_t who, uint32_t click)
{
    uint32_t reference = cm_postings_find_click(&shard->buckets, hash, click);
    CM_CHECK(reference != CM_NUMBER_NONE);
    bool is_split = cm_postings_is_group(reference) && cm_bucket_at(shard, reference)->is_split;
    uint32_t left = cm_postings_remove(&shard->buckets, hash, reference, click);
    if (!is_split)
        return;
    remove_type(shard, hash, who, click);
    if (!cm_postings_is_group(left)) /* one click, which is in the table itself from now on */
        remove_type(shard, hash, cm_click_store_row(&catalog->store, left)->who, left);
}

const cm_bucket *cm_address_prefetch(const cm_address_shard *shard, uint64_t hash)
{
    uint32_t reference = cm_table_guess(&shard->buckets.table, hash);
    if (reference == CM_NUMBER_NONE || !cm_postings_is_group(reference))
        return NULL;
    const cm_bucket *bucket = cm_bucket_at(shard, reference);
    cm_prefetch(bucket);
    return bucket;
}

void cm_address_prefetch_lists(const cm_address_shard *shard, const cm_bucket *bucket,
                               uint64_t hash, uint32_t who)
{
    cm_list_prefetch_front(&shard->buckets.lists, &bucket->list);
    if (bucket->is_split)
        cm_table_prefetch_run(&shard->types.table, type_hash(hash, who));
}

void cm_address_prefetch_type(const cm_address_shard *shard, const cm_bucket *bucket, uint64_t hash,
                              uint32_t who)
{
    if (!bucket->is_split)
        return;
    uint32_t reference = cm_table_guess(&shard->types.table, type_hash(hash, who));
    if (reference != CM_NUMBER_NONE)
        cm_postings_prefetch_front(&shard->types, reference);
}

/*
 * Valid clicks by tenant and address bucket. A conversion that names its device type wants those of
 * this type and of none, one that does not wants all; so a bucket is one list of all its clicks,
 * and a large one is split: it has a list for each type beside it.
 *
 *     one click                 in the table itself
 *     up to 32                  a list; looking skips those of other types
 *     more                      a list of all, and in `types` one for each type
 */
#ifndef CM_INDEX_ADDRESS_INDEX_H
#define CM_INDEX_ADDRESS_INDEX_H

#include "index/postings.h"
#include "store/catalog.h"

#define CM_BUCKET_WHOLE_MAX 32u /* clicks of several types that are still looked through */

typedef struct cm_bucket {
    cm_list list;
    uint32_t is_split; /* types has lists: it has, or had, more clicks than CM_BUCKET_WHOLE_MAX */
} cm_bucket;

/** One shard. One writer, or any number of readers. */
typedef struct cm_address_shard {
    cm_postings buckets; /* groups are cm_bucket */
    cm_postings types;   /* by bucket and who, of split buckets */
} cm_address_shard;

/** The address of a click or a conversion: as in cm_click_row. */
typedef struct cm_bucket_key {
    uint32_t tenant;
    unsigned kind;
    uint64_t address;
    uint64_t hash; /* cm_bucket_hash or cm_wide_bucket_hash */
} cm_bucket_key;

void cm_address_init(cm_address_shard *shard, const cm_click_store *store);
void cm_address_destroy(cm_address_shard *shard);

static inline const cm_bucket *cm_bucket_at(const cm_address_shard *shard, uint32_t reference)
{
    return (const cm_bucket *)(const void *)cm_postings_group(&shard->buckets, reference);
}

/** A bucket's reference in shard->buckets; CM_NUMBER_NONE where no valid click is in it. */
uint32_t cm_address_find(const cm_address_shard *shard, const cm_catalog *catalog,
                         const cm_bucket_key *key);

/** The reference in shard->types of a split bucket's list for one type. */
uint32_t cm_address_find_type(const cm_address_shard *shard, const cm_catalog *catalog,
                              const cm_bucket_key *key, uint32_t who);

/**
 * Make sure that another click can be added to a bucket. One that becomes large is split here.
 *
 * @param reference  of the bucket
 */
cm_status cm_address_reserve(cm_address_shard *shard, const cm_catalog *catalog,
                             const cm_bucket_key *key, uint32_t reference, uint32_t who,
                             cm_error *error);

/** What became of adding: which lists, if any, must be sorted. CM_NUMBER_NONE: none. */
typedef struct cm_address_added {
    uint32_t unordered_bucket, unordered_type; /* references */
} cm_address_added;

/** Add a click; room must have been reserved. is_bulk: cm_postings_add. */
cm_address_added cm_address_add(cm_address_shard *shard, const cm_catalog *catalog,
                                const cm_bucket_key *key, uint32_t reference, uint32_t who,
                                uint32_t click, bool is_bulk);

/** Remove a click of this who, which must be there. hash: of its bucket. */
void cm_address_remove(cm_address_shard *shard, const cm_catalog *catalog, uint64_t hash,
                       uint32_t who, uint32_t click);

/** Before that, ask the memory for what it will read: the bucket's slot (cm_table_prefetch_run),
 * then in turns what that leads to. The first returns the bucket that was guessed, for the others;
 * NULL: none that has a list. */
const cm_bucket *cm_address_prefetch(const cm_address_shard *shard, uint64_t hash);
void cm_address_prefetch_lists(const cm_address_shard *shard, const cm_bucket *bucket,
                               uint64_t hash, uint32_t who);
void cm_address_prefetch_type(const cm_address_shard *shard, const cm_bucket *bucket, uint64_t hash,
                              uint32_t who);

#endif

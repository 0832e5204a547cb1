/*
 * A conversion on its way through the layers: its keys, and what the index knows them by. Finding
 * out goes in steps, each of which asks the memory for what the next will read; all conversions of
 * a batch make one step before any makes the next.
 */
#ifndef CM_MATCH_QUERY_H
#define CM_MATCH_QUERY_H

#include "match/recent.h"

typedef struct cm_query {
    const cm_conversion *conversion; /* borrowed */
    cm_conversion_keys keys;
    int64_t t;            /* conversion_timestamp */
    uint32_t tenant;      /* CM_NUMBER_NONE: a tenant without clicks */
    uint32_t user_agent;  /* CM_NUMBER_MISSING; CM_NUMBER_NONE: one that no click has */
    uint32_t fingerprint; /* number; CM_NUMBER_NONE where it has none or no valid click shares it */
    cm_bucket_key bucket; /* meaningful where keys.device.address_kind is not 0 */
    uint32_t parameters;  /* place in the model's: its weights */
    uint32_t whos[2]; /* its device type's and the missing one's; CM_NUMBER_NONE: no click has it */
    struct {          /* what the tables probably lead to */
        const cm_fingerprint_group *group; /* NULL: none */
        uint32_t address;                  /* a reference; CM_NUMBER_NONE */
    } guess;
    cm_seek seeks[2];         /* t and t - window in the list of its fingerprint, if searched */
    cm_view same_fingerprint; /* clicks with its fingerprint */
    cm_view same_address;     /* the addresses' list */
    uint32_t traits[CM_TRAIT_COUNT]; /* as user_agent; where the model compares traits */
} cm_query;

#define CM_WHO_CACHE 16

/** What tenants and device types of the last conversions led to: there are few of them. For one
 * index that does not change; zero-initialised knows nothing. */
typedef struct cm_who_cache {
    struct {
        uint64_t device_type_hash;
        uint32_t tenant;
        uint32_t device_type; /* number; CM_NUMBER_MISSING: none is known here */
        uint32_t parameters;  /* place in the model's: its weights */
        uint32_t whos[2];
    } entries[CM_WHO_CACHE];
} cm_who_cache;

/** Steps before layer 1; the keys must be made. */
void cm_query_start(const cm_click_index *index, cm_query *query);
void cm_query_prefetch_rows(const cm_click_index *index, const cm_query *query);
void cm_query_prefetch_texts(const cm_click_index *index, const cm_query *query);

/** Steps before layers 2 and 3. */
void cm_query_prefetch_device(const cm_click_index *index, cm_query *query);
void cm_query_prefetch_groups(const cm_click_index *index, cm_query *query);
void cm_query_prefetch_lists(const cm_click_index *index, cm_query *query);
void cm_query_prefetch_chunks(const cm_click_index *index, cm_query *query);
void cm_query_seek(const cm_click_index *index, cm_query *query);
void cm_query_seek_places(const cm_click_index *index, cm_query *query);
void cm_query_find_device(const cm_click_index *index, cm_who_cache *cache, cm_query *query);

/** After cm_query_find_device: the ranks of a list of the fingerprint that is searched, and its
 * candidates. */
void cm_query_find_range(const cm_click_index *index, cm_query *query);

/** The addresses that put a click in a conversion's addresses' list. */
typedef struct cm_shared_address {
    uint64_t address;
    unsigned kind;
    bool any_type;    /* of any device type; else: */
    uint32_t whos[2]; /* of one of these two */
} cm_shared_address;

/** Those of a conversion. */
static inline cm_shared_address cm_query_shared_address(const cm_query *query)
{
    return (cm_shared_address){
        .address = query->bucket.address,
        .kind = query->bucket.kind,
        .any_type = query->keys.device.device_type.size == 0,
        .whos = {query->whos[0], query->whos[1]},
    };
}

static inline bool cm_shares_address(const cm_shared_address *shared, const cm_click_row *row)
{
    bool is_type = shared->any_type | (row->who == shared->whos[0]) | (row->who == shared->whos[1]);
    return (row->address == shared->address) & (cm_click_row_address_kind(row) == shared->kind) &
           is_type;
}

#endif

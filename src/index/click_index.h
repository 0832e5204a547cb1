/*
 * The clicks and everything that finds them: the catalog, and the indexes of the three layers.
 * Tenants are part of every key and are compared, not only hashed.
 */
#ifndef CM_INDEX_CLICK_INDEX_H
#define CM_INDEX_CLICK_INDEX_H

#include "index/address_index.h"
#include "index/click_id_index.h"
#include "index/fingerprint_index.h"
#include "index/keys.h"
#include "index/name_sweep.h"
#include "index/param_index.h"
#include "index/tenant_index.h"
#include "store/names.h"

/** One writer, or any number of readers. */
typedef struct cm_click_index {
    cm_key_rules rules;
    cm_catalog catalog;
    cm_click_writer writer; /* of clicks that come one by one */
    cm_click_writer ahead;  /* of those of them that are ahead */
    cm_names names;         /* of both */
    uint32_t dying;         /* the segment that is being dismantled; CM_NUMBER_NONE */
    cm_name_sweep sweep;    /* of names that no click uses any more */
    uint32_t tidied;        /* shards that were looked at, for memory to give back */
    cm_table click_ids[CM_SHARDS];
    /* fbclid and gclid apart: a click may have both, and what a list is of is read from a click. */
    cm_postings params[CM_PARAM_KIND_COUNT][CM_SHARDS]; /* valid and invalid clicks */
    cm_fingerprint_shard fingerprints[CM_SHARDS];       /* valid clicks */
    cm_address_shard addresses[CM_SHARDS];              /* valid clicks with a usable address */
    cm_tenant_index tenants;                            /* valid clicks */
} cm_click_index;

/** An empty index. It must not be moved afterwards. model: borrowed, must outlive it. */
void cm_click_index_init(cm_click_index *index, const cm_model *model, uint64_t seed);

void cm_click_index_destroy(cm_click_index *index);

/** Make room for about as many clicks at once. False when memory is short. */
bool cm_click_index_expect(cm_click_index *index, size_t clicks);

/**
 * Insert clicks, in order.
 *
 * @param clicks      checked records
 * @param keys        theirs, by cm_click_keys_make with this index's rules
 * @param duplicates  raised for each click whose id the tenant has already; it is left out
 * @param done        receives how many were dealt with: all of them, or those before the one that
 *                    failed, of which nothing was inserted
 * @return CM_OK, CM_ERROR_MEMORY or CM_ERROR_CAPACITY
 */
cm_status cm_click_index_insert(cm_click_index *index, const cm_click *clicks,
                                const cm_click_keys *keys, size_t count, uint64_t *duplicates,
                                size_t *done, cm_error *error);

/**
 * The same for clicks that will be held for much longer than others, their time being far ahead: in
 * segments of their own they do not keep others from being forgotten. Nothing else depends on it.
 */
cm_status cm_click_index_insert_ahead(cm_click_index *index, const cm_click *clicks,
                                      const cm_click_keys *keys, size_t count, uint64_t *duplicates,
                                      size_t *done, cm_error *error);

/**
 * Is there anything for cm_click_index_forget to do: a segment whose clicks nobody at or after the
 * horizon can find, one half dismantled, or names to sweep? Cheap: to be asked every few clicks.
 *
 * @param horizon  microseconds since 1970 UTC; never earlier than in a call before
 */
bool cm_click_index_has_dead(const cm_click_index *index, int64_t horizon);

/**
 * Forget clicks that nobody at or after the horizon can find, some at a time: their segments are
 * dismantled one after the other, and each is freed with its last click. How far that has got
 * depends on the calls and the clicks alone. A forgotten click's id is free again. After a number
 * of segments, names that no click uses any more go, too.
 *
 * @param budget  clicks to pass, at most, and names to look at; 256 take about 100 us
 * @return how many were forgotten: duplicates are passed, too
 */
size_t cm_click_index_forget(cm_click_index *index, int64_t horizon, size_t budget);

/**
 * The next click to forget, where a segment is half dismantled: all before it in its segment are in
 * no index any more.
 *
 * @return its number; CM_NUMBER_NONE: no segment is half dismantled
 */
uint32_t cm_click_index_next_dead(const cm_click_index *index);

/** Forget all clicks that nobody at or after a time can find. Returns their number. */
size_t cm_click_index_expire(cm_click_index *index, int64_t watermark);

/** Bytes by structure. */
typedef struct cm_index_memory {
    cm_store_memory store;
    size_t names[CM_NAME_KIND_COUNT];
    size_t click_ids;
    size_t param_table, param_lists;
    size_t fingerprint_table, fingerprint_groups, fingerprint_lists;
    size_t address_table, address_lists;
    size_t tenant_lists;
    size_t shards; /* the index's own struct */
} cm_index_memory;

cm_index_memory cm_click_index_memory(const cm_click_index *index);

/** The address of a device within a tenant. Where the bucket is wide its number is looked up:
 * address UINT64_MAX where no click has it. */
cm_bucket_key cm_click_index_bucket(const cm_click_index *index, uint32_t tenant,
                                    const cm_device_keys *keys);

#endif

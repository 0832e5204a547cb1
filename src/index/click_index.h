/*
 * The clicks and everything that finds them: the store, the dictionaries of what clicks share, and
 * the indexes of the three layers. Tenants are part of every key and are compared, not only hashed.
 */
#ifndef CM_INDEX_CLICK_INDEX_H
#define CM_INDEX_CLICK_INDEX_H

#include "index/address_index.h"
#include "index/click_id_index.h"
#include "index/fingerprint_index.h"
#include "index/keys.h"
#include "index/param_index.h"
#include "store/dictionary.h"

/** One writer, or any number of readers. */
typedef struct cm_click_index {
    cm_key_rules rules;
    cm_click_store store;
    cm_dictionary tenants, device_types, user_agents, campaigns;
    cm_lists lists; /* of layers 2 and 3; the parameters have their own */
    cm_table click_ids;
    cm_param_index params;             /* fbclid and gclid: valid and invalid clicks */
    cm_fingerprint_index fingerprints; /* valid clicks */
    cm_address_index addresses;        /* valid clicks with a usable address */
    cm_list *tenant_lists;             /* valid clicks, by tenant number */
    size_t tenant_list_count, tenant_list_capacity;
} cm_click_index;

/** An empty index. It must not be moved afterwards. model: borrowed, must outlive it. */
void cm_click_index_init(cm_click_index *index, const cm_model *model, uint64_t seed);

void cm_click_index_destroy(cm_click_index *index);

/** Make room for about as many clicks at once. False when memory is short. */
bool cm_click_index_expect(cm_click_index *index, size_t clicks);

/**
 * Insert many clicks: as cm_click_index_insert for each in turn, but the memory that each needs is
 * asked for while those before it are inserted.
 *
 * @param duplicates  raised for each click whose id the tenant has already
 * @param done        receives how many were dealt with: all of them, or those before the one that
 * failed
 */
cm_status cm_click_index_insert_all(cm_click_index *index, const cm_click *clicks,
                                    const cm_click_keys *keys, size_t count, uint64_t *duplicates,
                                    size_t *done, cm_error *error);

/**
 * Insert many clicks, in order.
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

/*
 * The same in two halves, so that two threads can insert at once: while one lists the clicks of a
 * block, another registers those of the next. Registering fills store, click ids and parameters;
 * listing fills the lists of layers 2 and 3. After a failure the index is good only for being
 * destroyed.
 */

/**
 * Register clicks. One thread at a time.
 *
 * @param numbers  receives the clicks' numbers; CM_NUMBER_NONE for a duplicate
 */
cm_status cm_click_index_register(cm_click_index *index, const cm_click *clicks,
                                  const cm_click_keys *keys, size_t count, uint32_t *numbers,
                                  uint64_t *duplicates, cm_error *error);

/** List registered clicks. One thread at a time. */
cm_status cm_click_index_list(cm_click_index *index, const cm_click *clicks,
                              const cm_click_keys *keys, size_t count, const uint32_t *numbers,
                              cm_error *error);

/** Remove and free the segments whose clicks nobody at or after a time can find. Returns the number
 * of clicks. */
size_t cm_click_index_expire(cm_click_index *index, int64_t watermark);

size_t cm_click_index_memory(const cm_click_index *index);

#endif

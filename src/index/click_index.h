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
    cm_lists lists;
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
 * Insert a click.
 *
 * @param click  a checked record
 * @param keys   its keys, by cm_click_keys_make with this index's rules
 * @param added  receives false where the tenant has a click of this id already
 * @return CM_OK, CM_ERROR_MEMORY or CM_ERROR_CAPACITY; then nothing was inserted
 */
cm_status cm_click_index_insert(cm_click_index *index, const cm_click *click,
                                const cm_click_keys *keys, bool *added, cm_error *error);

/** Remove and free the segments whose clicks nobody at or after a time can find. Returns the number
 * of clicks. */
size_t cm_click_index_expire(cm_click_index *index, int64_t watermark);

size_t cm_click_index_memory(const cm_click_index *index);

#endif

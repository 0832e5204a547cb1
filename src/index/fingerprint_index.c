#include "index/fingerprint_index.h"

/* A number has 32 bits, some of which name the shard. */
#define GROUPS_MAX ((size_t)1 << (32 - CM_SHARD_BITS))

void cm_fingerprint_init(cm_fingerprint_shard *shard, const cm_click_store *store)
{
    *shard = (cm_fingerprint_shard){0};
    cm_lists_init(&shard->lists, store);
    cm_groups_init(&shard->groups, sizeof(cm_fingerprint_group));
}

void cm_fingerprint_destroy(cm_fingerprint_shard *shard)
{
    cm_table_destroy(&shard->table);
    cm_lists_destroy(&shard->lists);
    cm_groups_destroy(&shard->groups);
}

cm_status cm_fingerprint_reserve(cm_fingerprint_shard *shard, uint32_t group, cm_error *error)
{
    if (group != CM_NUMBER_NONE)
        return cm_list_reserve(&shard->lists, &cm_fingerprint_group_at(shard, group)->list, error);
    if (shard->groups.count >= GROUPS_MAX && shard->groups.free == 0)
        return cm_error_set(error, CM_ERROR_CAPACITY,
                            "more than 4 billion fingerprints; use a shorter period");
    if (!cm_table_reserve_one(&shard->table) || !cm_groups_reserve(&shard->groups, 1))
        return cm_error_memory(error, "the fingerprints", cm_groups_memory(&shard->groups));
    return CM_OK;
}

uint32_t cm_fingerprint_take(cm_fingerprint_shard *shard, uint32_t tenant,
                             const uint8_t fingerprint[32], uint64_t hash)
{
    uint32_t number = cm_groups_take(&shard->groups);
    cm_fingerprint_group *group = cm_fingerprint_group_at(shard, number);
    group->tenant = tenant;
    memcpy(group->fingerprint, fingerprint, sizeof group->fingerprint);
    cm_table_insert(&shard->table, hash, number);
    return number;
}

void cm_fingerprint_remove(cm_fingerprint_shard *shard, uint32_t group, uint64_t hash)
{
    cm_table_remove(&shard->table, hash, group);
    cm_groups_give(&shard->groups, group);
}

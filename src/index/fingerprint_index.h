/*
 * Valid clicks by tenant and fingerprint. A fingerprint's number, its group's place and its shard
 * in one, stands for it wherever two are compared.
 */
#ifndef CM_INDEX_FINGERPRINT_INDEX_H
#define CM_INDEX_FINGERPRINT_INDEX_H

#include "index/groups.h"
#include "index/shards.h"

typedef struct cm_fingerprint_group {
    cm_list list;
    uint32_t tenant;
    uint8_t fingerprint[32];
} cm_fingerprint_group;

/** One shard. One writer, or any number of readers. */
typedef struct cm_fingerprint_shard {
    cm_table table;
    cm_lists lists;
    cm_groups groups; /* of cm_fingerprint_group */
} cm_fingerprint_shard;

void cm_fingerprint_init(cm_fingerprint_shard *shard, const cm_click_store *store);
void cm_fingerprint_destroy(cm_fingerprint_shard *shard);

static inline uint32_t cm_fingerprint_number(uint32_t group, unsigned shard)
{
    return group << CM_SHARD_BITS | shard;
}

static inline cm_fingerprint_group *cm_fingerprint_group_at(const cm_fingerprint_shard *shard,
                                                            uint32_t group)
{
    return (cm_fingerprint_group *)(void *)(shard->groups.items +
                                            group * sizeof(cm_fingerprint_group));
}

/** The group of a fingerprint; CM_NUMBER_NONE where no valid click has it. */
static inline uint32_t cm_fingerprint_find(const cm_fingerprint_shard *shard, uint32_t tenant,
                                           const uint8_t fingerprint[32], uint64_t hash)
{
    cm_probe probe = cm_table_probe(&shard->table, hash);
    for (;;) {
        uint32_t number = cm_table_next(&shard->table, &probe);
        if (number == CM_NUMBER_NONE)
            return number;
        const cm_fingerprint_group *group = cm_fingerprint_group_at(shard, number);
        if (group->tenant == tenant &&
            memcmp(group->fingerprint, fingerprint, sizeof group->fingerprint) == 0)
            return number;
    }
}

/** Make sure that another click of this group (CM_NUMBER_NONE: of a new one) can be added. */
cm_status cm_fingerprint_reserve(cm_fingerprint_shard *shard, uint32_t group, cm_error *error);

/** A group for a fingerprint that has none; room must have been reserved. */
uint32_t cm_fingerprint_take(cm_fingerprint_shard *shard, uint32_t tenant,
                             const uint8_t fingerprint[32], uint64_t hash);

/** Remove a group whose list is empty. */
void cm_fingerprint_remove(cm_fingerprint_shard *shard, uint32_t group, uint64_t hash);

#endif

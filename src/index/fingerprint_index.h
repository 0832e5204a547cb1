/* Valid clicks by tenant and fingerprint. The group's number stands for the fingerprint wherever
 * two are compared. */
#ifndef CM_INDEX_FINGERPRINT_INDEX_H
#define CM_INDEX_FINGERPRINT_INDEX_H

#include "index/groups.h"
#include "index/keys.h"

typedef struct cm_fingerprint_group {
    cm_list list;
    uint32_t tenant;
    uint8_t fingerprint[32];
} cm_fingerprint_group;

typedef struct cm_fingerprint_index {
    cm_table table;
    cm_groups groups; /* of cm_fingerprint_group */
} cm_fingerprint_index;

static inline cm_fingerprint_group *cm_fingerprint_group_at(const cm_fingerprint_index *index,
                                                            uint32_t group)
{
    return (cm_fingerprint_group *)(void *)(index->groups.items +
                                            group * sizeof(cm_fingerprint_group));
}

/** The group of a fingerprint; CM_NUMBER_NONE where no valid click has it. keys must have a
 * fingerprint. */
static inline uint32_t cm_fingerprint_find(const cm_fingerprint_index *index, uint32_t tenant,
                                           const cm_device_keys *keys)
{
    cm_probe probe = cm_table_probe(&index->table, keys->fingerprint_hash);
    for (;;) {
        uint32_t number = cm_table_next(&index->table, &probe);
        if (number == CM_NUMBER_NONE)
            return number;
        const cm_fingerprint_group *group = cm_fingerprint_group_at(index, number);
        if (group->tenant == tenant &&
            memcmp(group->fingerprint, keys->fingerprint, sizeof group->fingerprint) == 0)
            return number;
    }
}

/** A new group for a fingerprint that has none; room must have been reserved in table and groups.
 */
uint32_t cm_fingerprint_take(cm_fingerprint_index *index, uint32_t tenant,
                             const cm_device_keys *keys);

#endif

#include "index/fingerprint_index.h"

uint32_t cm_fingerprint_take(cm_fingerprint_index *index, uint32_t tenant,
                             const cm_device_keys *keys)
{
    uint32_t number = cm_groups_take(&index->groups);
    cm_fingerprint_group *group = cm_fingerprint_group_at(index, number);
    group->tenant = tenant;
    memcpy(group->fingerprint, keys->fingerprint, sizeof group->fingerprint);
    cm_table_insert(&index->table, keys->fingerprint_hash, number);
    return number;
}

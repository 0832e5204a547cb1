#include "match/candidates.h"

size_t cm_drop_expired(const cm_click_store *store, int64_t t, uint32_t *clicks, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (t < cm_click_store_expires_at(store, clicks[i]))
            clicks[kept++] = clicks[i];
    return kept;
}

cm_device_set cm_device_set_empty(uint64_t *slots, size_t count)
{
    size_t size = 16;
    while (size < 2 * count)
        size *= 2;
    memset(slots, 0xff, size * sizeof *slots);
    return (cm_device_set){slots, size - 1};
}

bool cm_device_set_add(cm_device_set *set, uint64_t key)
{
    size_t at = (size_t)((key * 0x9e3779b97f4a7c15u) >> 32) & set->mask;
    while (set->slots[at] != UINT64_MAX) {
        if (set->slots[at] == key)
            return false;
        at = (at + 1) & set->mask;
    }
    set->slots[at] = key;
    return true;
}

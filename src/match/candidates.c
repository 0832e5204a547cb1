#include "match/candidates.h"

size_t cm_drop_expired(const cm_click_store *store, int64_t t, uint32_t *clicks, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (t < cm_click_store_expires_at(store, clicks[i]))
            clicks[kept++] = clicks[i];
    return kept;
}

static bool is_same(const cm_device_key *a, const cm_device_key *b)
{
    return a->first == b->first && a->second == b->second;
}

/* Few keys: each is compared with those before it. */
static bool is_among(const cm_device_key *keys, size_t count, const cm_device_key *key)
{
    for (size_t i = 0; i < count; i++)
        if (is_same(&keys[i], key))
            return true;
    return false;
}

/* Many: an open-addressing set. */
typedef struct device_set {
    cm_device_key *slots;
    size_t mask;
} device_set;

static device_set empty_set(cm_device_key *slots, size_t count)
{
    size_t size = 16;
    while (size < 2 * count)
        size *= 2;
    memset(slots, 0xff, size * sizeof *slots);
    return (device_set){slots, size - 1};
}

/* Add a key; false where it was there. */
static bool add(device_set *set, const cm_device_key *key)
{
    uint64_t mixed = (key->first ^ (key->second * 0xd6e8feb86659fd93u)) * 0x9e3779b97f4a7c15u;
    size_t at = (size_t)(mixed >> 32) & set->mask;
    const cm_device_key none = {UINT64_MAX, UINT64_MAX};
    while (!is_same(&set->slots[at], &none)) {
        if (is_same(&set->slots[at], key))
            return false;
        at = (at + 1) & set->mask;
    }
    set->slots[at] = *key;
    return true;
}

#define FEW 8

size_t cm_keep_devices(const cm_click_store *store, cm_device_key (*key_of)(const cm_click_row *row),
                       cm_layer_scratch *scratch, uint32_t *clicks, size_t count)
{
    size_t kept = 0;
    device_set set = {0};
    if (count <= 1)
        return count;
    if (count > FEW)
        set = empty_set(scratch->devices, count);
    for (size_t i = 0; i < count; i++) {
        cm_device_key key = key_of(cm_click_store_row(store, clicks[i]));
        if (count > FEW ? !add(&set, &key) : is_among(scratch->devices, kept, &key))
            continue;
        if (count <= FEW)
            scratch->devices[kept] = key;
        clicks[kept++] = clicks[i];
    }
    return kept;
}

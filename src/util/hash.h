/*
 * Keyed hashing. XXH3 with a secret 64-bit key: whoever writes the input does not know the key, so
 * cannot aim at one place of a table. No result depends on the key.
 */
#ifndef CM_UTIL_HASH_H
#define CM_UTIL_HASH_H

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "clickmatch.h"

static inline uint64_t cm_hash_bytes(const void *bytes, size_t size, uint64_t key)
{
    return XXH3_64bits_withSeed(bytes, size, key);
}

static inline uint64_t cm_hash_slice(cm_slice slice, uint64_t key)
{
    return cm_hash_bytes(slice.data, slice.size, key);
}

/** One hash of two: for keys that have several parts. */
static inline uint64_t cm_hash_pair(uint64_t first, uint64_t second)
{
    uint64_t pair[2] = {first, second};
    return XXH3_64bits(pair, sizeof pair);
}

#endif

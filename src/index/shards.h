/*
 * Every index is cut into shards by the top bits of its keys' hashes. Threads build shards side by
 * side; a shard of an index of millions of clicks stays in a core's cache while it is built; and no
 * table ever grows but by its own small share.
 */
#ifndef CM_INDEX_SHARDS_H
#define CM_INDEX_SHARDS_H

#include <stdint.h>

#define CM_SHARD_BITS 8
#define CM_SHARDS (1u << CM_SHARD_BITS)

static inline unsigned cm_shard_of(uint64_t hash)
{
    return (unsigned)(hash >> (64 - CM_SHARD_BITS));
}

#endif

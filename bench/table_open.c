/*
 * Our table, in shards as the indexes have it: slots of a tag and a number; keys lie by number, and
 * are compared there.
 */
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "index/shards.h"
#include "tables.h"
#include "util/hash.h"
#include "util/prefetch.h"
#include "util/table.h"

typedef struct open_table {
    cm_table shards[CM_SHARDS];
    char *keys;
} open_table;

/* A key that waits for its shard's turn. */
typedef struct entry {
    uint64_t hash;
    uint32_t number;
} entry;

static const char *key_of(const char *keys, size_t number)
{
    return keys + number * TABLE_KEY_BYTES;
}

static uint64_t hash_of(const char *key)
{
    return cm_hash_bytes(key, TABLE_KEY_BYTES, TABLE_SEED);
}

static void *allocate(size_t bytes)
{
    void *memory = malloc(bytes);
    if (memory == NULL)
        bench_fail("memory is short");
    return memory;
}

static void insert(cm_table *shard, uint64_t hash, size_t number)
{
    if (!cm_table_reserve_one(shard))
        bench_fail("memory is short");
    cm_table_insert(shard, hash, (uint32_t)number);
}

static void *build(const char *keys, size_t count)
{
    open_table *table = bench_allocate(1, sizeof *table);
    table->keys = allocate(count * TABLE_KEY_BYTES);
    for (size_t i = 0; i < count; i++) {
        uint64_t hash = hash_of(key_of(keys, i));
        insert(&table->shards[cm_shard_of(hash)], hash, i);
        memcpy(table->keys + i * TABLE_KEY_BYTES, key_of(keys, i), TABLE_KEY_BYTES);
    }
    return table;
}

/* Entries in the order of their shards; starts receives where each begins, and the end. */
static entry *sort_by_shard(const char *keys, size_t count, size_t starts[CM_SHARDS + 1])
{
    size_t at[CM_SHARDS];
    uint64_t *hashes = allocate(count * sizeof *hashes);
    entry *entries = allocate(count * sizeof *entries);
    memset(starts, 0, (CM_SHARDS + 1) * sizeof *starts);
    for (size_t i = 0; i < count; i++) {
        hashes[i] = hash_of(key_of(keys, i));
        starts[cm_shard_of(hashes[i]) + 1]++;
    }
    for (size_t shard = 0; shard < CM_SHARDS; shard++) {
        starts[shard + 1] += starts[shard];
        at[shard] = starts[shard];
    }
    for (size_t i = 0; i < count; i++)
        entries[at[cm_shard_of(hashes[i])]++] = (entry){hashes[i], (uint32_t)i};
    free(hashes);
    return entries;
}

/* As a load does it: shard by shard, each made at its size and filled while it is in the cache. */
static void *build_at_once(const char *keys, size_t count)
{
    size_t starts[CM_SHARDS + 1];
    open_table *table = bench_allocate(1, sizeof *table);
    table->keys = allocate(count * TABLE_KEY_BYTES);
    entry *entries = sort_by_shard(keys, count, starts);
    for (size_t shard = 0; shard < CM_SHARDS; shard++) {
        if (!cm_table_reserve(&table->shards[shard], starts[shard + 1] - starts[shard]))
            bench_fail("memory is short");
        for (size_t i = starts[shard]; i < starts[shard + 1]; i++)
            insert(&table->shards[shard], entries[i].hash, entries[i].number);
    }
    memcpy(table->keys, keys, count * TABLE_KEY_BYTES);
    free(entries);
    return table;
}

static uint64_t find_one(const open_table *table, const char *key, uint64_t hash)
{
    const cm_table *shard = &table->shards[cm_shard_of(hash)];
    cm_probe probe = cm_table_probe(shard, hash);
    for (;;) {
        uint32_t number = cm_table_next(shard, &probe);
        if (number == CM_NUMBER_NONE)
            return 0;
        if (memcmp(key_of(table->keys, number), key, TABLE_KEY_BYTES) == 0)
            return (uint64_t)number + 1;
    }
}

static uint64_t find(const void *of, const char *keys, size_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += find_one(of, key_of(keys, i), hash_of(key_of(keys, i)));
    return sum;
}

/* Two rounds ahead of the comparison: first the slot, then the key it leads to. */
static uint64_t find_ahead(const void *of, const char *keys, size_t count)
{
    const open_table *table = of;
    uint64_t hashes[TABLE_BATCH];
    uint64_t sum = 0;
    for (size_t first = 0, size; first < count; first += size) {
        size = count - first < TABLE_BATCH ? count - first : TABLE_BATCH;
        for (size_t i = 0; i < size; i++) {
            hashes[i] = hash_of(key_of(keys, first + i));
            cm_table_prefetch(&table->shards[cm_shard_of(hashes[i])], hashes[i]);
        }
        for (size_t i = 0; i < size; i++) {
            uint32_t guess = cm_table_guess(&table->shards[cm_shard_of(hashes[i])], hashes[i]);
            if (guess != CM_NUMBER_NONE)
                cm_prefetch(key_of(table->keys, guess));
        }
        for (size_t i = 0; i < size; i++)
            sum += find_one(table, key_of(keys, first + i), hashes[i]);
    }
    return sum;
}

static void destroy(void *of)
{
    open_table *table = of;
    for (size_t shard = 0; shard < CM_SHARDS; shard++)
        cm_table_destroy(&table->shards[shard]);
    free(table->keys);
    free(table);
}

const table_kind table_open = {"util/table (ours)", build,  build_at_once, find,
                               find_ahead,          destroy};

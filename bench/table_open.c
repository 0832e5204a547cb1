/* Our table: slots of a tag and a number; keys lie by number, and are compared there. */
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "tables.h"
#include "util/hash.h"
#include "util/table.h"

typedef struct open_table {
    cm_table slots;
    char *keys;
} open_table;

static const char *key_of(const char *keys, size_t number)
{
    return keys + number * TABLE_KEY_BYTES;
}

static uint64_t hash_of(const char *key)
{
    return cm_hash_bytes(key, TABLE_KEY_BYTES, TABLE_SEED);
}

static open_table *make(size_t count)
{
    open_table *table = bench_allocate(1, sizeof *table);
    table->keys = malloc(count * TABLE_KEY_BYTES);
    if (table->keys == NULL)
        bench_fail("memory is short");
    return table;
}

static void make_room(open_table *table, size_t more)
{
    if (!cm_table_reserve(&table->slots, more))
        bench_fail("memory is short");
}

static void insert(open_table *table, const char *key, size_t number, uint64_t hash)
{
    cm_table_insert(&table->slots, hash, (uint32_t)number);
    memcpy(table->keys + number * TABLE_KEY_BYTES, key, TABLE_KEY_BYTES);
}

static void *build(const char *keys, size_t count)
{
    open_table *table = make(count);
    for (size_t i = 0; i < count; i++) {
        make_room(table, 1);
        insert(table, key_of(keys, i), i, hash_of(key_of(keys, i)));
    }
    return table;
}

/* Hash a batch and ask for the slots where it belongs. */
static void ask_for_slots(const open_table *table, const char *keys, size_t size, uint64_t *hashes)
{
    for (size_t i = 0; i < size; i++) {
        hashes[i] = hash_of(key_of(keys, i));
        cm_table_prefetch(&table->slots, hashes[i]);
    }
}

static size_t batch_size(size_t left)
{
    return left < TABLE_BATCH ? left : TABLE_BATCH;
}

static void *build_ahead(const char *keys, size_t count)
{
    uint64_t hashes[TABLE_BATCH];
    open_table *table = make(count);
    for (size_t first = 0, size; first < count; first += size) {
        size = batch_size(count - first);
        ask_for_slots(table, key_of(keys, first), size, hashes);
        for (size_t i = 0; i < size; i++) {
            make_room(table, 1);
            insert(table, key_of(keys, first + i), first + i, hashes[i]);
        }
    }
    return table;
}

static uint64_t find_one(const open_table *table, const char *key, uint64_t hash)
{
    cm_probe probe = cm_table_probe(&table->slots, hash);
    for (;;) {
        uint32_t number = cm_table_next(&table->slots, &probe);
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
        size = batch_size(count - first);
        ask_for_slots(table, key_of(keys, first), size, hashes);
        for (size_t i = 0; i < size; i++) {
            uint32_t guess = cm_table_guess(&table->slots, hashes[i]);
            if (guess != CM_NUMBER_NONE)
                __builtin_prefetch(key_of(table->keys, guess));
        }
        for (size_t i = 0; i < size; i++)
            sum += find_one(table, key_of(keys, first + i), hashes[i]);
    }
    return sum;
}

static void destroy(void *of)
{
    open_table *table = of;
    cm_table_destroy(&table->slots);
    free(table->keys);
    free(table);
}

const table_kind table_open = {"util/table (ours)", build, build_ahead, find, find_ahead, destroy};

/* The tables that bench_table compares: from click ids of one size to their numbers. */
#ifndef CM_BENCH_TABLES_H
#define CM_BENCH_TABLES_H

#include <stddef.h>
#include <stdint.h>

#define TABLE_KEY_BYTES 18 /* a click id */
#define TABLE_BATCH ((size_t)16)

/** The secret that keyed hashes take. */
#define TABLE_SEED 0x8f3a5d0c71e62b49U

/** Keys lie one after the other, each of TABLE_KEY_BYTES; their numbers count from 0. */
typedef struct table_kind {
    const char *name;
    /** Insert all keys, one after the other, copying them: a table owns all that it takes. */
    void *(*build)(const char *keys, size_t count);
    /** The same with all keys at hand, in an order of its own; NULL: none was made. */
    void *(*build_at_once)(const char *keys, size_t count);
    /** Look keys up, one after the other. The sum of number + 1 of those found. */
    uint64_t (*find)(const void *table, const char *keys, size_t count);
    /** The same in batches, asking the memory ahead for what they need; NULL: it cannot. */
    uint64_t (*find_ahead)(const void *table, const char *keys, size_t count);
    void (*destroy)(void *table);
} table_kind;

extern const table_kind table_uthash_jenkins, table_uthash_xxh3, table_uthash_array, table_open,
    table_sorted;

#endif

/* For orientation: all keys sorted with their numbers, and a binary search. It takes no insert. */
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "tables.h"

typedef struct entry {
    char key[TABLE_KEY_BYTES];
    uint32_t number;
} entry;

typedef struct sorted_table {
    size_t count;
    entry entries[];
} sorted_table;

static int compare_keys(const void *a, const void *b)
{
    return memcmp(a, b, TABLE_KEY_BYTES);
}

static void *build(const char *keys, size_t count)
{
    sorted_table *table = bench_allocate(1, sizeof *table + count * sizeof table->entries[0]);
    table->count = count;
    for (size_t i = 0; i < count; i++) {
        memcpy(table->entries[i].key, keys + i * TABLE_KEY_BYTES, TABLE_KEY_BYTES);
        table->entries[i].number = (uint32_t)i;
    }
    qsort(table->entries, count, sizeof table->entries[0], compare_keys);
    return table;
}

static uint64_t find(const void *of, const char *keys, size_t count)
{
    const sorted_table *table = of;
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        const entry *found = bsearch(keys + i * TABLE_KEY_BYTES, table->entries, table->count,
                                     sizeof table->entries[0], compare_keys);
        sum += found == NULL ? 0 : (uint64_t)found->number + 1;
    }
    return sum;
}

static void destroy(void *table)
{
    free(table);
}

const table_kind table_sorted = {"sorted array, binary search", build, NULL, find, NULL, destroy};

/*
 * uthash as a table, to be included once by each source that makes one. Before:
 *
 *     HASH_FUNCTION   if it is not to be uthash's own
 *     TABLE_IN_ARRAY  1: items lie in one array, made for all of them; 0: each is allocated
 *     TABLE_KIND      the table_kind to define, and TABLE_NAME its name
 *
 * Keys lie in the items, so that a key that is compared costs no line of its own.
 */
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "tables.h"
#include "util/uthash_map.h"

typedef struct item {
    UT_hash_handle hh;
    uint32_t number;
    char key[TABLE_KEY_BYTES];
} item;

typedef struct uthash_table {
    item *head;
    item *items; /* where they lie in one array */
    item *first; /* where each is allocated: the first of them */
} uthash_table;

/* The hash is made of the key where it came from: of the item it would wait for the stores that
 * have just put it there, and for all misses before them. HASH_ADD does that, and took nearly twice
 * as long. */
static void add(uthash_table *table, item *new, const char *key)
{
    unsigned hash;
    HASH_VALUE(key, TABLE_KEY_BYTES, hash);
    memcpy(new->key, key, TABLE_KEY_BYTES);
    HASH_ADD_BYHASHVALUE(hh, table->head, key, TABLE_KEY_BYTES, hash, new);
}

static item *item_of(const uthash_table *table, size_t number)
{
    item *made = TABLE_IN_ARRAY ? &table->items[number] : malloc(sizeof *made);
    if (made == NULL)
        bench_fail("memory is short");
    return made;
}

static void *build(const char *keys, size_t count)
{
    uthash_table *table = bench_allocate(1, sizeof *table);
    if (TABLE_IN_ARRAY)
        table->items = bench_allocate(count, sizeof *table->items);
    for (size_t i = 0; i < count; i++) {
        item *new = item_of(table, i);
        new->number = (uint32_t)i;
        add(table, new, keys + i * TABLE_KEY_BYTES);
    }
    table->first = TABLE_IN_ARRAY ? NULL : table->head;
    return table;
}

static uint64_t find(const void *of, const char *keys, size_t count)
{
    const uthash_table *table = of;
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        item *found;
        HASH_FIND(hh, table->head, keys + i * TABLE_KEY_BYTES, TABLE_KEY_BYTES, found);
        sum += found == NULL ? 0 : (uint64_t)found->number + 1;
    }
    return sum;
}

static void free_items(item *first)
{
    while (first != NULL) {
        item *gone = first;
        first = first->hh.next;
        free(gone);
    }
}

static void destroy(void *of)
{
    uthash_table *table = of;
    HASH_CLEAR(hh, table->head);
    free_items(table->first);
    free(table->items);
    free(table);
}

const table_kind TABLE_KIND = {TABLE_NAME, build, NULL, find, NULL, destroy};

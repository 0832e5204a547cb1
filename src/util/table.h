/*
 * An open-addressing hash table from keys to 32-bit numbers. It holds neither keys nor their hashes
 * in full: a slot is the number and 32 bits of hash, its tag, and the caller compares keys where
 * the numbers lead.
 *
 *     home = tag * capacity / 2^32           [tag,n][tag,n][  -  ][tag,n][tag,n] ... [ - ] tail
 *
 * All slots are in the order of their tags, so that a search ends at the first greater one, found
 * or not (4.5 slots on average at seven eighths full), and growing is one pass over both tables in
 * order: it is done by eighths, so that little stays empty. Eight slots share a cache line. What
 * does not fit before the end goes to the tail: nothing wraps around. Removal shifts back what
 * follows: no tombstones, so that a table that is filled and emptied for days stays as fast as a
 * new one.
 */
#ifndef CM_UTIL_TABLE_H
#define CM_UTIL_TABLE_H

#include "util/error.h"
#include "util/prefetch.h"

#define CM_NUMBER_NONE UINT32_MAX /* no number; marks an empty slot, with the tag UINT32_MAX */
#define CM_TABLE_TAG_SHIFT 24
#define CM_TABLE_TAIL_MIN ((size_t)8)

typedef struct cm_slot {
    uint32_t tag;
    uint32_t number;
} cm_slot;

/** Zero-initialised is empty and ready. One writer, or any number of readers. */
typedef struct cm_table {
    cm_slot *slots; /* capacity + tail; the last one is always empty */
    size_t capacity, tail;
    size_t count;
    size_t limit; /* entries that it takes before it must grow */
} cm_table;

/** Where a search stands. */
typedef struct cm_probe {
    size_t at;
    uint32_t tag;
} cm_probe;

/**
 * Make room for a number of further entries, none for none: the next inserts, CM_TABLE_TAIL_MIN / 2
 * at most, cannot fail. False when memory is short.
 */
bool cm_table_reserve(cm_table *table, size_t more);

/** The same for one entry, and cheap. */
static inline bool cm_table_reserve_one(cm_table *table)
{
    if (table->count < table->limit &&
        table->slots[table->capacity + table->tail - 2].number == CM_NUMBER_NONE)
        return true;
    return cm_table_reserve(table, 1);
}

/** Insert; room must have been reserved. The caller has made sure that the key is not there. */
void cm_table_insert(cm_table *table, uint64_t hash, uint32_t number);

/** Remove the entry with this hash and number, which must be there. */
void cm_table_remove(cm_table *table, uint64_t hash, uint32_t number);

/** Give the entry with this hash and number another number. */
void cm_table_replace(cm_table *table, uint64_t hash, uint32_t number, uint32_t replacement);

/** The bits of a hash that a table keeps. Those above are free to choose among tables. */
static inline uint32_t cm_table_tag(uint64_t hash)
{
    return (uint32_t)(hash >> CM_TABLE_TAG_SHIFT);
}

void cm_table_destroy(cm_table *table);

static inline size_t cm_table_memory(const cm_table *table)
{
    return (table->capacity + table->tail) * sizeof(cm_slot);
}

static inline size_t cm_table_home(const cm_table *table, uint32_t tag)
{
    return (size_t)(((uint64_t)tag * table->capacity) >> 32);
}

/** Ask the memory for where a search will pass: its first line, and the next where it is near. */
static inline void cm_table_prefetch(const cm_table *table, uint64_t hash)
{
    if (table->capacity == 0)
        return;
    const cm_slot *home = &table->slots[cm_table_home(table, cm_table_tag(hash))];
    cm_prefetch(home);
    cm_prefetch(home + CM_TABLE_TAIL_MIN - 1);
}

/** The same for what inserting or removing moves: as a rule some slots more. */
static inline void cm_table_prefetch_run(const cm_table *table, uint64_t hash)
{
    if (table->capacity == 0)
        return;
    const cm_slot *home = &table->slots[cm_table_home(table, cm_table_tag(hash))];
    for (size_t at = 0; at < 4; at++)
        cm_prefetch(home + at * CM_TABLE_TAIL_MIN);
}

static inline cm_probe cm_table_probe(const cm_table *table, uint64_t hash)
{
    uint32_t tag = cm_table_tag(hash);
    return (cm_probe){cm_table_home(table, tag), tag};
}

/** The next number whose hash may be the one searched; CM_NUMBER_NONE where there is no further. */
static inline uint32_t cm_table_next(const cm_table *table, cm_probe *probe)
{
    if (table->capacity == 0)
        return CM_NUMBER_NONE;
    while (table->slots[probe->at].tag < probe->tag)
        probe->at++;
    cm_slot slot = table->slots[probe->at];
    if (slot.tag != probe->tag)
        return CM_NUMBER_NONE;
    probe->at++;
    return slot.number;
}

/** The first number whose hash may be the one searched, to prefetch where it leads: nothing was
 * compared. */
static inline uint32_t cm_table_guess(const cm_table *table, uint64_t hash)
{
    cm_probe probe = cm_table_probe(table, hash);
    return cm_table_next(table, &probe);
}

#endif

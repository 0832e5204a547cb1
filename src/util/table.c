#include "util/table.h"

#include <stdlib.h>
#include <string.h>

#include "util/check.h"

#define CAPACITY_MIN ((size_t)8)

static const cm_slot EMPTY = {UINT32_MAX, CM_NUMBER_NONE};

/* At most seven eighths full. */
static size_t capacity_for(size_t count)
{
    return count + count / 7 + 2;
}

static bool is_empty(const cm_table *table, size_t at)
{
    return table->slots[at].number == CM_NUMBER_NONE;
}

/* The entries come in the order of their tags, each to its home or behind the one before it. */
static void refill(cm_table *table, const cm_table *from)
{
    size_t next = 0;
    for (size_t i = 0; i < from->capacity + from->tail; i++) {
        if (is_empty(from, i))
            continue;
        size_t home = cm_table_home(table, from->slots[i].tag);
        next = home > next ? home : next;
        table->slots[next++] = from->slots[i];
    }
}

/* The tail is not outgrown: entries move up by as many places as they are, or less. */
static bool resize(cm_table *table, size_t capacity, size_t tail)
{
    cm_table grown = {.capacity = capacity, .tail = tail, .count = table->count};
    grown.slots = malloc((capacity + tail) * sizeof(cm_slot));
    if (grown.slots == NULL)
        return false;
    memset(grown.slots, 0xff, (capacity + tail) * sizeof(cm_slot));
    refill(&grown, table);
    free(table->slots);
    *table = grown;
    table->limit = capacity / 8 * 7 - 2; /* not above what capacity_for says */
    return true;
}

/* Whether the last slots are empty, as many as may be filled, and one more. */
static bool has_tail(const cm_table *table, size_t more)
{
    size_t last = table->capacity + table->tail - 1;
    more = more < CM_TABLE_TAIL_MIN / 2 ? more : CM_TABLE_TAIL_MIN / 2;
    for (size_t i = 0; i <= more; i++)
        if (!is_empty(table, last - i))
            return false;
    return true;
}

bool cm_table_reserve(cm_table *table, size_t more)
{
    if (more == 0)
        return true;
    size_t needed = capacity_for(table->count + more);
    if (needed > table->capacity) {
        size_t grown = table->capacity + table->capacity / 8;
        if (grown < CAPACITY_MIN)
            grown = CAPACITY_MIN;
        /* A run that is longer than the tail (crafted keys) keeps the room it has. */
        size_t tail = table->tail < CM_TABLE_TAIL_MIN ? CM_TABLE_TAIL_MIN : table->tail;
        if (!resize(table, grown > needed ? grown : needed, tail))
            return false;
    }
    return has_tail(table, more) || resize(table, table->capacity, 2 * table->tail);
}

void cm_table_insert(cm_table *table, uint64_t hash, uint32_t number)
{
    cm_slot slot = {cm_table_tag(hash), number};
    size_t at = cm_table_home(table, slot.tag);
    while (table->slots[at].tag <= slot.tag && !is_empty(table, at))
        at++;
    for (; !is_empty(table, at); at++) {
        cm_slot moved = table->slots[at];
        table->slots[at] = slot;
        slot = moved;
    }
    CM_CHECK(at + 1 < table->capacity + table->tail);
    table->slots[at] = slot;
    table->count++;
}

/* By both: two keys may have the same number. */
static size_t find(const cm_table *table, uint64_t hash, uint32_t number)
{
    cm_probe probe = cm_table_probe(table, hash);
    size_t at = probe.at;
    while (table->slots[at].tag != probe.tag || table->slots[at].number != number) {
        CM_CHECK(!is_empty(table, at));
        at++;
    }
    return at;
}

void cm_table_remove(cm_table *table, uint64_t hash, uint32_t number)
{
    size_t hole = find(table, hash, number);
    while (!is_empty(table, hole + 1) && cm_table_home(table, table->slots[hole + 1].tag) <= hole) {
        table->slots[hole] = table->slots[hole + 1];
        hole++;
    }
    table->slots[hole] = EMPTY;
    table->count--;
}

void cm_table_replace(cm_table *table, uint64_t hash, uint32_t number, uint32_t replacement)
{
    table->slots[find(table, hash, number)].number = replacement;
}

void cm_table_destroy(cm_table *table)
{
    free(table->slots);
    *table = (cm_table){0};
}

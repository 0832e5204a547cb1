#include "util/table.h"

#include <stdlib.h>
#include <string.h>

#include "util/check.h"

#define CAPACITY_MIN ((size_t)16)

/* At most three quarters full: a search that fails looks at 8.5 slots on average, about one cache
 * line. */
static size_t capacity_for(size_t count)
{
    return count + count / 3 + 2;
}

static void place(cm_slot *slots, size_t capacity, size_t home, cm_slot slot)
{
    size_t at = home;
    while (slots[at].number != CM_NUMBER_NONE)
        at = at + 1 == capacity ? 0 : at + 1;
    slots[at] = slot;
}

static bool resize(cm_table *table, size_t capacity)
{
    cm_slot *slots = malloc(capacity * sizeof *slots);
    if (slots == NULL)
        return false;
    memset(slots, 0xff, capacity * sizeof *slots);
    cm_table grown = {slots, capacity, table->count};
    for (size_t i = 0; i < table->capacity; i++)
        if (table->slots[i].number != CM_NUMBER_NONE)
            place(slots, capacity, cm_table_home(&grown, table->slots[i].tag), table->slots[i]);
    free(table->slots);
    *table = grown;
    return true;
}

bool cm_table_reserve(cm_table *table, size_t more)
{
    size_t needed = capacity_for(table->count + more);
    if (needed <= table->capacity)
        return true;
    size_t grown = table->capacity + table->capacity / 2;
    if (grown < CAPACITY_MIN)
        grown = CAPACITY_MIN;
    return resize(table, grown > needed ? grown : needed);
}

void cm_table_insert(cm_table *table, uint64_t hash, uint32_t number)
{
    CM_ASSERT(capacity_for(table->count + 1) <= table->capacity);
    uint32_t tag = (uint32_t)(hash >> 32);
    place(table->slots, table->capacity, cm_table_home(table, tag), (cm_slot){tag, number});
    table->count++;
}

static size_t find(const cm_table *table, uint64_t hash, uint32_t number)
{
    size_t at = cm_table_probe(table, hash).at;
    while (table->slots[at].number != number) {
        CM_CHECK(table->slots[at].number != CM_NUMBER_NONE);
        at = at + 1 == table->capacity ? 0 : at + 1;
    }
    return at;
}

static size_t distance(const cm_table *table, size_t from, size_t to)
{
    return to >= from ? to - from : to + table->capacity - from;
}

void cm_table_remove(cm_table *table, uint64_t hash, uint32_t number)
{
    size_t hole = find(table, hash, number);
    for (size_t at = hole;;) {
        at = at + 1 == table->capacity ? 0 : at + 1;
        cm_slot slot = table->slots[at];
        if (slot.number == CM_NUMBER_NONE)
            break;
        if (distance(table, cm_table_home(table, slot.tag), at) >= distance(table, hole, at)) {
            table->slots[hole] = slot;
            hole = at;
        }
    }
    table->slots[hole].number = CM_NUMBER_NONE;
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

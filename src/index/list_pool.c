/*
 * The pool of blocks. A block of 2^c numbers lies at a multiple of 2^c, so that two halves of a
 * block know one another. Blocks that are free are cut where smaller ones are wanted; halves are
 * joined again, all at once, where the pool would have to grow otherwise: lists that come and go
 * for days need no more than they need at a time.
 */
#include "index/list_parts.h"
#include "util/grow.h"

#define BLOCK_CLASS_MIN 1u /* a list of one click has no block */

static uint32_t block_size(unsigned class)
{
    return 1u << class;
}

/* Of a class or a larger one; CM_LIST_CLASSES where there is none. */
static unsigned free_class(const cm_lists *lists, unsigned class)
{
    while (class < CM_LIST_CLASSES && lists->free_blocks[class] == CM_LIST_NONE)
        class += 1;
    return class;
}

static void put_free(cm_lists *lists, unsigned class, uint32_t block)
{
    lists->pool[block] = lists->free_blocks[class];
    lists->free_blocks[class] = block;
}

void cm_list_give_block(cm_lists *lists, unsigned class, uint32_t block)
{
    lists->pool_free += block_size(class);
    put_free(lists, class, block);
}

/* From the end of what is used; what is left out before it, so that it lies right, is free. */
static uint32_t take_fresh(cm_lists *lists, unsigned class)
{
    while (lists->pool_used % block_size(class) != 0) {
        unsigned gap = (unsigned)__builtin_ctzll(lists->pool_used);
        cm_list_give_block(lists, gap, (uint32_t)lists->pool_used);
        lists->pool_used += block_size(gap);
    }
    uint32_t block = (uint32_t)lists->pool_used;
    lists->pool_used += block_size(class);
    CM_CHECK(lists->pool_used <= lists->pool_capacity);
    return block;
}

uint32_t cm_list_take_block(cm_lists *lists, unsigned class)
{
    unsigned from = free_class(lists, class);
    if (from == CM_LIST_CLASSES)
        return take_fresh(lists, class);
    uint32_t block = lists->free_blocks[from];
    lists->free_blocks[from] = lists->pool[block];
    lists->pool_free -= block_size(class);
    while (from-- > class)
        put_free(lists, from, block + block_size(from));
    return block;
}

void cm_list_move_block(cm_lists *lists, cm_list *list, unsigned from, unsigned to, uint32_t count)
{
    uint32_t block = cm_list_take_block(lists, to);
    memcpy(lists->pool + block, lists->pool + list->at, count * sizeof(uint32_t));
    cm_list_give_block(lists, from, list->at);
    list->at = block;
}

/* ---- joining halves ---- */

#define WORD_BITS 64

static void mark(uint64_t *bits, uint32_t at)
{
    bits[at / WORD_BITS] |= (uint64_t)1 << at % WORD_BITS;
}

static bool is_marked(const uint64_t *bits, uint32_t at)
{
    return (bits[at / WORD_BITS] >> at % WORD_BITS & 1) != 0;
}

/* bits: zero, and room for a bit for each block of the class. */
static void join_class(cm_lists *lists, unsigned class, uint64_t *bits)
{
    uint32_t block = lists->free_blocks[class];
    for (uint32_t at = block; at != CM_LIST_NONE; at = lists->pool[at])
        mark(bits, at >> class);
    lists->free_blocks[class] = CM_LIST_NONE;
    while (block != CM_LIST_NONE) {
        uint32_t next = lists->pool[block];
        if (!is_marked(bits, block >> class ^ 1))
            put_free(lists, class, block);
        else if ((block >> class & 1) == 0)
            put_free(lists, class + 1, block);
        block = next;
    }
}

static bool join_halves(cm_lists *lists)
{
    size_t words = (lists->pool_used >> BLOCK_CLASS_MIN) / WORD_BITS + 1;
    uint64_t *bits = malloc(words * sizeof *bits);
    if (bits == NULL)
        return false;
    for (unsigned class = BLOCK_CLASS_MIN; class + 1 < CM_LIST_CLASSES; class += 1) {
        memset(bits, 0, ((lists->pool_used >> class) / WORD_BITS + 1) * sizeof *bits);
        join_class(lists, class, bits);
    }
    free(bits);
    return true;
}

/* ---- making sure of room ---- */

static bool has_room(const cm_lists *lists, unsigned class)
{
    size_t end = (lists->pool_used / block_size(class) + 2) * block_size(class);
    return end <= lists->pool_capacity || free_class(lists, class) < CM_LIST_CLASSES;
}

/* Is so much free that there will be a whole one, probably? */
static bool is_worth_joining(const cm_lists *lists)
{
    return lists->pool_free > lists->pool_used / 8 && lists->pool_free >= CM_LIST_CHUNK;
}

cm_status cm_list_reserve_block(cm_lists *lists, unsigned class, cm_error *error)
{
    if (has_room(lists, class))
        return CM_OK;
    if (is_worth_joining(lists)) {
        if (!join_halves(lists))
            return cm_error_memory(error, "time-ordered lists", lists->pool_used / 16);
        if (has_room(lists, class))
            return CM_OK;
    }
    size_t needed = (lists->pool_used / block_size(class) + 2) * block_size(class);
    if (needed > UINT32_MAX)
        return cm_error_set(error, CM_ERROR_CAPACITY,
                            "more than 4 billion index entries; use a shorter period");
    uint32_t *pool = cm_grow(lists->pool, &lists->pool_capacity, needed, sizeof *pool);
    if (pool == NULL)
        return cm_error_memory(error, "time-ordered lists", needed * sizeof *pool);
    lists->pool = pool;
    return CM_OK;
}

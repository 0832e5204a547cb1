/* What the files of lists share. */
#ifndef CM_INDEX_LIST_PARTS_H
#define CM_INDEX_LIST_PARTS_H

#include "index/list.h"
#include "util/check.h"

#define CM_LIST_NONE UINT32_MAX /* no block, no directory */

/** The block class that holds a number of clicks: blocks of class c hold 2^c. */
static inline unsigned cm_list_class(uint32_t count)
{
    return count <= 1 ? 0 : 32u - (unsigned)__builtin_clz(count - 1);
}

/** Move the clicks of a short list, which fill its block, into a block of another class. */
void cm_list_move_block(cm_lists *lists, cm_list *list, unsigned from, unsigned to, uint32_t count);

/** Where the block of a short list begins: blocks lie at multiples of their size. */
static inline uint32_t cm_list_block(const cm_list *list, unsigned class)
{
    return list->at & ~((1u << class) - 1);
}

/** Let a short list begin where its block does. */
static inline void cm_list_settle_short(cm_lists *lists, cm_list *list, unsigned class)
{
    uint32_t block = cm_list_block(list, class);
    memmove(lists->pool + block, lists->pool + list->at, list->count * sizeof *lists->pool);
    list->at = block;
}

/** Make room at the end of a short list of two or more clicks: a larger block, which must have been
 * reserved, or the beginning of its own. */
static inline void cm_list_extend(cm_lists *lists, cm_list *list)
{
    unsigned class = cm_list_class(list->count);
    uint32_t size = 1u << class;
    if (list->count == size)
        cm_list_move_block(lists, list, class, class + 1, list->count);
    else if ((list->at & (size - 1)) + list->count == size)
        cm_list_settle_short(lists, list, class);
}

/** The directory of a long list. */
static inline cm_directory *cm_list_directory(const cm_lists *lists, const cm_list *list)
{
    return &lists->directories[list->at];
}

static inline uint32_t cm_chunk_count(const cm_directory *directory, size_t chunk)
{
    uint32_t next =
        chunk + 1 < directory->count ? directory->chunks[chunk + 1].rank : directory->end_rank;
    return next - directory->chunks[chunk].rank;
}

/** Numbers of the chunk's block that are before its own: blocks lie at multiples of their size. */
static inline uint32_t cm_chunk_skip(const cm_directory *directory, size_t chunk)
{
    return directory->chunks[chunk].block % CM_LIST_CHUNK;
}

/** Let a chunk begin where its block does. */
void cm_chunk_settle(cm_lists *lists, cm_directory *directory, size_t chunk);

/** A chunk has more clicks (modulo 2^32): set the ranks. */
void cm_list_shift_ranks(cm_directory *directory, size_t chunk, uint32_t more);

/** Set a chunk's first time and samples after its clicks from a place on have changed. */
void cm_chunk_refresh(const cm_lists *lists, cm_directory *directory, size_t chunk, uint32_t place);

/** The same where only clicks from a place to an end have. */
void cm_chunk_refresh_some(const cm_lists *lists, cm_directory *directory, size_t chunk,
                           uint32_t place, uint32_t end);

/** Make sure that a block of a class can be taken. CM_OK, CM_ERROR_MEMORY or CM_ERROR_CAPACITY. */
cm_status cm_list_reserve_block(cm_lists *lists, unsigned class, cm_error *error);

/** A block of a class; room must have been reserved. */
uint32_t cm_list_take_block(cm_lists *lists, unsigned class);

void cm_list_give_block(cm_lists *lists, unsigned class, uint32_t block);

/** Give a list of CM_LIST_CHUNK clicks a directory, which must have been reserved. */
void cm_list_lengthen(cm_lists *lists, cm_list *list);

/** Take the directory of a list that has become short. */
void cm_list_give_directory(cm_lists *lists, uint32_t number);

/** Where a click belongs among ordered ones: the number of those older than it. */
uint32_t cm_list_place(const cm_lists *lists, const uint32_t *numbers, uint32_t count,
                       uint32_t click);

/** The last chunk that begins before a click; the first one where none does. */
size_t cm_list_chunk_for(const cm_lists *lists, const cm_directory *directory, uint32_t click);

#endif

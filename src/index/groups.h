/*
 * Numbered records that each begin with a list: the entries of an index. Numbers of removed ones
 * are used again. Number 0 is never given out: it stands for a missing key.
 */
#ifndef CM_INDEX_GROUPS_H
#define CM_INDEX_GROUPS_H

#include "index/list.h"

/** Made by cm_groups_init. One writer, or any number of readers. */
typedef struct cm_groups {
    char *items;
    size_t item_bytes;
    size_t count, capacity; /* items, number 0 included */
    size_t used;
    uint32_t free; /* chain through list.at; 0 at its end */
} cm_groups;

static inline void cm_groups_init(cm_groups *groups, size_t item_bytes)
{
    *groups = (cm_groups){.item_bytes = item_bytes, .count = 1};
}

/** Make room for a number of further groups, so that as many takes cannot fail. False when memory
 * or numbers are short. */
bool cm_groups_reserve(cm_groups *groups, size_t more);

/** A new group, all zero; room must have been reserved. */
uint32_t cm_groups_take(cm_groups *groups);

/** Give a group back; its list must be empty. */
void cm_groups_give(cm_groups *groups, uint32_t number);

void cm_groups_destroy(cm_groups *groups);

static inline size_t cm_groups_memory(const cm_groups *groups)
{
    return groups->capacity * groups->item_bytes;
}

#endif

/* Growing arrays: one rule of growth for all of them. */
#ifndef CM_UTIL_GROW_H
#define CM_UTIL_GROW_H

#include <stdlib.h>

#include "clickmatch.h"

/**
 * Make an array hold at least `needed` items; it grows by an eighth of itself, as most of the
 * arrays that grow hold data that stays.
 *
 * @param items     the array, NULL when empty
 * @param capacity  items it has room for; updated
 * @return the array, moved perhaps; NULL when memory is short, and the old one is as it was
 */
static inline void *cm_grow(void *items, size_t *capacity, size_t needed, size_t item_bytes)
{
    if (needed <= *capacity && items != NULL)
        return items;
    size_t grown = *capacity + *capacity / 8;
    if (grown < needed)
        grown = needed;
    if (grown < 16)
        grown = 16;
    if (grown > SIZE_MAX / item_bytes)
        return NULL;
    void *moved = realloc(items, grown * item_bytes);
    if (moved != NULL)
        *capacity = grown;
    return moved;
}

#endif

/* Sorting numbers by a 64-bit key, in linear time. */
#ifndef CM_UTIL_SORT_H
#define CM_UTIL_SORT_H

#include <stddef.h>
#include <stdint.h>

typedef struct cm_sort_entry {
    uint64_t key;
    uint32_t value;
} cm_sort_entry;

/**
 * Sort by key, smallest first; equal keys stay as they were. Radix sort, a byte at a time, where
 * the keys differ at all.
 *
 * @param entries  count of them
 * @param spare    room for as many
 * @return the one of the two that holds them sorted
 */
cm_sort_entry *cm_sort(cm_sort_entry *entries, cm_sort_entry *spare, size_t count);

#endif

#include "util/sort.h"

#include <string.h>

#define DIGITS 256

static void sort_by_byte(const cm_sort_entry *from, cm_sort_entry *to, size_t count, unsigned shift)
{
    size_t starts[DIGITS] = {0};
    for (size_t i = 0; i < count; i++)
        starts[from[i].key >> shift & 0xFF]++;
    size_t start = 0;
    for (size_t digit = 0; digit < DIGITS; digit++) {
        size_t size = starts[digit];
        starts[digit] = start;
        start += size;
    }
    for (size_t i = 0; i < count; i++)
        to[starts[from[i].key >> shift & 0xFF]++] = from[i];
}

cm_sort_entry *cm_sort(cm_sort_entry *entries, cm_sort_entry *spare, size_t count)
{
    uint64_t differences = 0;
    for (size_t i = 1; i < count; i++)
        differences |= entries[i].key ^ entries[0].key;
    for (unsigned shift = 0; shift < 64; shift += 8) {
        if ((differences >> shift & 0xFF) == 0)
            continue;
        sort_by_byte(entries, spare, count, shift);
        cm_sort_entry *sorted = spare;
        spare = entries;
        entries = sorted;
    }
    return entries;
}

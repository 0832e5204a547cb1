/* Choosing conversions, and clicks, by hashes of their ids: the same ones whatever order they come
 * in. */
#ifndef CM_CMD_DRAW_H
#define CM_CMD_DRAW_H

#include "clickmatch.h"
#include "util/hash.h"

/** A number of 0 to below 1 that a conversion's ids and the seed alone decide. */
static inline double cm_draw(const cm_conversion *conversion, uint64_t seed)
{
    uint64_t hash = cm_hash_pair(cm_hash_slice(conversion->tenant_id, seed),
                                 cm_hash_slice(conversion->conversion_id, seed));
    return (double)(hash >> 11) * 0x1p-53;
}

/** Hashes to look others up in; 0 stands for none. Zero-initialised is empty. */
typedef struct cm_hash_list {
    uint64_t *hashes; /* owned */
    size_t count;
} cm_hash_list;

/** Make room for so many. False when memory is short. */
bool cm_hash_list_init(cm_hash_list *list, size_t room);
void cm_hash_list_add(cm_hash_list *list, uint64_t hash);

/** After the last is added, before the first is looked up. */
void cm_hash_list_sort(cm_hash_list *list);
bool cm_hash_list_has(const cm_hash_list *list, uint64_t hash);
void cm_hash_list_destroy(cm_hash_list *list);

#endif

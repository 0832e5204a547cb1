#include "cmd/draw.h"

#include <stdlib.h>

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

bool cm_hash_list_init(cm_hash_list *list, size_t room)
{
    *list = (cm_hash_list){.hashes = malloc((room + 1) * sizeof *list->hashes)};
    return list->hashes != NULL;
}

void cm_hash_list_add(cm_hash_list *list, uint64_t hash)
{
    if (hash != 0)
        list->hashes[list->count++] = hash;
}

void cm_hash_list_sort(cm_hash_list *list)
{
    qsort(list->hashes, list->count, sizeof *list->hashes, compare);
}

bool cm_hash_list_has(const cm_hash_list *list, uint64_t hash)
{
    return hash != 0 && bsearch(&hash, list->hashes, list->count, sizeof hash, compare) != NULL;
}

void cm_hash_list_destroy(cm_hash_list *list)
{
    free(list->hashes);
    *list = (cm_hash_list){0};
}

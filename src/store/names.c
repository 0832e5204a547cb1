#include "store/names.h"

#include <stdlib.h>

#define SIZE_MIN ((size_t)256)
#define SIZE_MAXIMUM ((size_t)1 << 18)

static void remember(cm_name_cache *cache, cm_cached_name name, uint64_t hash)
{
    cm_cached_name *place = &cache->items[hash & (cache->size - 1)];
    cache->used += place->size == 0;
    *place = name;
}

/* Twice the size, and empty: what is met often comes back soon. Where memory is short it stays. */
static void grow(cm_name_cache *cache)
{
    size_t size = cache->size == 0 ? SIZE_MIN : 2 * cache->size;
    cm_cached_name *items = calloc(size, sizeof *items);
    if (items == NULL)
        return;
    free(cache->items);
    *cache = (cm_name_cache){items, size, 0};
}

static bool is_crowded(const cm_name_cache *cache)
{
    return cache->size == 0 || (2 * cache->used > cache->size && cache->size < SIZE_MAXIMUM);
}

/* Ask the catalog, and remember. */
static uint32_t ask(cm_names *names, cm_name_kind kind, cm_slice text, uint64_t hash)
{
    cm_dictionary *dictionary = &names->catalog->names[kind];
    cm_name_cache *cache = &names->caches[kind];
    pthread_mutex_lock(names->lock);
    uint32_t number = cm_dictionary_intern(dictionary, text, hash);
    if (number != CM_NUMBER_NONE)
        text = cm_dictionary_text(dictionary, number);
    pthread_mutex_unlock(names->lock);
    if (is_crowded(cache))
        grow(cache);
    if (number != CM_NUMBER_NONE && cache->size > 0 && text.size <= UINT32_MAX)
        remember(cache,
                 (cm_cached_name){text.data, (uint32_t)text.size, cm_table_tag(hash), number},
                 hash);
    return number;
}

uint32_t cm_names_intern(cm_names *names, cm_name_kind kind, cm_slice text, uint64_t hash)
{
    if (cm_slice_is_missing(text))
        return CM_NUMBER_MISSING;
    if (names->lock == NULL)
        return cm_dictionary_intern(&names->catalog->names[kind], text, hash);
    const cm_name_cache *cache = &names->caches[kind];
    if (cache->size > 0) {
        const cm_cached_name *name = cm_names_place(cache, hash);
        if (name->tag == cm_table_tag(hash) && name->size == text.size &&
            memcmp(name->text, text.data, text.size) == 0)
            return name->number;
    }
    return ask(names, kind, text, hash);
}

void cm_names_destroy(cm_names *names)
{
    for (size_t kind = 0; kind < CM_NAME_KIND_COUNT; kind++)
        free(names->caches[kind].items);
    *names = (cm_names){0};
}

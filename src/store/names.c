#include "store/names.h"

#include "util/grow.h"

/* A cache that is full starts anew: what is used often comes back soon. */
#define CACHE_MAX ((size_t)1 << 18)

static void forget(cm_name_cache *cache)
{
    cm_table_destroy(&cache->table);
    cache->count = 0;
}

static uint32_t find(const cm_name_cache *cache, cm_slice text, uint64_t hash)
{
    cm_probe probe = cm_table_probe(&cache->table, hash);
    for (;;) {
        uint32_t at = cm_table_next(&cache->table, &probe);
        if (at == CM_NUMBER_NONE)
            return CM_NUMBER_NONE;
        if (cm_slice_equal(cache->items[at].text, text))
            return cache->items[at].number;
    }
}

/* Where memory is short the cache does without. */
static void remember(cm_name_cache *cache, cm_slice text, uint64_t hash, uint32_t number)
{
    if (cache->count == CACHE_MAX)
        forget(cache);
    struct cm_cached_name *items =
        cm_grow(cache->items, &cache->capacity, cache->count + 1, sizeof *items);
    if (items == NULL)
        return;
    cache->items = items;
    if (!cm_table_reserve(&cache->table, 1))
        return;
    items[cache->count] = (struct cm_cached_name){text, number};
    cm_table_insert(&cache->table, hash, (uint32_t)cache->count++);
}

uint32_t cm_names_intern(cm_names *names, cm_name_kind kind, cm_slice text, uint64_t hash)
{
    cm_dictionary *dictionary = &names->catalog->names[kind];
    if (cm_slice_is_missing(text))
        return CM_NUMBER_MISSING;
    if (names->lock == NULL)
        return cm_dictionary_intern(dictionary, text, hash);
    cm_name_cache *cache = &names->caches[kind];
    uint32_t number = find(cache, text, hash);
    if (number != CM_NUMBER_NONE)
        return number;
    pthread_mutex_lock(names->lock);
    number = cm_dictionary_intern(dictionary, text, hash);
    cm_slice kept = number == CM_NUMBER_NONE ? text : cm_dictionary_text(dictionary, number);
    pthread_mutex_unlock(names->lock);
    if (number != CM_NUMBER_NONE)
        remember(cache, kept, hash, number);
    return number;
}

void cm_names_prefetch(const cm_names *names, cm_name_kind kind, uint64_t hash, int step)
{
    const cm_name_cache *cache = &names->caches[kind];
    if (step == 0) {
        cm_table_prefetch(&cache->table, hash);
        return;
    }
    uint32_t at = cm_table_guess(&cache->table, hash);
    if (at != CM_NUMBER_NONE && step == 1)
        __builtin_prefetch(&cache->items[at]);
    else if (at != CM_NUMBER_NONE)
        __builtin_prefetch(cache->items[at].text.data);
}

void cm_names_destroy(cm_names *names)
{
    for (size_t kind = 0; kind < CM_NAME_KIND_COUNT; kind++) {
        forget(&names->caches[kind]);
        free(names->caches[kind].items);
    }
    *names = (cm_names){0};
}

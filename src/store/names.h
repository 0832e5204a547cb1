/*
 * How a thread gives names their numbers. Alone it asks the catalog; where several threads load at
 * once, each keeps the names it has met and asks the catalog, under a lock, only for others.
 */
#ifndef CM_STORE_NAMES_H
#define CM_STORE_NAMES_H

#include <pthread.h>

#include "store/catalog.h"

/** A name that a thread has met. Its text is the catalog's. */
typedef struct cm_cached_name {
    const char *text;
    uint32_t size; /* 0: none */
    uint32_t tag;  /* of the hash */
    uint32_t number;
} cm_cached_name;

/** One place for each hash: a name that is met drives out the one before it. */
typedef struct cm_name_cache {
    cm_cached_name *items; /* a power of two */
    size_t size, used;
} cm_name_cache;

/** One thread's way to the names. With lock NULL nothing is cached. */
typedef struct cm_names {
    cm_catalog *catalog;   /* borrowed */
    pthread_mutex_t *lock; /* of the catalog; NULL: nobody else is there */
    cm_name_cache caches[CM_NAME_KIND_COUNT];
} cm_names;

/**
 * The number of a name, a new one if need be.
 *
 * @param hash  of the text, keyed
 * @return CM_NUMBER_MISSING for an empty text; CM_NUMBER_NONE when memory or numbers run out
 */
uint32_t cm_names_intern(cm_names *names, cm_name_kind kind, cm_slice text, uint64_t hash);

/** Where a name is if it was met. */
static inline const cm_cached_name *cm_names_place(const cm_name_cache *cache, uint64_t hash)
{
    return &cache->items[hash & (cache->size - 1)];
}

/** Ask the memory for a name that will be interned: its place in the cache, then (a call later)
 * the text there. */
static inline void cm_names_prefetch(const cm_names *names, cm_name_kind kind, uint64_t hash)
{
    if (names->caches[kind].size > 0)
        __builtin_prefetch(cm_names_place(&names->caches[kind], hash));
}

static inline void cm_names_prefetch_text(const cm_names *names, cm_name_kind kind, uint64_t hash)
{
    if (names->caches[kind].size > 0)
        __builtin_prefetch(cm_names_place(&names->caches[kind], hash)->text);
}

/** Forget what was met. */
void cm_names_destroy(cm_names *names);

#endif

/*
 * How a thread gives names their numbers. Alone it asks the catalog; where several threads load at
 * once, each keeps the names it has met and asks the catalog, under a lock, only for new ones.
 */
#ifndef CM_STORE_NAMES_H
#define CM_STORE_NAMES_H

#include <pthread.h>

#include "store/catalog.h"

/** Names that a thread has met, with their numbers. Texts are the catalog's. */
typedef struct cm_name_cache {
    cm_table table; /* numbers are places in items */
    struct cm_cached_name {
        cm_slice text;
        uint32_t number;
    } * items;
    size_t count, capacity;
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

#define CM_NAMES_PREFETCH_STEPS 3

/** Ask the memory for a name that will be interned: its slot in the cache, then where its text is,
 * then the text. */
void cm_names_prefetch(const cm_names *names, cm_name_kind kind, uint64_t hash, int step);

/** Forget what was met. */
void cm_names_destroy(cm_names *names);

#endif

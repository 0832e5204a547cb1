/*
 * How a thread gives names their numbers. Alone it asks the catalog; where several threads load at
 * once, each keeps the names it has met and asks the catalog, under a lock, only for others.
 */
#ifndef CM_STORE_NAMES_H
#define CM_STORE_NAMES_H

#include <pthread.h>

#include "store/catalog.h"
#include "util/prefetch.h"

/** A name that a thread has met. Its text is the catalog's. */
typedef struct cm_cached_name {
    uint64_t text; /* address, below its size: names of 64 KiB and more are not cached; 0: none */
    uint32_t tag;  /* of the hash */
    uint32_t number;
} cm_cached_name;

#define CM_NAMES_PER_LINE 4u

/** A cache line of names whose hashes lead there: one more drives out one of them. */
typedef struct cm_name_line {
    _Alignas(64) cm_cached_name names[CM_NAMES_PER_LINE];
} cm_name_line;

typedef struct cm_name_cache {
    cm_name_line *lines; /* a power of two */
    size_t size, used;   /* lines; names */
} cm_name_cache;

#define CM_WHOS_MET 64u /* a power of two */

/** What a tenant and a device type led to: there are few pairs of them. The texts are the
 * catalog's; they hold for as long as there are segments of the generation, and later ones are
 * asked for with theirs. */
typedef struct cm_met_who {
    cm_slice tenant, device_type;
    uint64_t tenant_hash, device_type_hash;
    cm_who who;
    uint32_t number;     /* of the who; CM_NUMBER_MISSING: nothing was met here */
    uint32_t generation; /* that all three names bear */
} cm_met_who;

/** One thread's way to the names. With lock NULL only whos are cached. */
typedef struct cm_names {
    cm_catalog *catalog;   /* borrowed */
    pthread_mutex_t *lock; /* of the catalog; NULL: nobody else is there */
    uint32_t generation;   /* of the segment whose rows will use the names */
    cm_name_cache caches[CM_NAME_KIND_COUNT];
    cm_met_who whos[CM_WHOS_MET];
} cm_names;

/**
 * The number of a name, a new one if need be; it bears names->generation from now on.
 *
 * @param hash  of the text, keyed
 * @return CM_NUMBER_MISSING for an empty text; CM_NUMBER_NONE when memory or numbers run out
 */
uint32_t cm_names_intern(cm_names *names, cm_name_kind kind, cm_slice text, uint64_t hash);

/** A tenant and a device type, as a click shows them. */
typedef struct cm_who_names {
    cm_slice tenant, device_type; /* the latter may be empty */
    uint64_t tenant_hash, device_type_hash;
} cm_who_names;

/**
 * The same for a tenant with a device type, and both of them.
 *
 * @param seed  key of the hashes
 * @param who   receives the numbers of the two
 * @return the number of their who; CM_NUMBER_NONE when memory or numbers run out
 */
uint32_t cm_names_intern_who(cm_names *names, const cm_who_names *shown, uint64_t seed,
                             cm_who *who);

/**
 * The number of a look: of a user agent with traits, and all of them.
 *
 * @param user_agent_hash  of the text, keyed, as those of the traits are
 * @param seed             key of the hashes
 * @return CM_NUMBER_MISSING where all of it is missing; CM_NUMBER_NONE when memory or numbers run
 *         out
 */
uint32_t cm_names_intern_look(cm_names *names, cm_slice user_agent, uint64_t user_agent_hash,
                              const cm_shown_traits *traits, uint64_t seed);

/** Where a name is if it was met. */
static inline cm_name_line *cm_names_line(const cm_name_cache *cache, uint64_t hash)
{
    return &cache->lines[cm_table_tag(hash) & (cache->size - 1)];
}

static inline cm_slice cm_cached_text(const cm_cached_name *name)
{
    return cm_slice_of((const char *)(uintptr_t)(name->text >> 16), name->text & 0xFFFF);
}

/** The name with a hash, if any was met; NULL. */
static inline cm_cached_name *cm_names_met(const cm_name_cache *cache, uint64_t hash)
{
    if (cache->size == 0)
        return NULL;
    cm_name_line *line = cm_names_line(cache, hash);
    for (unsigned i = 0; i < CM_NAMES_PER_LINE; i++)
        if (line->names[i].tag == cm_table_tag(hash) && line->names[i].text != 0)
            return &line->names[i];
    return NULL;
}

/** Ask the memory for a name that will be interned: its line in the cache, then (a call later) the
 * text there. */
static inline void cm_names_prefetch(const cm_names *names, cm_name_kind kind, uint64_t hash)
{
    if (names->caches[kind].size > 0)
        cm_prefetch(cm_names_line(&names->caches[kind], hash));
}

static inline void cm_names_prefetch_text(const cm_names *names, cm_name_kind kind, uint64_t hash)
{
    const cm_cached_name *name = cm_names_met(&names->caches[kind], hash);
    if (name == NULL)
        return;
    cm_slice text = cm_cached_text(name);
    cm_prefetch(text.data);
    cm_prefetch(text.data + text.size - 1); /* half of the short ones cross a line */
}

/** Forget what was met. */
void cm_names_destroy(cm_names *names);

#endif

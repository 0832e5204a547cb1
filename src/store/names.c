#include "store/names.h"

#include <stdlib.h>

#define LINES_MIN ((size_t)64)
#define LINES_MAX ((size_t)1 << 16) /* 4 MiB */

/* An address and a size below 64 KiB share a word: user space has 47 bits of addresses. */
#define SIZE_BITS 16

static bool can_pack(cm_slice text)
{
    uint64_t address = (uint64_t)(uintptr_t)text.data;
    return text.size < (size_t)1 << SIZE_BITS && address << SIZE_BITS >> SIZE_BITS == address;
}

/* In place of one with the same hash, or where nothing is, else of any one. */
static void put(cm_name_cache *cache, cm_cached_name name)
{
    cm_name_line *line = &cache->lines[name.tag & (cache->size - 1)];
    cm_cached_name *place = &line->names[name.number % CM_NAMES_PER_LINE];
    for (unsigned i = CM_NAMES_PER_LINE; i-- > 0;)
        if (line->names[i].text == 0 || line->names[i].tag == name.tag)
            place = &line->names[i];
    cache->used += place->text == 0;
    *place = name;
}

static void put_all(cm_name_cache *cache, const cm_name_cache *from)
{
    for (size_t i = 0; i < from->size; i++)
        for (unsigned j = 0; j < CM_NAMES_PER_LINE; j++)
            if (from->lines[i].names[j].text != 0)
                put(cache, from->lines[i].names[j]);
}

/* To twice the size. Where memory is short it stays. */
static void grow(cm_name_cache *cache)
{
    cm_name_cache grown = {.size = cache->size == 0 ? LINES_MIN : 2 * cache->size};
    grown.lines = aligned_alloc(sizeof *grown.lines, grown.size * sizeof *grown.lines);
    if (grown.lines == NULL)
        return;
    memset(grown.lines, 0, grown.size * sizeof *grown.lines);
    put_all(&grown, cache);
    free(cache->lines);
    *cache = grown;
}

static bool is_crowded(const cm_name_cache *cache)
{
    return cache->size == 0 ||
           (2 * cache->used > cache->size * CM_NAMES_PER_LINE && cache->size < LINES_MAX);
}

/* Ask the catalog, and remember. */
static uint32_t ask(cm_names *names, cm_name_kind kind, cm_slice text, uint64_t hash)
{
    cm_dictionary *dictionary = &names->catalog->names[kind];
    cm_name_cache *cache = &names->caches[kind];
    pthread_mutex_lock(names->lock);
    uint32_t number = cm_catalog_intern(names->catalog, kind, text, hash);
    if (number != CM_NUMBER_NONE)
        text = cm_dictionary_text(dictionary, number);
    pthread_mutex_unlock(names->lock);
    if (number != CM_NUMBER_NONE)
        cm_dictionary_stamp(text, names->generation);
    if (is_crowded(cache))
        grow(cache);
    if (number != CM_NUMBER_NONE && cache->size > 0 && can_pack(text))
        put(cache, (cm_cached_name){(uint64_t)(uintptr_t)text.data << SIZE_BITS | text.size,
                                    cm_table_tag(hash), number});
    return number;
}

/* Nobody else is there. */
static uint32_t intern_alone(cm_names *names, cm_name_kind kind, cm_slice text, uint64_t hash)
{
    cm_dictionary *dictionary = &names->catalog->names[kind];
    uint32_t number = cm_catalog_intern(names->catalog, kind, text, hash);
    if (number != CM_NUMBER_NONE)
        cm_dictionary_stamp(dictionary->texts[number], names->generation);
    return number;
}

uint32_t cm_names_intern(cm_names *names, cm_name_kind kind, cm_slice text, uint64_t hash)
{
    if (cm_slice_is_missing(text))
        return CM_NUMBER_MISSING;
    if (names->lock == NULL)
        return intern_alone(names, kind, text, hash);
    const cm_cached_name *name = cm_names_met(&names->caches[kind], hash);
    if (name != NULL && cm_slice_equal(cm_cached_text(name), text)) {
        cm_dictionary_stamp(cm_cached_text(name), names->generation);
        return name->number;
    }
    return ask(names, kind, text, hash);
}

static bool is_met(const cm_met_who *met, const cm_who_names *shown, uint32_t generation)
{
    return met->number != CM_NUMBER_MISSING && met->tenant_hash == shown->tenant_hash &&
           met->device_type_hash == shown->device_type_hash && met->generation == generation &&
           cm_slice_equal(met->tenant, shown->tenant) &&
           cm_slice_equal(met->device_type, shown->device_type);
}

static cm_slice text_of(const cm_names *names, cm_name_kind kind, uint32_t number)
{
    if (names->lock != NULL)
        pthread_mutex_lock(names->lock);
    cm_slice text = cm_catalog_name(names->catalog, kind, number);
    if (names->lock != NULL)
        pthread_mutex_unlock(names->lock);
    return text;
}

static uint32_t intern_who(cm_names *names, const cm_who_names *shown, uint64_t seed, cm_who *who)
{
    who->tenant = cm_names_intern(names, CM_NAME_TENANT, shown->tenant, shown->tenant_hash);
    who->device_type =
        cm_names_intern(names, CM_NAME_DEVICE_TYPE, shown->device_type, shown->device_type_hash);
    if (who->tenant == CM_NUMBER_NONE || who->device_type == CM_NUMBER_NONE)
        return CM_NUMBER_NONE;
    cm_slice text = cm_who_text(who);
    return cm_names_intern(names, CM_NAME_WHO, text, cm_hash_slice(text, seed));
}

uint32_t cm_names_intern_who(cm_names *names, const cm_who_names *shown, uint64_t seed, cm_who *who)
{
    cm_met_who *met = &names->whos[(shown->tenant_hash ^ shown->device_type_hash) % CM_WHOS_MET];
    if (is_met(met, shown, names->generation)) {
        *who = met->who;
        return met->number;
    }
    uint32_t number = intern_who(names, shown, seed, who);
    if (number != CM_NUMBER_NONE)
        *met = (cm_met_who){
            .tenant = text_of(names, CM_NAME_TENANT, who->tenant),
            .device_type = text_of(names, CM_NAME_DEVICE_TYPE, who->device_type),
            .tenant_hash = shown->tenant_hash,
            .device_type_hash = shown->device_type_hash,
            .who = *who,
            .number = number,
            .generation = names->generation,
        };
    return number;
}

uint32_t cm_names_intern_look(cm_names *names, cm_slice user_agent, uint64_t user_agent_hash,
                              const cm_shown_traits *traits, uint64_t seed)
{
    cm_look look = {cm_names_intern(names, CM_NAME_USER_AGENT, user_agent, user_agent_hash), {0}};
    bool failed = look.user_agent == CM_NUMBER_NONE;
    for (cm_trait i = 0; i < CM_TRAIT_COUNT; i++) {
        look.traits[i] =
            cm_names_intern(names, cm_name_of_trait(i), traits->texts[i], traits->hashes[i]);
        failed |= look.traits[i] == CM_NUMBER_NONE;
    }
    if (failed)
        return CM_NUMBER_NONE;
    if (cm_look_is_missing(&look))
        return CM_NUMBER_MISSING;
    cm_slice text = cm_look_text(&look);
    return cm_names_intern(names, CM_NAME_LOOK, text, cm_hash_slice(text, seed));
}

void cm_names_destroy(cm_names *names)
{
    for (size_t kind = 0; kind < CM_NAME_KIND_COUNT; kind++)
        free(names->caches[kind].lines);
    *names = (cm_names){0};
}

/*
 * Text to numbers and back: what many clicks share (tenants, device types, user agents, campaigns)
 * is stored once and named by a 32-bit number. 0 is the missing value.
 */
#ifndef CM_STORE_DICTIONARY_H
#define CM_STORE_DICTIONARY_H

#include "util/arena.h"
#include "util/hash.h"
#include "util/slice.h"
#include "util/table.h"

#define CM_NUMBER_MISSING 0u

/** Zero-initialised is empty and ready. One writer, or any number of readers. */
typedef struct cm_dictionary {
    cm_table table;
    cm_slice *texts; /* by number; texts[0] is the missing value */
    size_t count;    /* numbers given out, 0 included */
    size_t capacity;
    cm_arena bytes;
} cm_dictionary;

/**
 * The number of a text, a new one if need be.
 *
 * @param hash  cm_hash_slice of the text with the engine's key
 * @return CM_NUMBER_MISSING for an empty text; CM_NUMBER_NONE when memory or numbers run out
 */
uint32_t cm_dictionary_intern(cm_dictionary *dictionary, cm_slice text, uint64_t hash);

/** The number of a text; CM_NUMBER_NONE where it is not there. */
uint32_t cm_dictionary_find(const cm_dictionary *dictionary, cm_slice text, uint64_t hash);

/** The text of a number; owned by the dictionary. */
static inline cm_slice cm_dictionary_text(const cm_dictionary *dictionary, uint32_t number)
{
    return number == CM_NUMBER_MISSING ? (cm_slice){0} : dictionary->texts[number];
}

size_t cm_dictionary_memory(const cm_dictionary *dictionary);

void cm_dictionary_destroy(cm_dictionary *dictionary);

#endif

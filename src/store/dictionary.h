/*
 * Text to numbers and back: what many clicks share (tenants, device types, user agents, campaigns)
 * is stored once and named by a 32-bit number. 0 is the missing value.
 *
 * Each text bears a stamp: the latest generation of what uses it. Those whose stamp is old can be
 * swept; their numbers and their room are used again.
 */
#ifndef CM_STORE_DICTIONARY_H
#define CM_STORE_DICTIONARY_H

#include <stdatomic.h>

#include "util/arena.h"
#include "util/hash.h"
#include "util/slice.h"
#include "util/table.h"

#define CM_NUMBER_MISSING 0u
#define CM_TEXT_COST ((size_t)32) /* of a text beside its room: slot and slice */
#define CM_TEXT_CLASSES 32u       /* rooms of 16, 32, 48 ... bytes; larger ones are allocated */

/** Zero-initialised is empty and ready. One writer, or any number of readers. */
typedef struct cm_dictionary {
    cm_table table;
    cm_slice *texts; /* by number; texts[0] is the missing value; data NULL: not in use */
    size_t count;    /* numbers given out, 0 and those not in use included */
    size_t capacity;
    size_t used;          /* texts */
    uint32_t free_number; /* chain through texts[].size; 0 at its end */
    cm_arena bytes;
    void *free_rooms[CM_TEXT_CLASSES]; /* chains through their first bytes */
    size_t large_bytes;                /* of texts that have an allocation each */
    size_t room_bytes;                 /* of the rooms of all texts in use */
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

/** Where the stamp of a text of a dictionary is: behind it. */
static inline atomic_uint *cm_dictionary_stamp_of(cm_slice text)
{
    size_t at = (text.size + sizeof(atomic_uint) - 1) / sizeof(atomic_uint) * sizeof(atomic_uint);
    return (atomic_uint *)(uintptr_t)(text.data + at);
}

/** Say that something of a generation uses a text of a dictionary; it is cm_dictionary_text's. Any
 * number of threads. */
static inline void cm_dictionary_stamp(cm_slice text, uint32_t generation)
{
    atomic_uint *stamp = cm_dictionary_stamp_of(text);
    unsigned before = atomic_load_explicit(stamp, memory_order_relaxed);
    while (before < generation &&
           !atomic_compare_exchange_weak_explicit(stamp, &before, generation, memory_order_relaxed,
                                                  memory_order_relaxed))
        ;
}

/**
 * Remove texts that nothing of a generation or a later one uses.
 *
 * @param from        the first number to look at
 * @param count       how many to look at, at most
 * @param generation  texts with an earlier stamp go
 * @param key         of the hashes, as given for cm_dictionary_intern
 * @return the number to go on with; 0: all have been looked at
 */
uint32_t cm_dictionary_sweep(cm_dictionary *dictionary, uint32_t from, size_t count,
                             uint32_t generation, uint64_t key);

/** What the texts take, as a sum over them: whatever the order in which they came. */
static inline size_t cm_dictionary_cost(const cm_dictionary *dictionary)
{
    return dictionary->room_bytes + dictionary->used * CM_TEXT_COST;
}

size_t cm_dictionary_memory(const cm_dictionary *dictionary);

void cm_dictionary_destroy(cm_dictionary *dictionary);

#endif

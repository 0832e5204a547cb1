#include "store/dictionary.h"

#include "util/grow.h"

#define CLASS_BYTES ((size_t)16)

uint32_t cm_dictionary_find(const cm_dictionary *dictionary, cm_slice text, uint64_t hash)
{
    if (cm_slice_is_missing(text))
        return CM_NUMBER_MISSING;
    cm_probe probe = cm_table_probe(&dictionary->table, hash);
    for (;;) {
        uint32_t number = cm_table_next(&dictionary->table, &probe);
        if (number == CM_NUMBER_NONE || cm_slice_equal(dictionary->texts[number], text))
            return number;
    }
}

/* ---- rooms of texts ---- */

/* A text's bytes, then its stamp. */
static size_t room_for(size_t size)
{
    return (size + sizeof(atomic_uint) - 1) / sizeof(atomic_uint) * sizeof(atomic_uint) +
           sizeof(atomic_uint);
}

/* Which rooms a text takes; CM_TEXT_CLASSES where it is too large for any. */
static size_t class_of(size_t size)
{
    size_t class = (room_for(size) - 1) / CLASS_BYTES;
    return class < CM_TEXT_CLASSES ? class : CM_TEXT_CLASSES;
}

static size_t room_bytes(size_t size)
{
    size_t class = class_of(size);
    return class == CM_TEXT_CLASSES ? room_for(size) : (class + 1) * CLASS_BYTES;
}

static char *take_room(cm_dictionary *dictionary, size_t size)
{
    size_t class = class_of(size);
    if (class == CM_TEXT_CLASSES) {
        char *large = malloc(room_for(size));
        if (large != NULL)
            dictionary->large_bytes += room_for(size);
        return large;
    }
    void *room = dictionary->free_rooms[class];
    if (room == NULL)
        return cm_arena_take(&dictionary->bytes, (class + 1) * CLASS_BYTES);
    memcpy(&dictionary->free_rooms[class], room, sizeof room);
    return room;
}

static void give_room(cm_dictionary *dictionary, cm_slice text)
{
    void *room = (void *)(uintptr_t)text.data;
    size_t class = class_of(text.size);
    dictionary->room_bytes -= room_bytes(text.size);
    if (class == CM_TEXT_CLASSES) {
        dictionary->large_bytes -= room_for(text.size);
        free(room);
        return;
    }
    memcpy(room, &dictionary->free_rooms[class], sizeof room);
    dictionary->free_rooms[class] = room;
}

/* A copy without a stamp. */
static bool copy_text(cm_dictionary *dictionary, cm_slice text, cm_slice *copy)
{
    char *room = take_room(dictionary, text.size);
    if (room == NULL)
        return false;
    dictionary->room_bytes += room_bytes(text.size);
    memcpy(room, text.data, text.size);
    *copy = cm_slice_of(room, text.size);
    atomic_init(cm_dictionary_stamp_of(*copy), 0);
    return true;
}

/* ---- numbers ---- */

static bool reserve(cm_dictionary *dictionary)
{
    if (!cm_table_reserve_one(&dictionary->table))
        return false;
    if (dictionary->free_number != 0)
        return true;
    size_t needed = dictionary->count < 1 ? 2 : dictionary->count + 1;
    cm_slice *texts =
        cm_grow(dictionary->texts, &dictionary->capacity, needed, sizeof *dictionary->texts);
    if (texts == NULL)
        return false;
    dictionary->texts = texts;
    return true;
}

static uint32_t take_number(cm_dictionary *dictionary)
{
    uint32_t number = dictionary->free_number;
    if (number != 0) {
        dictionary->free_number = (uint32_t)dictionary->texts[number].size;
        return number;
    }
    if (dictionary->count == 0)
        dictionary->texts[dictionary->count++] = (cm_slice){0};
    return (uint32_t)dictionary->count++;
}

uint32_t cm_dictionary_intern(cm_dictionary *dictionary, cm_slice text, uint64_t hash)
{
    uint32_t number = cm_dictionary_find(dictionary, text, hash);
    if (number != CM_NUMBER_NONE)
        return number;
    cm_slice copy;
    if (dictionary->count >= CM_NUMBER_NONE - 1 || !reserve(dictionary) ||
        !copy_text(dictionary, text, &copy))
        return CM_NUMBER_NONE;
    number = take_number(dictionary);
    dictionary->texts[number] = copy;
    dictionary->used++;
    cm_table_insert(&dictionary->table, hash, number);
    return number;
}

/* ---- sweeping ---- */

static bool is_old(const cm_dictionary *dictionary, uint32_t number, uint32_t generation)
{
    cm_slice text = dictionary->texts[number];
    return text.data != NULL &&
           atomic_load_explicit(cm_dictionary_stamp_of(text), memory_order_relaxed) < generation;
}

static void remove_text(cm_dictionary *dictionary, uint32_t number, uint64_t key)
{
    cm_slice text = dictionary->texts[number];
    cm_table_remove(&dictionary->table, cm_hash_slice(text, key), number);
    give_room(dictionary, text);
    dictionary->texts[number] = (cm_slice){.size = dictionary->free_number};
    dictionary->free_number = number;
    dictionary->used--;
}

#define AHEAD 8

uint32_t cm_dictionary_sweep(cm_dictionary *dictionary, uint32_t from, size_t count,
                             uint32_t generation, uint64_t key)
{
    size_t number = from == 0 ? 1 : from;
    for (size_t i = 0; i < count && number < dictionary->count; i++, number++) {
        if (number + AHEAD < dictionary->count && dictionary->texts[number + AHEAD].data != NULL)
            cm_prefetch(cm_dictionary_stamp_of(dictionary->texts[number + AHEAD]));
        if (is_old(dictionary, (uint32_t)number, generation))
            remove_text(dictionary, (uint32_t)number, key);
    }
    return number < dictionary->count ? (uint32_t)number : 0;
}

size_t cm_dictionary_memory(const cm_dictionary *dictionary)
{
    return cm_table_memory(&dictionary->table) + dictionary->capacity * sizeof(cm_slice) +
           cm_arena_memory(&dictionary->bytes) + dictionary->large_bytes;
}

void cm_dictionary_destroy(cm_dictionary *dictionary)
{
    for (size_t number = 1; dictionary->large_bytes > 0 && number < dictionary->count; number++)
        if (dictionary->texts[number].data != NULL &&
            class_of(dictionary->texts[number].size) == CM_TEXT_CLASSES)
            give_room(dictionary, dictionary->texts[number]);
    cm_table_destroy(&dictionary->table);
    free(dictionary->texts);
    cm_arena_destroy(&dictionary->bytes);
    *dictionary = (cm_dictionary){0};
}

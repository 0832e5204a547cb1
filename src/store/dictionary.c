#include "store/dictionary.h"

#include "util/grow.h"

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

static bool reserve(cm_dictionary *dictionary)
{
    if (!cm_table_reserve_one(&dictionary->table))
        return false;
    size_t needed = dictionary->count < 1 ? 2 : dictionary->count + 1;
    cm_slice *texts =
        cm_grow(dictionary->texts, &dictionary->capacity, needed, sizeof *dictionary->texts);
    if (texts == NULL)
        return false;
    dictionary->texts = texts;
    return true;
}

uint32_t cm_dictionary_intern(cm_dictionary *dictionary, cm_slice text, uint64_t hash)
{
    uint32_t number = cm_dictionary_find(dictionary, text, hash);
    if (number != CM_NUMBER_NONE)
        return number;
    if (dictionary->count >= CM_NUMBER_NONE - 1 || !reserve(dictionary))
        return CM_NUMBER_NONE;
    char *copy = cm_arena_take(&dictionary->bytes, text.size);
    if (copy == NULL)
        return CM_NUMBER_NONE;
    memcpy(copy, text.data, text.size);
    if (dictionary->count == 0)
        dictionary->texts[dictionary->count++] = (cm_slice){0};
    number = (uint32_t)dictionary->count++;
    dictionary->texts[number] = cm_slice_of(copy, text.size);
    cm_table_insert(&dictionary->table, hash, number);
    return number;
}

size_t cm_dictionary_memory(const cm_dictionary *dictionary)
{
    return cm_table_memory(&dictionary->table) + dictionary->capacity * sizeof(cm_slice) +
           cm_arena_memory(&dictionary->bytes);
}

void cm_dictionary_destroy(cm_dictionary *dictionary)
{
    cm_table_destroy(&dictionary->table);
    free(dictionary->texts);
    cm_arena_destroy(&dictionary->bytes);
    *dictionary = (cm_dictionary){0};
}

#include "store/catalog.h"

#include "util/grow.h"

/* Those of numbers that are not in use are whatever they were. The missing one is all zeros. */
static bool keep_look(cm_catalog *catalog, uint32_t number, cm_slice text)
{
    bool is_first = catalog->looks == NULL;
    cm_look *looks =
        cm_grow(catalog->looks, &catalog->look_capacity, (size_t)number + 1, sizeof *looks);
    if (looks == NULL)
        return false;
    if (is_first)
        looks[CM_NUMBER_MISSING] = (cm_look){0};
    catalog->looks = looks;
    memcpy(&looks[number], text.data, sizeof looks[number]);
    return true;
}

uint32_t cm_catalog_intern(cm_catalog *catalog, cm_name_kind kind, cm_slice text, uint64_t hash)
{
    uint32_t number = cm_dictionary_intern(&catalog->names[kind], text, hash);
    if (kind != CM_NAME_LOOK || number == CM_NUMBER_NONE || number == CM_NUMBER_MISSING)
        return number;
    return keep_look(catalog, number, text) ? number : CM_NUMBER_NONE;
}

size_t cm_catalog_memory(const cm_catalog *catalog, cm_name_kind kind)
{
    size_t beside = kind == CM_NAME_LOOK ? catalog->look_capacity * sizeof *catalog->looks : 0;
    return cm_dictionary_memory(&catalog->names[kind]) + beside;
}

void cm_catalog_destroy(cm_catalog *catalog)
{
    cm_click_store_destroy(&catalog->store);
    for (size_t kind = 0; kind < CM_NAME_KIND_COUNT; kind++)
        cm_dictionary_destroy(&catalog->names[kind]);
    free(catalog->looks);
    catalog->looks = NULL;
}

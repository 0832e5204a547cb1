#include "store/catalog.h"

void cm_catalog_destroy(cm_catalog *catalog)
{
    cm_click_store_destroy(&catalog->store);
    for (size_t kind = 0; kind < CM_NAME_KIND_COUNT; kind++)
        cm_dictionary_destroy(&catalog->names[kind]);
}

/* Clicks by tenant and click id: one click per key, so that a shard is a table. */
#ifndef CM_INDEX_CLICK_ID_INDEX_H
#define CM_INDEX_CLICK_ID_INDEX_H

#include "store/catalog.h"

/**
 * Find the click with an id.
 *
 * @param table  a shard; its numbers are those of clicks
 * @param hash   cm_click_id_hash of tenant and id
 * @return the click's number, or CM_NUMBER_NONE
 */
static inline uint32_t cm_click_id_find(const cm_table *table, const cm_catalog *catalog,
                                        uint32_t tenant, cm_slice click_id, uint64_t hash)
{
    cm_probe probe = cm_table_probe(table, hash);
    for (;;) {
        uint32_t click = cm_table_next(table, &probe);
        if (click == CM_NUMBER_NONE ||
            (cm_slice_equal(cm_click_store_id(&catalog->store, click), click_id) &&
             cm_catalog_tenant(catalog, click) == tenant))
            return click;
    }
}

#endif

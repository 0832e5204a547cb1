#include "index/param_index.h"

uint32_t cm_param_find(const cm_postings *shard, const cm_catalog *catalog, cm_param_kind kind,
                       uint32_t tenant, cm_slice value, uint64_t hash)
{
    cm_probe probe = cm_table_probe(&shard->table, hash);
    for (;;) {
        uint32_t reference = cm_table_next(&shard->table, &probe);
        if (reference == CM_NUMBER_NONE)
            return reference;
        uint32_t click = cm_postings_newest(shard, reference);
        if (cm_catalog_tenant(catalog, click) != tenant)
            continue;
        cm_click_texts texts = cm_click_store_texts(&catalog->store, click);
        if (cm_slice_equal(kind == CM_PARAM_FBCLID ? texts.fbclid : texts.gclid, value))
            return reference;
    }
}

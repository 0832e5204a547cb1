#include "index/param_index.h"

uint32_t cm_param_find(const cm_param_index *index, cm_param_kind kind, uint32_t tenant,
                       cm_slice value, uint64_t hash)
{
    cm_probe probe = cm_table_probe(&index->table, hash);
    for (;;) {
        uint32_t group = cm_table_next(&index->table, &probe);
        if (group == CM_NUMBER_NONE)
            return group;
        uint32_t click = cm_list_any(&index->lists, cm_param_list(index, group));
        if (cm_click_store_row(index->lists.store, click)->tenant != tenant)
            continue;
        cm_click_texts texts = cm_click_store_texts(index->lists.store, click);
        if (cm_slice_equal(kind == CM_PARAM_FBCLID ? texts.fbclid : texts.gclid, value))
            return group;
    }
}

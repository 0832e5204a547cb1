#include "index/tenant_index.h"

#include "util/grow.h"

void cm_tenants_init(cm_tenant_index *index, const cm_click_store *store)
{
    *index = (cm_tenant_index){0};
    cm_lists_init(&index->lists, store);
}

void cm_tenants_destroy(cm_tenant_index *index)
{
    cm_lists_destroy(&index->lists);
    free(index->of);
}

cm_status cm_tenants_reserve(cm_tenant_index *index, uint32_t tenant, cm_error *error)
{
    size_t needed = (size_t)tenant + 1;
    cm_list *lists = cm_grow(index->of, &index->capacity, needed, sizeof *lists);
    if (lists == NULL)
        return cm_error_memory(error, "the tenants", needed * sizeof *lists);
    index->of = lists;
    while (index->count < needed)
        lists[index->count++] = (cm_list){0};
    return cm_list_reserve(&index->lists, &lists[tenant], error);
}

size_t cm_tenants_memory(const cm_tenant_index *index)
{
    return cm_lists_memory(&index->lists) + index->capacity * sizeof(cm_list);
}

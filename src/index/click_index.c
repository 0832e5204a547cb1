#include "index/click_index.h"

#include <stdlib.h>

void cm_click_index_init(cm_click_index *index, const cm_model *model, uint64_t seed)
{
    *index = (cm_click_index){.rules = {model, seed}};
    cm_click_store_init(&index->store, model->window_us);
    cm_lists_init(&index->lists, &index->store);
    cm_lists_init(&index->params.lists, &index->store);
    cm_groups_init(&index->params.groups, sizeof(cm_list));
    cm_groups_init(&index->fingerprints.groups, sizeof(cm_fingerprint_group));
    cm_groups_init(&index->addresses.groups, sizeof(cm_address_group));
}

void cm_click_index_destroy(cm_click_index *index)
{
    cm_click_store_destroy(&index->store);
    cm_lists_destroy(&index->lists);
    cm_lists_destroy(&index->params.lists);
    cm_dictionary *dictionaries[] = {&index->tenants, &index->device_types, &index->user_agents,
                                     &index->campaigns};
    for (size_t i = 0; i < sizeof dictionaries / sizeof *dictionaries; i++)
        cm_dictionary_destroy(dictionaries[i]);
    cm_table *tables[] = {&index->click_ids, &index->params.table, &index->fingerprints.table,
                          &index->addresses.groups_table, &index->addresses.buckets_table};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        cm_table_destroy(tables[i]);
    cm_groups_destroy(&index->params.groups);
    cm_groups_destroy(&index->fingerprints.groups);
    cm_groups_destroy(&index->addresses.groups);
    free(index->tenant_lists);
}

bool cm_click_index_expect(cm_click_index *index, size_t clicks)
{
    return cm_table_reserve(&index->click_ids, clicks);
}

size_t cm_click_index_memory(const cm_click_index *index)
{
    return cm_click_store_memory(&index->store) + cm_lists_memory(&index->lists) +
           cm_lists_memory(&index->params.lists) + cm_dictionary_memory(&index->tenants) +
           cm_dictionary_memory(&index->device_types) + cm_dictionary_memory(&index->user_agents) +
           cm_dictionary_memory(&index->campaigns) + cm_table_memory(&index->click_ids) +
           cm_table_memory(&index->params.table) + cm_table_memory(&index->fingerprints.table) +
           cm_table_memory(&index->addresses.groups_table) +
           cm_table_memory(&index->addresses.buckets_table) +
           cm_groups_memory(&index->params.groups) + cm_groups_memory(&index->fingerprints.groups) +
           cm_groups_memory(&index->addresses.groups) +
           index->tenant_list_capacity * sizeof(cm_list);
}

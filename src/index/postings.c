#include "index/postings.h"

#include "index/list_bulk.h"
#include "util/prefetch.h"

void cm_postings_init(cm_postings *postings, const cm_click_store *store, size_t group_bytes)
{
    *postings = (cm_postings){0};
    cm_lists_init(&postings->lists, store);
    cm_groups_init(&postings->groups, group_bytes);
}

void cm_postings_destroy(cm_postings *postings)
{
    cm_table_destroy(&postings->table);
    cm_lists_destroy(&postings->lists);
    cm_groups_destroy(&postings->groups);
}

cm_status cm_postings_reserve(cm_postings *postings, uint32_t reference, cm_error *error)
{
    if (reference == CM_NUMBER_NONE) {
        if (!cm_table_reserve_one(&postings->table))
            return cm_error_memory(error, "an index", cm_table_memory(&postings->table));
        return CM_OK;
    }
    if (cm_postings_is_group(reference))
        return cm_list_reserve(&postings->lists, cm_postings_group(postings, reference), error);
    if (!cm_groups_reserve(&postings->groups, 1))
        return cm_error_memory(error, "an index", cm_groups_memory(&postings->groups));
    return cm_list_reserve(&postings->lists, NULL, error);
}

static bool add_to_list(cm_postings *postings, cm_list *list, uint32_t click, bool is_bulk)
{
    if (is_bulk)
        return cm_list_append(&postings->lists, list, click);
    cm_list_insert(&postings->lists, list, click);
    return true;
}

uint32_t cm_postings_add(cm_postings *postings, uint64_t hash, uint32_t reference, uint32_t click,
                         bool is_bulk, bool *in_order)
{
    if (is_bulk)
        *in_order = true;
    if (reference == CM_NUMBER_NONE) {
        cm_table_insert(&postings->table, hash, click);
        return click;
    }
    if (cm_postings_is_group(reference)) {
        bool ordered =
            add_to_list(postings, cm_postings_group(postings, reference), click, is_bulk);
        if (is_bulk)
            *in_order = ordered;
        return reference;
    }
    uint32_t group = CM_POSTINGS_GROUP | cm_groups_take(&postings->groups);
    cm_list *list = cm_postings_group(postings, group);
    *list = (cm_list){1, reference};
    cm_list_insert(&postings->lists, list, click);
    cm_table_replace(&postings->table, hash, reference, group);
    return group;
}

/* Where only one group can be meant, it is not looked into. */
uint32_t cm_postings_find_click(const cm_postings *postings, uint64_t hash, uint32_t click)
{
    cm_probe probe = cm_table_probe(&postings->table, hash);
    uint32_t found = CM_NUMBER_NONE;
    for (;;) {
        uint32_t reference = cm_table_next(&postings->table, &probe);
        if (reference == CM_NUMBER_NONE || reference == click)
            return reference == click ? click : found;
        if (!cm_postings_is_group(reference))
            continue;
        if (found == CM_NUMBER_NONE ||
            !cm_list_contains(&postings->lists, cm_postings_group(postings, found), click))
            found = reference;
    }
}

uint32_t cm_postings_remove(cm_postings *postings, uint64_t hash, uint32_t reference,
                            uint32_t click)
{
    if (!cm_postings_is_group(reference)) {
        cm_table_remove(&postings->table, hash, click);
        return CM_NUMBER_NONE;
    }
    cm_list *list = cm_postings_group(postings, reference);
    cm_list_remove(&postings->lists, list, click);
    if (list->count > 1)
        return reference;
    uint32_t last = list->at;
    cm_table_replace(&postings->table, hash, reference, last);
    cm_groups_give(&postings->groups, reference & ~CM_POSTINGS_GROUP);
    return last;
}

size_t cm_postings_list_memory(const cm_postings *postings)
{
    return cm_lists_memory(&postings->lists) + cm_groups_memory(&postings->groups);
}

void cm_postings_prefetch(const cm_postings *postings, uint32_t reference)
{
    if (cm_postings_is_group(reference))
        cm_prefetch(cm_postings_group(postings, reference));
    else
        cm_prefetch(cm_click_store_row(postings->lists.store, reference));
}

void cm_postings_prefetch_front(const cm_postings *postings, uint32_t reference)
{
    if (cm_postings_is_group(reference))
        cm_list_prefetch_front(&postings->lists, cm_postings_group(postings, reference));
}

void cm_postings_prefetch_end(const cm_postings *postings, uint32_t reference)
{
    if (cm_postings_is_group(reference))
        cm_list_prefetch_end(&postings->lists, cm_postings_group(postings, reference));
}

void cm_postings_prefetch_newest(const cm_postings *postings, uint32_t reference)
{
    if (cm_postings_is_group(reference))
        cm_list_prefetch_newest(&postings->lists, cm_postings_group(postings, reference));
    else
        cm_prefetch(cm_click_store_row(postings->lists.store, reference));
}

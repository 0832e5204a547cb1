/* Both halves of an insert for one click after another: all of a click, or nothing. */
#include "index/click_list.h"
#include "index/click_prefetch.h"
#include "index/click_register.h"

static cm_status insert(cm_click_index *index, const cm_click *click, const cm_click_keys *keys,
                        bool *is_new, cm_error *error)
{
    cm_registration registration;
    cm_listing listing;
    cm_status status = cm_click_register_prepare(index, click, keys, &registration, is_new, error);
    if (status != CM_OK || !*is_new)
        return status;
    status = cm_click_list_prepare(index, click, keys, registration.row.tenant, &listing, error);
    if (status == CM_OK)
        cm_click_list_commit(index, &listing, cm_click_register_commit(index, &registration));
    return status;
}

cm_status cm_click_index_insert(cm_click_index *index, const cm_click *clicks,
                                const cm_click_keys *keys, size_t count, uint64_t *duplicates,
                                size_t *done, cm_error *error)
{
    for (*done = 0; *done < count; (*done)++) {
        bool is_new = false;
        cm_click_prefetch_register(index, keys, *done, count);
        cm_click_prefetch_list(index, keys, *done, count);
        cm_status status = insert(index, &clicks[*done], &keys[*done], &is_new, error);
        if (status != CM_OK)
            return status;
        *duplicates += !is_new;
    }
    return CM_OK;
}

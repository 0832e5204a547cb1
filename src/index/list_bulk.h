/*
 * Many clicks into lists at once. A late click of a long list costs more than one in order; so when
 * many are loaded, clicks are appended as they come, and lists that got out of order are sorted at
 * the end: loading stays linear, whatever the order of arrival.
 */
#ifndef CM_INDEX_LIST_BULK_H
#define CM_INDEX_LIST_BULK_H

#include "index/list.h"
#include "util/sort.h"

/** Room to sort in, kept from list to list. Zero-initialised is ready. */
typedef struct cm_list_sorter {
    cm_sort_entry *entries;
    size_t capacity;
} cm_list_sorter;

/**
 * Append a click, which may be older than those before it; room must have been reserved.
 *
 * @return false where the list is out of order now: cm_list_sort it before anything else is done
 * with it but appending
 */
bool cm_list_append(cm_lists *lists, cm_list *list, uint32_t click);

/**
 * The same where there is next to nothing to do, as most of the time in a long list: no room need
 * be reserved.
 *
 * @return false where there is more to do: nothing was done
 */
bool cm_list_append_plainly(cm_lists *lists, cm_list *list, uint32_t click);

/** Put a list in order. CM_OK or CM_ERROR_MEMORY. */
cm_status cm_list_sort(cm_lists *lists, const cm_list *list, cm_list_sorter *sorter,
                       cm_error *error);

void cm_list_sorter_destroy(cm_list_sorter *sorter);

#endif

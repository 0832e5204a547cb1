/* Hides the memory's latency while many clicks are inserted. */
#ifndef CM_INDEX_CLICK_PREFETCH_H
#define CM_INDEX_CLICK_PREFETCH_H

#include "index/click_index.h"

/**
 * Before click `at` of an array is registered, or listed: ask for the memory of those up to 32
 * places ahead.
 */
void cm_click_prefetch_register(const cm_click_index *index, const cm_click_keys *keys, size_t at,
                                size_t count);
void cm_click_prefetch_list(const cm_click_index *index, const cm_click_keys *keys, size_t at,
                            size_t count);

#endif

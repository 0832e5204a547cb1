/* The first half of an insert: store, click id and parameters. */
#ifndef CM_INDEX_CLICK_REGISTER_H
#define CM_INDEX_CLICK_REGISTER_H

#include "index/click_index.h"

/** What registering has found out before it changes anything. CM_NUMBER_NONE: to be made. */
typedef struct cm_registration {
    const cm_click *click;
    const cm_click_keys *keys;
    cm_click_texts texts;
    cm_click_row row;
    uint32_t param_groups[CM_PARAM_KIND_COUNT];
} cm_registration;

/**
 * Find and reserve what registering needs.
 *
 * @param is_new  receives false where the tenant has a click of this id: nothing is to be done
 */
cm_status cm_click_register_prepare(cm_click_index *index, const cm_click *click,
                                    const cm_click_keys *keys, cm_registration *registration,
                                    bool *is_new, cm_error *error);

/** Do it; cannot fail. Returns the click's number. */
uint32_t cm_click_register_commit(cm_click_index *index, cm_registration *registration);

#endif

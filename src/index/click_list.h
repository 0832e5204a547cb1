/* The second half of an insert: the lists of layers 2 and 3. */
#ifndef CM_INDEX_CLICK_LIST_H
#define CM_INDEX_CLICK_LIST_H

#include "index/click_index.h"

/** What listing has found out before it changes anything. CM_NUMBER_NONE: to be made. */
typedef struct cm_listing {
    const cm_click_keys *keys;
    uint32_t tenant, device_type;
    bool is_listed; /* valid: layers 2 and 3 may see it */
    uint32_t fingerprint_group;
    uint32_t address_group;
} cm_listing;

/** Find and reserve what listing needs. tenant: the click's number in the dictionary. */
cm_status cm_click_list_prepare(cm_click_index *index, const cm_click *click,
                                const cm_click_keys *keys, uint32_t tenant, cm_listing *listing,
                                cm_error *error);

/** Do it for a registered click; cannot fail. */
void cm_click_list_commit(cm_click_index *index, cm_listing *listing, uint32_t number);

#endif

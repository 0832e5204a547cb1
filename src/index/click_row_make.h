/* A click's row, of the numbers of its names. */
#ifndef CM_INDEX_CLICK_ROW_MAKE_H
#define CM_INDEX_CLICK_ROW_MAKE_H

#include "index/click_index.h"

/** What the store takes of a click. */
typedef struct cm_new_click {
    cm_click_row row; /* fingerprint still missing */
    uint32_t tenant;
    cm_click_texts texts;
    int64_t findable_end; /* nobody at or after this time can find it */
} cm_new_click;

/** The time at or after which nobody can find a click. */
int64_t cm_click_findable_end(const cm_model *model, int64_t click_timestamp, int64_t expires_at);

/** Give a click's names their numbers and make its row. CM_OK or CM_ERROR_MEMORY. */
cm_status cm_click_row_make(const cm_key_rules *rules, cm_names *names, const cm_click *click,
                            const cm_click_keys *keys, cm_new_click *made, cm_error *error);

#endif

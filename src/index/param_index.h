/* Clicks by tenant and fbclid or gclid. A value may have several clicks; the value itself is read
 * from any of them. */
#ifndef CM_INDEX_PARAM_INDEX_H
#define CM_INDEX_PARAM_INDEX_H

#include "index/groups.h"
#include "index/keys.h"

typedef struct cm_param_index {
    cm_table table;
    cm_groups groups; /* of cm_list */
    cm_lists lists;   /* their own: registering clicks and listing them go on side by side */
} cm_param_index;

static inline cm_list *cm_param_list(const cm_param_index *index, uint32_t group)
{
    return (cm_list *)(void *)(index->groups.items + group * sizeof(cm_list));
}

/** The group of a value; CM_NUMBER_NONE where no click has it. hash: cm_param_hash. */
uint32_t cm_param_find(const cm_param_index *index, cm_param_kind kind, uint32_t tenant,
                       cm_slice value, uint64_t hash);

#endif

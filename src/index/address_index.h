/*
 * Valid clicks by tenant, address bucket and device type. A conversion that names its device type
 * reads two groups (its type and the missing one); one that does not reads every group of the
 * bucket, which are chained.
 */
#ifndef CM_INDEX_ADDRESS_INDEX_H
#define CM_INDEX_ADDRESS_INDEX_H

#include "index/groups.h"
#include "index/keys.h"

/* Marks a click without a usable address in cm_click_row.address; the rest is its device type. */
#define CM_ADDRESS_MISSING (1u << 31)

typedef struct cm_address_group {
    cm_list list;
    uint32_t tenant;
    uint32_t device_type;    /* number in the device types' dictionary; 0: missing */
    uint32_t next, previous; /* groups of the same bucket; 0 at the ends */
    cm_address bucket;
} cm_address_group;

typedef struct cm_address_index {
    cm_table groups_table;  /* by tenant, bucket and device type */
    cm_table buckets_table; /* by tenant and bucket: the first group of the chain */
    cm_groups groups;       /* of cm_address_group */
} cm_address_index;

static inline cm_address_group *cm_address_group_at(const cm_address_index *index, uint32_t group)
{
    return (cm_address_group *)(void *)(index->groups.items + group * sizeof(cm_address_group));
}

/** The group of a bucket and device type; CM_NUMBER_NONE where there is none. hash:
 * cm_address_hash. */
uint32_t cm_address_find(const cm_address_index *index, uint32_t tenant, const cm_address *bucket,
                         uint32_t device_type, uint64_t hash);

/** The first group of a bucket; CM_NUMBER_NONE where there is none. hash: cm_bucket_hash. */
uint32_t cm_address_find_bucket(const cm_address_index *index, uint32_t tenant,
                                const cm_address *bucket, uint64_t hash);

/** Whether a group is of this bucket. */
bool cm_address_group_is_of(const cm_address_group *group, uint32_t tenant,
                            const cm_address *bucket);

/** Room for one more group: false when memory is short. */
bool cm_address_reserve(cm_address_index *index);

/** A new group; room must have been reserved. */
uint32_t cm_address_take(cm_address_index *index, uint32_t tenant, uint32_t device_type,
                         const cm_device_keys *keys);

/** Remove a group whose list is empty. */
void cm_address_give(cm_address_index *index, uint32_t group, uint64_t address_hash,
                     uint64_t bucket_hash);

#endif

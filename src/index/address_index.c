#include "index/address_index.h"

bool cm_address_group_is_of(const cm_address_group *group, uint32_t tenant,
                            const cm_address *bucket)
{
    return group->tenant == tenant && group->bucket.version == bucket->version &&
           memcmp(group->bucket.bytes, bucket->bytes, sizeof bucket->bytes) == 0;
}

uint32_t cm_address_find(const cm_address_index *index, uint32_t tenant, const cm_address *bucket,
                         uint32_t device_type, uint64_t hash)
{
    cm_probe probe = cm_table_probe(&index->groups_table, hash);
    for (;;) {
        uint32_t number = cm_table_next(&index->groups_table, &probe);
        if (number == CM_NUMBER_NONE)
            return number;
        const cm_address_group *group = cm_address_group_at(index, number);
        if (group->device_type == device_type && cm_address_group_is_of(group, tenant, bucket))
            return number;
    }
}

uint32_t cm_address_find_bucket(const cm_address_index *index, uint32_t tenant,
                                const cm_address *bucket, uint64_t hash)
{
    cm_probe probe = cm_table_probe(&index->buckets_table, hash);
    for (;;) {
        uint32_t number = cm_table_next(&index->buckets_table, &probe);
        if (number == CM_NUMBER_NONE ||
            cm_address_group_is_of(cm_address_group_at(index, number), tenant, bucket))
            return number;
    }
}

bool cm_address_reserve(cm_address_index *index)
{
    return cm_table_reserve(&index->groups_table, 1) &&
           cm_table_reserve(&index->buckets_table, 1) && cm_groups_reserve(&index->groups, 1);
}

/* New groups come second in the chain, so that its head, and the table with it, stays. */
static void link_group(cm_address_index *index, uint32_t head, uint32_t number)
{
    cm_address_group *first = cm_address_group_at(index, head);
    cm_address_group *group = cm_address_group_at(index, number);
    group->next = first->next;
    group->previous = head;
    if (first->next != 0)
        cm_address_group_at(index, first->next)->previous = number;
    first->next = number;
}

uint32_t cm_address_take(cm_address_index *index, uint32_t tenant, uint32_t device_type,
                         const cm_device_keys *keys)
{
    uint32_t head = cm_address_find_bucket(index, tenant, &keys->bucket, keys->bucket_hash);
    uint32_t number = cm_groups_take(&index->groups);
    cm_address_group *group = cm_address_group_at(index, number);
    group->tenant = tenant;
    group->device_type = device_type;
    group->bucket = keys->bucket;
    cm_table_insert(&index->groups_table, keys->address_hash, number);
    if (head == CM_NUMBER_NONE)
        cm_table_insert(&index->buckets_table, keys->bucket_hash, number);
    else
        link_group(index, head, number);
    return number;
}

void cm_address_give(cm_address_index *index, uint32_t number, uint64_t address_hash,
                     uint64_t bucket_hash)
{
    cm_address_group *group = cm_address_group_at(index, number);
    if (group->next != 0)
        cm_address_group_at(index, group->next)->previous = group->previous;
    if (group->previous != 0)
        cm_address_group_at(index, group->previous)->next = group->next;
    else if (group->next != 0)
        cm_table_replace(&index->buckets_table, bucket_hash, number, group->next);
    else
        cm_table_remove(&index->buckets_table, bucket_hash, number);
    cm_table_remove(&index->groups_table, address_hash, number);
    cm_groups_give(&index->groups, number);
}

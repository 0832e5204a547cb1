/*
 * Keys, each with its clicks in time order. Most keys have one click: their slot in the table holds
 * the click itself. Others have a group, which begins with a list. A key's text is not kept: it is
 * compared with that of its newest click.
 */
#ifndef CM_INDEX_POSTINGS_H
#define CM_INDEX_POSTINGS_H

#include "index/groups.h"

#define CM_POSTINGS_GROUP (1u << 31) /* marks a number in the table as one of a group */

/** One shard. One writer, or any number of readers. */
typedef struct cm_postings {
    cm_table table; /* references: a click, or CM_POSTINGS_GROUP and a group */
    cm_lists lists;
    cm_groups groups; /* of structs that begin with a cm_list */
} cm_postings;

void cm_postings_init(cm_postings *postings, const cm_click_store *store, size_t group_bytes);
void cm_postings_destroy(cm_postings *postings);

static inline bool cm_postings_is_group(uint32_t reference)
{
    return (reference & CM_POSTINGS_GROUP) != 0;
}

static inline cm_list *cm_postings_group(const cm_postings *postings, uint32_t reference)
{
    return (cm_list *)(void *)(postings->groups.items +
                               (reference & ~CM_POSTINGS_GROUP) * postings->groups.item_bytes);
}

/** The list of a reference; CM_NUMBER_NONE has an empty one. */
static inline cm_list cm_postings_list(const cm_postings *postings, uint32_t reference)
{
    if (cm_postings_is_group(reference) && reference != CM_NUMBER_NONE)
        return *cm_postings_group(postings, reference);
    return (cm_list){reference != CM_NUMBER_NONE, reference};
}

/** One click of a reference: the newest, which is looked at first. */
static inline uint32_t cm_postings_newest(const cm_postings *postings, uint32_t reference)
{
    return cm_postings_is_group(reference)
               ? cm_list_newest(&postings->lists, cm_postings_group(postings, reference))
               : reference;
}

/** Make sure that another click with the key of this reference (CM_NUMBER_NONE: a new key) can be
 * added. */
cm_status cm_postings_reserve(cm_postings *postings, uint32_t reference, cm_error *error);

/**
 * Add a click; room must have been reserved.
 *
 * @param hash      of the key
 * @param is_bulk   append it, whatever its time: cm_list_append
 * @param in_order  receives false where the list must be sorted; may be NULL if not is_bulk
 * @return the key's reference
 */
uint32_t cm_postings_add(cm_postings *postings, uint64_t hash, uint32_t reference, uint32_t click,
                         bool is_bulk, bool *in_order);

/** The reference that a click is found by, where the click is known to be there: no key need be
 * compared. */
uint32_t cm_postings_find_click(const cm_postings *postings, uint64_t hash, uint32_t click);

/** Remove a click, which must be there. Returns the key's reference; CM_NUMBER_NONE: it is gone. */
uint32_t cm_postings_remove(cm_postings *postings, uint64_t hash, uint32_t reference,
                            uint32_t click);

/** Bytes of table, and of lists and groups. */
size_t cm_postings_list_memory(const cm_postings *postings);

/** Ask the memory for what a reference leads to, a group or a click. */
void cm_postings_prefetch(const cm_postings *postings, uint32_t reference);

/** After that, ask for what removing the reference's oldest click reads. */
void cm_postings_prefetch_front(const cm_postings *postings, uint32_t reference);

/** After cm_postings_prefetch: ask for the end of the reference's list. */
void cm_postings_prefetch_end(const cm_postings *postings, uint32_t reference);

/** Ask the memory for what adding to a reference looks at: the newest click. */
void cm_postings_prefetch_newest(const cm_postings *postings, uint32_t reference);

#endif

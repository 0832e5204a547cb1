#include "index/list_tidy.h"

#include "index/list_parts.h"

#define WHOLE_CLASS (CM_LIST_CLASSES - 1)
#define FREE_MIN 1024u /* numbers: fewer are not worth it */

/* A pool in the making: blocks of each class side by side, the largest first. */
struct tidying {
    cm_lists *lists;
    uint32_t *pool;
    size_t ends[CM_LIST_CLASSES]; /* where the next block of a class goes */
};

static bool is_worth_it(const cm_lists *lists)
{
    return lists->pool_free >= FREE_MIN && lists->pool_free > lists->pool_used / 4;
}

static cm_list *list_at(const cm_groups *groups, size_t number)
{
    return (cm_list *)(void *)(groups->items + number * groups->item_bytes);
}

static void count_blocks(const cm_lists *lists, const cm_groups *groups,
                         size_t counts[CM_LIST_CLASSES])
{
    for (size_t i = 1; i < groups->count; i++) {
        const cm_list *list = list_at(groups, i);
        if (cm_list_is_long(list))
            counts[WHOLE_CLASS] += cm_list_directory(lists, list)->count;
        else if (list->count > 1) /* one that is not in use has at most one click */
            counts[cm_list_class(list->count)]++;
    }
}

/* Returns the block's new place. */
static uint32_t move(struct tidying *tidying, unsigned class, uint32_t block, uint32_t count)
{
    uint32_t place = (uint32_t)tidying->ends[class];
    memcpy(tidying->pool + place, tidying->lists->pool + block, count * sizeof *tidying->pool);
    tidying->ends[class] += (size_t)1 << class;
    return place;
}

static void move_chunks(struct tidying *tidying, cm_directory *directory)
{
    for (size_t i = 0; i < directory->count; i++) {
        cm_chunk_settle(tidying->lists, directory, i);
        directory->chunks[i].block =
            move(tidying, WHOLE_CLASS, directory->chunks[i].block, cm_chunk_count(directory, i));
    }
}

static void move_all(struct tidying *tidying, const cm_groups *groups)
{
    for (size_t i = 1; i < groups->count; i++) {
        cm_list *list = list_at(groups, i);
        if (cm_list_is_long(list))
            move_chunks(tidying, cm_list_directory(tidying->lists, list));
        else if (list->count > 1)
            list->at = move(tidying, cm_list_class(list->count), list->at, list->count);
    }
}

bool cm_lists_tidy(cm_lists *lists, const cm_groups *groups)
{
    size_t counts[CM_LIST_CLASSES] = {0};
    struct tidying tidying = {.lists = lists};
    if (!is_worth_it(lists))
        return false;
    count_blocks(lists, groups, counts);
    size_t used = 0;
    for (unsigned class = CM_LIST_CLASSES; class -- > 0;) {
        tidying.ends[class] = used;
        used += counts[class] << class;
    }
    size_t capacity = used + used / 16 + CM_LIST_CHUNK;
    tidying.pool = malloc(capacity * sizeof *tidying.pool);
    if (tidying.pool == NULL)
        return false;
    move_all(&tidying, groups);
    free(lists->pool);
    lists->pool = tidying.pool;
    lists->pool_capacity = capacity;
    lists->pool_used = used;
    lists->pool_free = 0;
    for (unsigned class = 0; class < CM_LIST_CLASSES; class += 1)
        lists->free_blocks[class] = CM_LIST_NONE;
    return true;
}

#include "index/groups.h"

#include "util/grow.h"

/* One bit is for others to mark numbers with, and all bits set is no number. */
#define NUMBERS_MAX (((size_t)1 << 31) - 1)

bool cm_groups_reserve(cm_groups *groups, size_t more)
{
    if (more == 0)
        return true;
    size_t needed = groups->count + more;
    if (needed > NUMBERS_MAX)
        return false;
    char *items = cm_grow(groups->items, &groups->capacity, needed, groups->item_bytes);
    if (items == NULL)
        return false;
    groups->items = items;
    return true;
}

uint32_t cm_groups_take(cm_groups *groups)
{
    uint32_t number = groups->free;
    if (number == 0)
        number = (uint32_t)groups->count++;
    else
        groups->free = ((cm_list *)(void *)(groups->items + number * groups->item_bytes))->at;
    memset(groups->items + number * groups->item_bytes, 0, groups->item_bytes);
    groups->used++;
    return number;
}

void cm_groups_give(cm_groups *groups, uint32_t number)
{
    cm_list *list = (cm_list *)(void *)(groups->items + number * groups->item_bytes);
    list->at = groups->free;
    groups->free = number;
    groups->used--;
}

void cm_groups_destroy(cm_groups *groups)
{
    free(groups->items);
    *groups = (cm_groups){0};
}

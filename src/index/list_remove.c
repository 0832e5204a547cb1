/* Clicks out of lists, mostly from their front. */
#include "index/list_parts.h"

static void remove_at(uint32_t *numbers, uint32_t count, uint32_t place)
{
    memmove(numbers + place, numbers + place + 1, (count - place - 1) * sizeof *numbers);
}

/* Into a smaller block that is free; only where there is none is the block cut, for cut blocks stay
 * cut. */
static void halve_block(cm_lists *lists, cm_list *list, unsigned class)
{
    if (lists->free_blocks[class - 1] != CM_LIST_NONE)
        cm_list_move_block(lists, list, class, class - 1, list->count);
    else
        cm_list_give_block(lists, class - 1, list->at + (1u << (class - 1)));
}

static void remove_short(cm_lists *lists, cm_list *list, uint32_t click)
{
    if (list->count == 1) {
        CM_CHECK(list->at == click);
        *list = (cm_list){0};
        return;
    }
    uint32_t *numbers = lists->pool + list->at;
    uint32_t place = cm_list_place(lists, numbers, list->count, click);
    CM_CHECK(place < list->count && numbers[place] == click);
    remove_at(numbers, list->count, place);
    unsigned class = cm_list_class(list->count);
    list->count--;
    if (list->count == 1) {
        uint32_t only = numbers[0];
        cm_list_give_block(lists, class, list->at);
        list->at = only;
    } else if (cm_list_class(list->count) < class) {
        halve_block(lists, list, class);
    }
}

static void remove_chunk(cm_lists *lists, cm_directory *directory, size_t chunk)
{
    cm_list_give_block(lists, CM_LIST_CLASSES - 1, directory->chunks[chunk].block);
    memmove(directory->chunks + chunk, directory->chunks + chunk + 1,
            (directory->count - chunk - 1) * sizeof *directory->chunks);
    memmove(directory->samples + chunk, directory->samples + chunk + 1,
            (directory->count - chunk - 1) * sizeof *directory->samples);
    directory->count--;
}

/* Back to one block, when all chunks but one are gone. */
static void shorten(cm_lists *lists, cm_list *list)
{
    uint32_t number = list->at;
    cm_directory *directory = &lists->directories[number];
    list->at = directory->chunks[0].block;
    directory->count = 0;
    directory->next_free = lists->free_directory;
    lists->free_directory = number;
}

/* The chunks of a list that has become short again, gathered into the first. */
static void gather(cm_lists *lists, cm_directory *directory)
{
    uint32_t *first = lists->pool + directory->chunks[0].block;
    uint32_t count = cm_chunk_count(directory, 0);
    while (directory->count > 1) {
        uint32_t more = cm_chunk_count(directory, 1);
        memcpy(first + count, lists->pool + directory->chunks[1].block, more * sizeof *first);
        count += more;
        remove_chunk(lists, directory, 1);
    }
}

static void remove_long(cm_lists *lists, cm_list *list, uint32_t click)
{
    cm_directory *directory = cm_list_directory(lists, list);
    size_t chunk = cm_list_chunk_for(lists, directory, click);
    uint32_t *numbers = lists->pool + directory->chunks[chunk].block;
    uint32_t count = cm_chunk_count(directory, chunk);
    uint32_t place = cm_list_place(lists, numbers, count, click);
    if (place == count && chunk + 1 < directory->count) {
        /* It is the first of the next chunk, which begins with it and not before it. */
        chunk++;
        numbers = lists->pool + directory->chunks[chunk].block;
        count = cm_chunk_count(directory, chunk);
        place = 0;
    }
    CM_CHECK(place < count && numbers[place] == click);
    remove_at(numbers, count, place);
    if (chunk == 0) {
        directory->chunks[0]
            .rank++; /* the clicks behind keep their ranks: the common case is cheap */
    } else {
        for (size_t i = chunk + 1; i < directory->count; i++)
            directory->chunks[i].rank--;
        directory->end_rank--;
    }
    list->count--;
    if (count == 1)
        remove_chunk(lists, directory, chunk);
    else
        cm_chunk_refresh(lists, directory, chunk, place);
    if (list->count == CM_LIST_CHUNK) {
        gather(lists, directory);
        shorten(lists, list);
    }
}

void cm_list_remove(cm_lists *lists, cm_list *list, uint32_t click)
{
    if (cm_list_is_long(list))
        remove_long(lists, list, click);
    else
        remove_short(lists, list, click);
}

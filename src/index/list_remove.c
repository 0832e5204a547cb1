/* Clicks out of lists, mostly from their front. */
#include "index/list_parts.h"

#define FEW (CM_LIST_CHUNK / 4) /* numbers that are moved rather than those behind them */

/* The place of a number; count where it is not there. */
static uint32_t find_number(const uint32_t *numbers, uint32_t count, uint32_t click)
{
    uint32_t place = 0;
    while (place < count && numbers[place] != click)
        place++;
    return place;
}

static void remove_at(uint32_t *numbers, uint32_t count, uint32_t place)
{
    memmove(numbers + place, numbers + place + 1, (count - place - 1) * sizeof *numbers);
}

/* A half is kept: that which holds the clicks, or the first, to which they move. */
static void halve_block(cm_lists *lists, cm_list *list, unsigned class)
{
    uint32_t half = 1u << (class - 1);
    uint32_t start = cm_list_block(list, class), skip = list->at - start;
    if (skip >= half) {
        cm_list_give_block(lists, class - 1, start);
        return;
    }
    if (skip + list->count > half)
        cm_list_settle_short(lists, list, class);
    cm_list_give_block(lists, class - 1, start + half);
}

/* Clicks leave in order, but for a few: what is older moves up by one. */
static void remove_short(cm_lists *lists, cm_list *list, uint32_t click)
{
    if (list->count == 1) {
        CM_CHECK(list->at == click);
        *list = (cm_list){0};
        return;
    }
    unsigned class = cm_list_class(list->count);
    uint32_t *numbers = lists->pool + list->at;
    uint32_t place = find_number(numbers, list->count, click);
    CM_CHECK(place < list->count);
    if (place <= list->count / 2) {
        memmove(numbers + 1, numbers, place * sizeof *numbers);
        list->at++;
    } else {
        remove_at(numbers, list->count, place);
    }
    list->count--;
    if (list->count == 1) {
        uint32_t only = lists->pool[list->at];
        cm_list_give_block(lists, class, cm_list_block(list, class));
        list->at = only;
    } else if (cm_list_class(list->count) < class) {
        halve_block(lists, list, class);
    }
}

/* Chunks leave near the front, mostly: of those before and those behind, the fewer move. */
static void remove_chunk(cm_lists *lists, cm_directory *directory, size_t chunk)
{
    cm_chunk *chunks = directory->chunks;
    cm_samples *samples = directory->samples;
    cm_list_give_block(lists, CM_LIST_CLASSES - 1,
                       chunks[chunk].block - cm_chunk_skip(directory, chunk));
    directory->count--;
    if (chunk == 0)
        directory->skip = 0;
    if (chunk <= directory->count / 2) {
        memmove(chunks + 1, chunks, chunk * sizeof *chunks);
        memmove(samples + 1, samples, chunk * sizeof *samples);
        directory->chunks++;
        directory->samples++;
        directory->gap++;
        return;
    }
    memmove(chunks + chunk, chunks + chunk + 1, (directory->count - chunk) * sizeof *chunks);
    memmove(samples + chunk, samples + chunk + 1, (directory->count - chunk) * sizeof *samples);
}

/* Back to one block, when all chunks but one are gone. */
static void shorten(cm_lists *lists, cm_list *list)
{
    uint32_t number = list->at;
    list->at = lists->directories[number].chunks[0].block;
    cm_list_give_directory(lists, number);
}

/* A chunk's clicks, behind those of the chunk before it, which has room. */
static void join_to_previous(cm_lists *lists, cm_directory *directory, size_t chunk)
{
    size_t previous = chunk - 1;
    uint32_t count = cm_chunk_count(directory, previous);
    if (previous == 0)
        cm_list_settle(lists, directory);
    memcpy(lists->pool + directory->chunks[previous].block + count,
           lists->pool + directory->chunks[chunk].block,
           cm_chunk_count(directory, chunk) * sizeof *lists->pool);
    remove_chunk(lists, directory, chunk);
    cm_chunk_refresh(lists, directory, previous, count);
}

/* The chunks of a list that has become short again, gathered into the first. */
static void gather(cm_lists *lists, cm_directory *directory)
{
    cm_list_settle(lists, directory);
    while (directory->count > 1)
        join_to_previous(lists, directory, 1);
}

/* Clicks leave in order, but for a few: what is older moves up by one. The clicks behind keep their
 * ranks. */
static void remove_from_first(cm_lists *lists, cm_directory *directory, uint32_t place)
{
    cm_chunk *chunk = &directory->chunks[0];
    uint32_t *numbers = lists->pool + chunk->block;
    memmove(numbers + 1, numbers, place * sizeof *numbers);
    directory->skip++;
    chunk->block++;
    chunk->rank++;
    if (cm_chunk_count(directory, 0) == 0)
        remove_chunk(lists, directory, 0);
    else
        cm_chunk_refresh_some(lists, directory, 0, 0, place);
}

/* The same where clicks that stay are alone in the first chunk. */
static void remove_from_second(cm_lists *lists, cm_directory *directory, uint32_t place)
{
    uint32_t last = cm_chunk_count(directory, 0) - 1;
    uint32_t *numbers = lists->pool + directory->chunks[1].block;
    memmove(numbers + 1, numbers, place * sizeof *numbers);
    numbers[0] = lists->pool[directory->chunks[0].block + last];
    cm_chunk_refresh_some(lists, directory, 1, 0, place + 1);
    remove_from_first(lists, directory, last);
}

/* Where a click is in a long list. False: it is not there. */
static bool find_click(const cm_lists *lists, const cm_directory *directory, uint32_t click,
                       size_t *chunk, uint32_t *place)
{
    *chunk = 0;
    *place = 0;
    if (lists->pool[directory->chunks[0].block] == click)
        return true;
    *chunk = cm_list_chunk_for(lists, directory, click);
    uint32_t count = cm_chunk_count(directory, *chunk);
    *place = find_number(lists->pool + directory->chunks[*chunk].block, count, click);
    if (*place < count)
        return true;
    /* It may be the first of the next chunk, which begins with it and not before it. */
    *place = 0;
    return ++*chunk < directory->count && lists->pool[directory->chunks[*chunk].block] == click;
}

/* Clicks out of a chunk that is not the first: as many of the next ones as are in it. Returns how
 * many. */
static uint32_t remove_from_other(cm_lists *lists, cm_directory *directory, size_t chunk,
                                  uint32_t place, const uint32_t *clicks, uint32_t click_count)
{
    uint32_t *numbers = lists->pool + directory->chunks[chunk].block;
    uint32_t count = cm_chunk_count(directory, chunk);
    uint32_t first = place, removed = 0;
    do {
        remove_at(numbers, count--, place);
        first = place < first ? place : first;
        removed++;
        if (removed < click_count && (place == count || numbers[place] != clicks[removed]))
            place = find_number(numbers, count, clicks[removed]);
    } while (removed < click_count && place < count);
    cm_list_shift_ranks(directory, chunk, -removed);
    if (count == 0)
        remove_chunk(lists, directory, chunk);
    else if (count + cm_chunk_count(directory, chunk - 1) <= CM_LIST_CHUNK / 2)
        join_to_previous(lists, directory, chunk);
    else
        cm_chunk_refresh(lists, directory, chunk, first);
    return removed;
}

/* The first of some clicks, and of those that follow as many as are near it. */
static uint32_t remove_long(cm_lists *lists, cm_list *list, const uint32_t *clicks,
                            uint32_t click_count)
{
    cm_directory *directory = cm_list_directory(lists, list);
    size_t chunk;
    uint32_t place, removed = 1;
    bool found = find_click(lists, directory, clicks[0], &chunk, &place);
    CM_CHECK(found);
    if (click_count > list->count - CM_LIST_CHUNK)
        click_count = list->count - CM_LIST_CHUNK;
    if (chunk == 0)
        remove_from_first(lists, directory, place);
    else if (chunk == 1 && cm_chunk_count(directory, 0) + place <= FEW)
        remove_from_second(lists, directory, place);
    else
        removed = remove_from_other(lists, directory, chunk, place, clicks, click_count);
    list->count -= removed;
    if (list->count == CM_LIST_CHUNK) {
        gather(lists, directory);
        shorten(lists, list);
    }
    return removed;
}

void cm_list_remove_some(cm_lists *lists, cm_list *list, const uint32_t *clicks, uint32_t count)
{
    for (uint32_t i = 0; i < count;) {
        if (cm_list_is_long(list))
            i += remove_long(lists, list, clicks + i, count - i);
        else
            remove_short(lists, list, clicks[i++]);
    }
}

void cm_list_remove(cm_lists *lists, cm_list *list, uint32_t click)
{
    cm_list_remove_some(lists, list, &click, 1);
}

bool cm_list_contains(const cm_lists *lists, const cm_list *list, uint32_t click)
{
    size_t chunk;
    uint32_t place;
    if (list->count <= 1)
        return list->count == 1 && list->at == click;
    if (cm_list_is_long(list))
        return find_click(lists, cm_list_directory(lists, list), click, &chunk, &place);
    return find_number(lists->pool + list->at, list->count, click) < list->count;
}

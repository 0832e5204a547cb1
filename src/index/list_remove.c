/* Clicks out of lists, mostly from their front. */
#include "index/list_parts.h"

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
    cm_chunk_settle(lists, directory, previous);
    memcpy(lists->pool + directory->chunks[previous].block + count,
           lists->pool + directory->chunks[chunk].block,
           cm_chunk_count(directory, chunk) * sizeof *lists->pool);
    remove_chunk(lists, directory, chunk);
    cm_chunk_refresh(lists, directory, previous, count);
}

/* The chunks of a list that has become short again, gathered into the first. */
static void gather(cm_lists *lists, cm_directory *directory)
{
    cm_chunk_settle(lists, directory, 0);
    while (directory->count > 1)
        join_to_previous(lists, directory, 1);
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

/* So many of the clicks follow one another there. */
static uint32_t count_run(const uint32_t *numbers, uint32_t count, const uint32_t *clicks,
                          uint32_t click_count)
{
    uint32_t run = 0;
    while (run < count && run < click_count && numbers[run] == clicks[run])
        run++;
    return run;
}

/* Samples of places where nothing is any more must not be later than the first click. */
static void pass_samples(cm_directory *directory, size_t chunk, uint32_t from)
{
    int64_t *times = directory->samples[chunk].times;
    for (uint32_t at = from / CM_LIST_SAMPLE + 1;
         at * CM_LIST_SAMPLE < cm_chunk_skip(directory, chunk); at++)
        times[at] = times[0];
}

/* Clicks leave in order, but for a few: those that are older move up. */
static void close_up(cm_lists *lists, cm_directory *directory, size_t chunk, uint32_t place,
                     uint32_t run)
{
    uint32_t *numbers = lists->pool + directory->chunks[chunk].block;
    uint32_t behind = cm_chunk_count(directory, chunk) - place - run;
    cm_list_shift_ranks(directory, chunk, -run);
    if (place <= behind) {
        memmove(numbers + run, numbers, place * sizeof *numbers);
        directory->chunks[chunk].block += run;
        pass_samples(directory, chunk, cm_chunk_skip(directory, chunk) - run);
        cm_chunk_refresh_some(lists, directory, chunk, 0, place);
    } else {
        memmove(numbers + place, numbers + place + run, behind * sizeof *numbers);
        cm_chunk_refresh(lists, directory, chunk, place);
    }
}

/* The first of some clicks, which is there, and as many as follow it. Returns how many. */
static uint32_t remove_run(cm_lists *lists, cm_directory *directory, size_t chunk, uint32_t place,
                           const uint32_t *clicks, uint32_t click_count)
{
    uint32_t count = cm_chunk_count(directory, chunk);
    uint32_t run = count_run(lists->pool + directory->chunks[chunk].block + place, count - place,
                             clicks, click_count);
    if (run == count) {
        cm_list_shift_ranks(directory, chunk, -run);
        remove_chunk(lists, directory, chunk);
        return run;
    }
    close_up(lists, directory, chunk, place, run);
    if (chunk > 0 && count - run + cm_chunk_count(directory, chunk - 1) <= CM_LIST_CHUNK / 4)
        join_to_previous(lists, directory, chunk);
    return run;
}

static uint32_t remove_long(cm_lists *lists, cm_list *list, const uint32_t *clicks,
                            uint32_t click_count)
{
    cm_directory *directory = cm_list_directory(lists, list);
    size_t chunk;
    uint32_t place;
    bool found = find_click(lists, directory, clicks[0], &chunk, &place);
    CM_CHECK(found);
    if (click_count > list->count - CM_LIST_CHUNK)
        click_count = list->count - CM_LIST_CHUNK;
    uint32_t removed = remove_run(lists, directory, chunk, place, clicks, click_count);
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

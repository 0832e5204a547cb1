/* Clicks into lists, each at its place in time. */
#include "index/list_parts.h"

/* Where a click belongs among ordered ones: the number of those older than it. From the end, as
 * clicks come in order. */
uint32_t cm_list_place(const cm_lists *lists, const uint32_t *numbers, uint32_t count,
                       uint32_t click)
{
    if (count == 0 || cm_click_store_is_older(lists->store, numbers[count - 1], click))
        return count;
    uint32_t low = 0;
    uint32_t high = count - 1;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (cm_click_store_is_older(lists->store, numbers[middle], click))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void insert_at(uint32_t *numbers, uint32_t count, uint32_t place, uint32_t click)
{
    memmove(numbers + place + 1, numbers + place, (count - place) * sizeof *numbers);
    numbers[place] = click;
}

static void insert_short(cm_lists *lists, cm_list *list, uint32_t click)
{
    if (list->count == 0) {
        list->at = click;
        list->count = 1;
        return;
    }
    if (list->count == 1) {
        uint32_t only = list->at;
        list->at = cm_list_take_block(lists, 1);
        lists->pool[list->at] = only;
    } else {
        cm_list_extend(lists, list);
    }
    uint32_t *numbers = lists->pool + list->at;
    insert_at(numbers, list->count, cm_list_place(lists, numbers, list->count, click), click);
    list->count++;
}

void cm_chunk_refresh_some(const cm_lists *lists, cm_directory *directory, size_t chunk,
                           uint32_t place, uint32_t end)
{
    uint32_t skip = cm_chunk_skip(directory, chunk);
    const uint32_t *block = lists->pool + directory->chunks[chunk].block - skip;
    int64_t *times = directory->samples[chunk].times;
    for (uint32_t at = (skip + place + CM_LIST_SAMPLE - 1) / CM_LIST_SAMPLE;
         at * CM_LIST_SAMPLE < skip + end; at++)
        times[at] = cm_click_store_time(lists->store, block[at * CM_LIST_SAMPLE]);
    directory->chunks[chunk].first_time = times[0];
}

void cm_chunk_refresh(const cm_lists *lists, cm_directory *directory, size_t chunk, uint32_t place)
{
    cm_chunk_refresh_some(lists, directory, chunk, place, cm_chunk_count(directory, chunk));
}

void cm_chunk_settle(cm_lists *lists, cm_directory *directory, size_t chunk)
{
    uint32_t skip = cm_chunk_skip(directory, chunk);
    if (skip == 0)
        return;
    uint32_t *numbers = lists->pool + directory->chunks[chunk].block;
    memmove(numbers - skip, numbers, cm_chunk_count(directory, chunk) * sizeof *numbers);
    directory->chunks[chunk].block -= skip;
    cm_chunk_refresh(lists, directory, chunk, 0);
}

void cm_list_lengthen(cm_lists *lists, cm_list *list)
{
    uint32_t number = lists->free_directory;
    cm_directory *directory = &lists->directories[number];
    lists->free_directory = directory->next_free;
    directory->count = 1;
    directory->end_rank = list->count;
    directory->chunks[0] = (cm_chunk){.rank = 0, .block = list->at};
    cm_chunk_refresh(lists, directory, 0, 0);
    list->at = number;
}

/* The last chunk that begins before the click; the first one where none does. */
size_t cm_list_chunk_for(const cm_lists *lists, const cm_directory *directory, uint32_t click)
{
    int64_t time = cm_click_store_time(lists->store, click);
    size_t low = 0;
    size_t high = directory->count;
    if (directory->chunks[high - 1].first_time < time) /* clicks come in order, mostly */
        return high - 1;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        const cm_chunk *chunk = &directory->chunks[middle];
        bool begins_before =
            chunk->first_time != time
                ? chunk->first_time < time
                : cm_click_store_is_older(lists->store, lists->pool[chunk->block], click);
        if (begins_before)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Make room in a full chunk: an empty one after the last, where clicks come in order; else half and
 * half. */
static size_t split(cm_lists *lists, cm_directory *directory, size_t chunk, uint32_t click)
{
    uint32_t *numbers = lists->pool + directory->chunks[chunk].block;
    bool is_last = chunk + 1 == directory->count;
    uint32_t kept = CM_LIST_CHUNK / 2;
    if (is_last && cm_click_store_is_older(lists->store, numbers[CM_LIST_CHUNK - 1], click))
        kept = CM_LIST_CHUNK;
    uint32_t block = cm_list_take_block(lists, CM_LIST_CLASSES - 1);
    numbers = lists->pool + directory->chunks[chunk].block;
    memcpy(lists->pool + block, numbers + kept, (CM_LIST_CHUNK - kept) * sizeof *numbers);
    memmove(directory->chunks + chunk + 2, directory->chunks + chunk + 1,
            (directory->count - chunk - 1) * sizeof *directory->chunks);
    memmove(directory->samples + chunk + 2, directory->samples + chunk + 1,
            (directory->count - chunk - 1) * sizeof *directory->samples);
    directory->count++;
    cm_chunk *second = &directory->chunks[chunk + 1];
    *second = (cm_chunk){.rank = directory->chunks[chunk].rank + kept, .block = block};
    if (kept == CM_LIST_CHUNK)
        return chunk + 1;
    cm_chunk_refresh(lists, directory, chunk + 1, 0);
    return cm_click_store_is_older(lists->store, lists->pool[block], click) ? chunk + 1 : chunk;
}

/* Ranks count from the first one, whatever that is: of those before and those behind, the fewer are
 * changed. */
void cm_list_shift_ranks(cm_directory *directory, size_t chunk, uint32_t more)
{
    if (chunk < directory->count / 2) {
        for (size_t i = 0; i <= chunk; i++)
            directory->chunks[i].rank -= more;
        return;
    }
    for (size_t i = chunk + 1; i < directory->count; i++)
        directory->chunks[i].rank += more;
    directory->end_rank += more;
}

static void insert_long(cm_lists *lists, cm_list *list, uint32_t click)
{
    cm_directory *directory = cm_list_directory(lists, list);
    size_t chunk = cm_list_chunk_for(lists, directory, click);
    cm_chunk_settle(lists, directory, chunk);
    if (cm_chunk_count(directory, chunk) == CM_LIST_CHUNK)
        chunk = split(lists, directory, chunk, click);
    uint32_t *numbers = lists->pool + directory->chunks[chunk].block;
    uint32_t count = cm_chunk_count(directory, chunk);
    uint32_t place = cm_list_place(lists, numbers, count, click);
    insert_at(numbers, count, place, click);
    cm_list_shift_ranks(directory, chunk, 1);
    list->count++;
    cm_chunk_refresh(lists, directory, chunk, place);
}

void cm_list_insert(cm_lists *lists, cm_list *list, uint32_t click)
{
    if (list->count == CM_LIST_CHUNK)
        cm_list_lengthen(lists, list);
    if (list->count >= CM_LIST_CHUNK)
        insert_long(lists, list, click);
    else
        insert_short(lists, list, click);
}

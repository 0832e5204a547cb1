#include "index/list.h"

#include "util/check.h"
#include "util/grow.h"

#define NO_BLOCK UINT32_MAX
#define LISTS_PER_INSERT 8u

void cm_lists_init(cm_lists *lists, const cm_click_store *store)
{
    *lists = (cm_lists){.store = store, .free_directory = NO_BLOCK};
    for (size_t i = 0; i < CM_LIST_CLASSES; i++)
        lists->free_blocks[i] = NO_BLOCK;
}

void cm_lists_destroy(cm_lists *lists)
{
    for (size_t i = 0; i < lists->directory_count; i++)
        free(lists->directories[i].chunks);
    free(lists->directories);
    free(lists->pool);
    *lists = (cm_lists){0};
}

size_t cm_lists_memory(const cm_lists *lists)
{
    return lists->pool_capacity * sizeof(uint32_t) +
           lists->directory_capacity * sizeof(cm_directory) + lists->directory_bytes;
}

/* ---- blocks ---- */

static unsigned class_of(uint32_t count)
{
    return count <= 1 ? 0 : 32u - (unsigned)__builtin_clz(count - 1);
}

static uint32_t take_block(cm_lists *lists, unsigned class)
{
    uint32_t block = lists->free_blocks[class];
    if (block != NO_BLOCK) {
        lists->free_blocks[class] = lists->pool[block];
        return block;
    }
    CM_CHECK(lists->pool_used + (1u << class) <= lists->pool_capacity);
    block = (uint32_t)lists->pool_used;
    lists->pool_used += 1u << class;
    return block;
}

static void give_block(cm_lists *lists, unsigned class, uint32_t block)
{
    lists->pool[block] = lists->free_blocks[class];
    lists->free_blocks[class] = block;
}

static void move_block(cm_lists *lists, cm_list *list, unsigned from, unsigned to, uint32_t count)
{
    uint32_t block = take_block(lists, to);
    memcpy(lists->pool + block, lists->pool + list->at, count * sizeof(uint32_t));
    give_block(lists, from, list->at);
    list->at = block;
}

/* ---- room ---- */

static bool is_long(const cm_list *list)
{
    return list->count > CM_LIST_CHUNK;
}

static cm_directory *directory_of(const cm_lists *lists, const cm_list *list)
{
    return &lists->directories[list->at];
}

static bool reserve_chunks(cm_lists *lists, cm_directory *directory, size_t needed)
{
    size_t before = directory->capacity;
    cm_chunk *chunks =
        cm_grow(directory->chunks, &directory->capacity, needed, sizeof *directory->chunks);
    if (chunks == NULL)
        return false;
    directory->chunks = chunks;
    lists->directory_bytes += (directory->capacity - before) * sizeof(cm_chunk);
    return true;
}

/* A list that is about to become long finds a directory, with room for its chunks, at the head of
 * the free ones. */
static bool reserve_directory(cm_lists *lists)
{
    if (lists->free_directory == NO_BLOCK) {
        cm_directory *directories = cm_grow(lists->directories, &lists->directory_capacity,
                                            lists->directory_count + 1, sizeof *directories);
        if (directories == NULL)
            return false;
        lists->directories = directories;
        lists->free_directory = (uint32_t)lists->directory_count;
        directories[lists->directory_count++] = (cm_directory){.next_free = NO_BLOCK};
    }
    return true;
}

/* Several lists may become long by one click: give each free directory room, as many as there may
 * be takers. */
static bool reserve_directories(cm_lists *lists)
{
    uint32_t ready = 0;
    uint32_t at = lists->free_directory;
    for (; at != NO_BLOCK && ready < LISTS_PER_INSERT; at = lists->directories[at].next_free) {
        if (!reserve_chunks(lists, &lists->directories[at], 4))
            return false;
        ready++;
    }
    while (ready < LISTS_PER_INSERT) {
        uint32_t chain = lists->free_directory;
        lists->free_directory = NO_BLOCK;
        bool made = reserve_directory(lists);
        if (!made || !reserve_chunks(lists, &lists->directories[lists->free_directory], 4)) {
            if (made)
                lists->directories[lists->free_directory].next_free = chain;
            else
                lists->free_directory = chain;
            return false;
        }
        lists->directories[lists->free_directory].next_free = chain;
        ready++;
    }
    return true;
}

cm_status cm_list_reserve(cm_lists *lists, const cm_list *list, cm_error *error)
{
    size_t needed = lists->pool_used + LISTS_PER_INSERT * 2 * CM_LIST_CHUNK;
    if (needed > UINT32_MAX)
        return cm_error_set(error, CM_ERROR_CAPACITY,
                            "more than 4 billion index entries; use a shorter period");
    uint32_t *pool = cm_grow(lists->pool, &lists->pool_capacity, needed, sizeof *pool);
    if (pool == NULL)
        return cm_error_memory(error, "time-ordered lists", needed * sizeof *pool);
    lists->pool = pool;
    bool ready = true;
    if (list != NULL && list->count == CM_LIST_CHUNK)
        ready = reserve_directories(lists);
    else if (list != NULL && is_long(list))
        ready =
            reserve_chunks(lists, directory_of(lists, list), directory_of(lists, list)->count + 1);
    return ready ? CM_OK : cm_error_memory(error, "a list's directory", sizeof(cm_chunk));
}

/* ---- short lists ---- */

/* Where a click belongs among ordered ones: the number of those older than it. From the end, as
 * clicks come in order. */
static uint32_t place_in(const cm_lists *lists, const uint32_t *numbers, uint32_t count,
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
    unsigned class = class_of(list->count);
    if (list->count == 1) {
        uint32_t only = list->at;
        list->at = take_block(lists, 1);
        lists->pool[list->at] = only;
    } else if (list->count == 1u << class) {
        move_block(lists, list, class, class + 1, list->count);
    }
    uint32_t *numbers = lists->pool + list->at;
    insert_at(numbers, list->count, place_in(lists, numbers, list->count, click), click);
    list->count++;
}

/* ---- long lists ---- */

static uint32_t chunk_count(const cm_directory *directory, size_t chunk)
{
    uint32_t next =
        chunk + 1 < directory->count ? directory->chunks[chunk + 1].rank : directory->end_rank;
    return next - directory->chunks[chunk].rank;
}

static void set_first_time(const cm_lists *lists, cm_chunk *chunk)
{
    chunk->first_time =
        cm_click_store_row(lists->store, lists->pool[chunk->block])->click_timestamp;
}

static void lengthen(cm_lists *lists, cm_list *list)
{
    uint32_t number = lists->free_directory;
    cm_directory *directory = &lists->directories[number];
    lists->free_directory = directory->next_free;
    directory->count = 1;
    directory->end_rank = list->count;
    directory->chunks[0] = (cm_chunk){.rank = 0, .block = list->at};
    set_first_time(lists, &directory->chunks[0]);
    list->at = number;
}

/* The last chunk that begins before the click; the first one where none does. */
static size_t chunk_for(const cm_lists *lists, const cm_directory *directory, uint32_t click)
{
    int64_t time = cm_click_store_row(lists->store, click)->click_timestamp;
    size_t low = 0;
    size_t high = directory->count;
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
    uint32_t block = take_block(lists, CM_LIST_CLASSES - 1);
    numbers = lists->pool + directory->chunks[chunk].block;
    memcpy(lists->pool + block, numbers + kept, (CM_LIST_CHUNK - kept) * sizeof *numbers);
    memmove(directory->chunks + chunk + 2, directory->chunks + chunk + 1,
            (directory->count - chunk - 1) * sizeof *directory->chunks);
    directory->count++;
    cm_chunk *second = &directory->chunks[chunk + 1];
    *second = (cm_chunk){.rank = directory->chunks[chunk].rank + kept, .block = block};
    if (kept == CM_LIST_CHUNK)
        return chunk + 1;
    set_first_time(lists, second);
    return cm_click_store_is_older(lists->store, lists->pool[block], click) ? chunk + 1 : chunk;
}

static void insert_long(cm_lists *lists, cm_list *list, uint32_t click)
{
    cm_directory *directory = directory_of(lists, list);
    size_t chunk = chunk_for(lists, directory, click);
    if (chunk_count(directory, chunk) == CM_LIST_CHUNK)
        chunk = split(lists, directory, chunk, click);
    uint32_t *numbers = lists->pool + directory->chunks[chunk].block;
    uint32_t count = chunk_count(directory, chunk);
    insert_at(numbers, count, place_in(lists, numbers, count, click), click);
    set_first_time(lists, &directory->chunks[chunk]);
    for (size_t i = chunk + 1; i < directory->count; i++)
        directory->chunks[i].rank++;
    directory->end_rank++;
    list->count++;
}

void cm_list_insert(cm_lists *lists, cm_list *list, uint32_t click)
{
    if (list->count == CM_LIST_CHUNK)
        lengthen(lists, list);
    if (list->count >= CM_LIST_CHUNK)
        insert_long(lists, list, click);
    else
        insert_short(lists, list, click);
}

/* ---- removal ---- */

static void remove_at(uint32_t *numbers, uint32_t count, uint32_t place)
{
    memmove(numbers + place, numbers + place + 1, (count - place - 1) * sizeof *numbers);
}

/* Into a smaller block that is free; only where there is none is the block cut, for cut blocks stay
 * cut. */
static void halve_block(cm_lists *lists, cm_list *list, unsigned class)
{
    if (lists->free_blocks[class - 1] != NO_BLOCK)
        move_block(lists, list, class, class - 1, list->count);
    else
        give_block(lists, class - 1, list->at + (1u << (class - 1)));
}

static void remove_short(cm_lists *lists, cm_list *list, uint32_t click)
{
    if (list->count == 1) {
        CM_CHECK(list->at == click);
        *list = (cm_list){0};
        return;
    }
    uint32_t *numbers = lists->pool + list->at;
    uint32_t place = place_in(lists, numbers, list->count, click);
    CM_CHECK(place < list->count && numbers[place] == click);
    remove_at(numbers, list->count, place);
    unsigned class = class_of(list->count);
    list->count--;
    if (list->count == 1) {
        uint32_t only = numbers[0];
        give_block(lists, class, list->at);
        list->at = only;
    } else if (class_of(list->count) < class) {
        halve_block(lists, list, class);
    }
}

static void remove_chunk(cm_lists *lists, cm_directory *directory, size_t chunk)
{
    give_block(lists, CM_LIST_CLASSES - 1, directory->chunks[chunk].block);
    memmove(directory->chunks + chunk, directory->chunks + chunk + 1,
            (directory->count - chunk - 1) * sizeof *directory->chunks);
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
    uint32_t count = chunk_count(directory, 0);
    while (directory->count > 1) {
        uint32_t more = chunk_count(directory, 1);
        memcpy(first + count, lists->pool + directory->chunks[1].block, more * sizeof *first);
        count += more;
        remove_chunk(lists, directory, 1);
    }
}

static void remove_long(cm_lists *lists, cm_list *list, uint32_t click)
{
    cm_directory *directory = directory_of(lists, list);
    size_t chunk = chunk_for(lists, directory, click);
    uint32_t *numbers = lists->pool + directory->chunks[chunk].block;
    uint32_t count = chunk_count(directory, chunk);
    uint32_t place = place_in(lists, numbers, count, click);
    if (place == count && chunk + 1 < directory->count) {
        /* It is the first of the next chunk, which begins with it and not before it. */
        chunk++;
        numbers = lists->pool + directory->chunks[chunk].block;
        count = chunk_count(directory, chunk);
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
    else if (place == 0)
        set_first_time(lists, &directory->chunks[chunk]);
    if (list->count == CM_LIST_CHUNK) {
        gather(lists, directory);
        shorten(lists, list);
    }
}

void cm_list_remove(cm_lists *lists, cm_list *list, uint32_t click)
{
    if (is_long(list))
        remove_long(lists, list, click);
    else
        remove_short(lists, list, click);
}

/* ---- looking ---- */

static uint32_t rank_in(const cm_lists *lists, const uint32_t *numbers, uint32_t count,
                        int64_t time)
{
    uint32_t low = 0;
    while (count > 0) {
        uint32_t half = count / 2;
        bool before =
            cm_click_store_row(lists->store, numbers[low + half])->click_timestamp <= time;
        low = before ? low + half + 1 : low;
        count = before ? count - half - 1 : half;
    }
    return low;
}

/* The last chunk whose first time is at most this; the first where none is. */
static size_t chunk_at(const cm_directory *directory, int64_t time)
{
    size_t low = 0;
    size_t count = directory->count;
    while (count > 1) {
        size_t half = count / 2;
        low = directory->chunks[low + half].first_time <= time ? low + half : low;
        count -= half;
    }
    return low;
}

uint32_t cm_list_rank(const cm_lists *lists, const cm_list *list, int64_t time)
{
    if (list->count == 0)
        return 0;
    if (list->count == 1)
        return cm_click_store_row(lists->store, list->at)->click_timestamp <= time;
    if (!is_long(list))
        return rank_in(lists, lists->pool + list->at, list->count, time);
    const cm_directory *directory = directory_of(lists, list);
    size_t chunk = chunk_at(directory, time);
    const uint32_t *numbers = lists->pool + directory->chunks[chunk].block;
    return directory->chunks[chunk].rank - directory->chunks[0].rank +
           rank_in(lists, numbers, chunk_count(directory, chunk), time);
}

uint32_t cm_list_any(const cm_lists *lists, const cm_list *list)
{
    if (list->count == 1)
        return list->at;
    return lists->pool[is_long(list) ? directory_of(lists, list)->chunks[0].block : list->at];
}

void cm_list_prefetch(const cm_lists *lists, const cm_list *list)
{
    if (list->count == 1)
        __builtin_prefetch(cm_click_store_row(lists->store, list->at));
    else if (!is_long(list))
        __builtin_prefetch(lists->pool + list->at);
}

/* The place in the pool of the newest click of a list that has two or more. */
static const uint32_t *end_of(const cm_lists *lists, const cm_list *list)
{
    if (!is_long(list))
        return lists->pool + list->at + list->count - 1;
    const cm_directory *directory = directory_of(lists, list);
    size_t last = directory->count - 1;
    return lists->pool + directory->chunks[last].block + chunk_count(directory, last) - 1;
}

void cm_list_prefetch_end(const cm_lists *lists, const cm_list *list)
{
    if (list->count > 1)
        __builtin_prefetch(end_of(lists, list), 1);
}

void cm_list_prefetch_newest(const cm_lists *lists, const cm_list *list)
{
    if (list->count > 0)
        __builtin_prefetch(
            cm_click_store_row(lists->store, list->count == 1 ? list->at : *end_of(lists, list)));
}

static size_t chunk_of_rank(const cm_directory *directory, uint32_t rank)
{
    size_t low = 0;
    size_t count = directory->count;
    while (count > 1) {
        size_t half = count / 2;
        bool before = directory->chunks[low + half].rank - directory->chunks[0].rank < rank;
        low = before ? low + half : low;
        count -= half;
    }
    return low;
}

cm_cursor cm_list_walk(const cm_lists *lists, const cm_list *list, uint32_t rank)
{
    if (list->count == 0)
        return (cm_cursor){0};
    if (list->count == 1)
        return (cm_cursor){.numbers = &list->at, .left = rank};
    if (!is_long(list))
        return (cm_cursor){.numbers = lists->pool + list->at, .left = rank};
    const cm_directory *directory = directory_of(lists, list);
    size_t chunk = chunk_of_rank(directory, rank);
    return (cm_cursor){
        .directory = directory,
        .numbers = lists->pool + directory->chunks[chunk].block,
        .left = rank - (directory->chunks[chunk].rank - directory->chunks[0].rank),
        .chunk = chunk,
    };
}

bool cm_cursor_previous_chunk(const cm_lists *lists, cm_cursor *cursor)
{
    if (cursor->directory == NULL || cursor->chunk == 0)
        return false;
    cursor->chunk--;
    cursor->numbers = lists->pool + cursor->directory->chunks[cursor->chunk].block;
    cursor->left = chunk_count(cursor->directory, cursor->chunk);
    return true;
}

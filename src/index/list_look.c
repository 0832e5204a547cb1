/* Looking into lists: ranks, and walks from new to old. */
#include "index/list_parts.h"
#include "util/prefetch.h"

static uint32_t rank_in(const cm_lists *lists, const uint32_t *numbers, uint32_t count,
                        int64_t time)
{
    uint32_t low = 0;
    while (count > 0) {
        uint32_t half = count / 2;
        bool before = cm_click_store_time(lists->store, numbers[low + half]) <= time;
        low = before ? low + half + 1 : low;
        count = before ? count - half - 1 : half;
    }
    return low;
}

/* Of every stride-th chunk, the last whose first time is at most this; the first where none is. */
static size_t chunk_near(const cm_directory *directory, size_t stride, int64_t time)
{
    size_t low = 0;
    size_t count = (directory->count + stride - 1) / stride;
    while (count > 1) {
        size_t half = count / 2;
        low = directory->chunks[(low + half) * stride].first_time <= time ? low + half : low;
        count -= half;
    }
    return low * stride;
}

static size_t chunk_at(const cm_directory *directory, int64_t time)
{
    return chunk_near(directory, 1, time);
}

/* A chunk of a long list, or a whole one that is searched. */
struct part {
    const uint32_t *numbers;
    uint32_t count;
    uint32_t skip;          /* samples are counted from so many numbers before */
    const int64_t *samples; /* NULL: none are kept, the clicks themselves tell */
};

static struct part part_of(const cm_lists *lists, const cm_list *list, size_t chunk)
{
    if (!cm_list_is_long(list))
        return (struct part){lists->pool + list->at, list->count, 0, NULL};
    const cm_directory *directory = cm_list_directory(lists, list);
    return (struct part){lists->pool + directory->chunks[chunk].block,
                         cm_chunk_count(directory, chunk), cm_chunk_skip(directory, chunk),
                         directory->samples[chunk].times};
}

/* The samples that are not later than a time. None of the reads waits for another. */
static uint32_t samples_before(const cm_lists *lists, const struct part *part, int64_t time)
{
    uint32_t count = (part->skip + part->count + CM_LIST_SAMPLE - 1) / CM_LIST_SAMPLE;
    uint32_t before = 0;
    if (part->samples != NULL)
        for (uint32_t i = 0; i < count; i++)
            before += part->samples[i] <= time;
    else
        for (uint32_t i = 0; i < count; i++)
            before += cm_click_store_time(lists->store, part->numbers[i * CM_LIST_SAMPLE]) <= time;
    return before;
}

/* A place among the samples' as one among the numbers: what was removed from the front is at its
 * beginning. */
static uint32_t in_part(const struct part *part, uint32_t place)
{
    if (place <= part->skip)
        return 0;
    place -= part->skip;
    return place < part->count ? place : part->count;
}

/* The samples say between which 16 clicks the time is. Those are counted, not searched. */
static uint32_t rank_in_part(const cm_lists *lists, const struct part *part, int64_t time)
{
    uint32_t before = samples_before(lists, part, time);
    if (before == 0)
        return 0;
    uint32_t rank = in_part(part, (before - 1) * CM_LIST_SAMPLE + 1);
    uint32_t end = in_part(part, before * CM_LIST_SAMPLE);
    uint32_t more = 0;
    for (uint32_t i = rank; i < end; i++)
        more += cm_click_store_time(lists->store, part->numbers[i]) <= time;
    return rank + more;
}

#define CHUNKS_PER_LINE (64 / sizeof(cm_chunk))
#define CHUNK_LINES_MAX 8 /* of a longer directory the search finds but its first steps there */

#define COARSE_CHUNKS 512

static void prefetch_numbers(const uint32_t *numbers, uint32_t count)
{
    for (uint32_t i = 0; i < count; i += CM_LIST_SAMPLE)
        cm_prefetch(numbers + i);
    cm_prefetch(numbers + count - 1);
}

void cm_list_prefetch(const cm_lists *lists, const cm_list *list)
{
    if (cm_list_is_long(list))
        cm_prefetch(cm_list_directory(lists, list));
    else if (list->count > 1)
        prefetch_numbers(lists->pool + list->at, list->count);
}

void cm_list_prefetch_chunks(const cm_lists *lists, const cm_list *list)
{
    if (!cm_list_is_long(list))
        return;
    const cm_directory *directory = cm_list_directory(lists, list);
    size_t step = directory->count / CHUNK_LINES_MAX;
    for (size_t at = 0; at < directory->count;
         at += step < CHUNKS_PER_LINE ? CHUNKS_PER_LINE : step)
        cm_prefetch(&directory->chunks[at]);
}

cm_seek cm_list_seek(const cm_lists *lists, const cm_list *list, int64_t time)
{
    if (!cm_list_is_long(list))
        return (cm_seek){0};
    const cm_directory *directory = cm_list_directory(lists, list);
    cm_seek seek = {.chunk = chunk_at(directory, time)};
    cm_prefetch(&directory->samples[seek.chunk].times[0]);
    cm_prefetch(&directory->samples[seek.chunk].times[CM_LIST_SAMPLES - 1]);
    return seek;
}

static void find_place(const cm_lists *lists, const struct part *part, int64_t time, cm_seek *seek)
{
    uint32_t before = samples_before(lists, part, time);
    seek->place = before == 0 ? 0 : in_part(part, (before - 1) * CM_LIST_SAMPLE);
}

void cm_list_seek_place(const cm_lists *lists, const cm_list *list, int64_t time, uint32_t before,
                        cm_seek *seek)
{
    struct part part = part_of(lists, list, seek->chunk);
    if (part.samples == NULL) {
        for (uint32_t i = 0; i < part.count; i += CM_LIST_SAMPLE)
            cm_prefetch(cm_click_store_row(lists->store, part.numbers[i]));
        return;
    }
    find_place(lists, &part, time, seek);
    if (before > seek->place)
        before = seek->place;
    prefetch_numbers(part.numbers + seek->place - before, before + CM_LIST_SAMPLE);
}

void cm_list_seek_clicks(const cm_lists *lists, const cm_list *list, int64_t time, cm_seek *seek)
{
    struct part part = part_of(lists, list, seek->chunk);
    if (part.samples == NULL)
        find_place(lists, &part, time, seek);
    for (uint32_t i = seek->place; i < part.count && i < seek->place + CM_LIST_SAMPLE; i++)
        cm_prefetch(cm_click_store_row(lists->store, part.numbers[i]));
}

uint32_t cm_list_rank(const cm_lists *lists, const cm_list *list, int64_t time)
{
    if (list->count == 0)
        return 0;
    if (list->count == 1)
        return cm_click_store_time(lists->store, list->at) <= time;
    if (!cm_list_is_searched(list))
        return rank_in(lists, lists->pool + list->at, list->count, time);
    size_t chunk = 0;
    uint32_t rank = 0;
    if (cm_list_is_long(list)) {
        const cm_directory *directory = cm_list_directory(lists, list);
        chunk = chunk_at(directory, time);
        rank = directory->chunks[chunk].rank - directory->chunks[0].rank;
    }
    struct part part = part_of(lists, list, chunk);
    return rank + rank_in_part(lists, &part, time);
}

/*
 * The chunks between which a time's end is, some way apart: of a directory that does not fit in the
 * nearest caches the same few lines are read each time. Returns the rank of the first click of the
 * earlier one; after: that of the later one.
 */
static uint32_t rank_near(const cm_directory *directory, int64_t time, uint32_t *after)
{
    size_t stride = directory->count / COARSE_CHUNKS + 1;
    size_t chunk = chunk_near(directory, stride, time);
    size_t next = chunk + stride;
    uint32_t zero = directory->chunks[0].rank;
    *after = (next < directory->count ? directory->chunks[next].rank : directory->end_rank) - zero;
    return directory->chunks[chunk].rank - zero;
}

uint32_t cm_list_rank_at_least(const cm_lists *lists, const cm_list *list, int64_t time)
{
    uint32_t after;
    return cm_list_is_long(list) ? rank_near(cm_list_directory(lists, list), time, &after)
                                 : cm_list_rank(lists, list, time);
}

uint32_t cm_list_rank_at_most(const cm_lists *lists, const cm_list *list, int64_t time)
{
    uint32_t after;
    if (!cm_list_is_long(list))
        return cm_list_rank(lists, list, time);
    rank_near(cm_list_directory(lists, list), time, &after);
    return after;
}

/* The place in the pool of the newest click of a list that has two or more. */
static const uint32_t *end_of(const cm_lists *lists, const cm_list *list)
{
    if (!cm_list_is_long(list))
        return lists->pool + list->at + list->count - 1;
    const cm_directory *directory = cm_list_directory(lists, list);
    size_t last = directory->count - 1;
    return lists->pool + directory->chunks[last].block + cm_chunk_count(directory, last) - 1;
}

uint32_t cm_list_newest(const cm_lists *lists, const cm_list *list)
{
    return list->count == 1 ? list->at : *end_of(lists, list);
}

/* A free block says in its first number which is the next one. */
static void prefetch_free_block(const cm_lists *lists, unsigned class)
{
    if (lists->free_blocks[class] != CM_LIST_NONE)
        cm_prefetch(lists->pool + lists->free_blocks[class]);
}

void cm_list_prefetch_end(const cm_lists *lists, const cm_list *list)
{
    unsigned class = cm_list_class(list->count);
    if (list->count > 1)
        cm_prefetch(end_of(lists, list));
    if (list->count > 0 && list->count < CM_LIST_CHUNK && list->count == 1u << class)
        prefetch_free_block(lists, class + 1);
}

void cm_list_prefetch_front(const cm_lists *lists, const cm_list *list)
{
    if (cm_list_is_long(list))
        cm_prefetch(lists->pool + cm_list_directory(lists, list)->chunks[0].block);
    else if (list->count > 1)
        cm_prefetch(lists->pool + list->at);
}

void cm_list_prefetch_newest(const cm_lists *lists, const cm_list *list)
{
    if (list->count > 0)
        cm_prefetch(cm_click_store_row(lists->store, cm_list_newest(lists, list)));
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
    if (!cm_list_is_long(list))
        return (cm_cursor){.numbers = lists->pool + list->at, .left = rank};
    const cm_directory *directory = cm_list_directory(lists, list);
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
    cursor->left = cm_chunk_count(cursor->directory, cursor->chunk);
    return true;
}

/*
 * Lists of click numbers, oldest first, that stay ordered by time whatever the order of arrival.
 * Looking back from a time is a search and a walk; nothing is sorted when looking.
 *
 *     1 click       at = the click itself: no memory but the list's own 8 bytes
 *     2 to 256      at = in a block of the pool, its size the next power of two
 *     more          at = a directory of chunks of up to 256, with their first times and ranks:
 *
 *         directory  [t0, rank 0, block]  [t1, rank 256, block]  [t2, rank 512, block]
 *         blocks     [256 clicks       ]  [256 clicks         ]  [  37 clicks         ]
 *
 * An insert moves at most 256 numbers and the ranks behind it; counting the clicks of a time range
 * is two searches in the directory, which stays in the cache, each of which then looks at 16
 * clicks: the times of every 16th are kept beside the directory. Clicks mostly arrive in order and
 * leave in order: both ends are cheap. What leaves at the front of a block, of a chunk or of the
 * directory moves nothing: they begin further on.
 */
#ifndef CM_INDEX_LIST_H
#define CM_INDEX_LIST_H

#include "store/click_store.h"

#define CM_LIST_CHUNK 256u
#define CM_LIST_CLASSES 9  /* blocks of 1, 2, 4, ... 256 numbers */
#define CM_LIST_SAMPLE 16u /* of a long list the times of every 16th click are at hand */
#define CM_LIST_SAMPLES (CM_LIST_CHUNK / CM_LIST_SAMPLE)
#define CM_LIST_WALKED_MAX 64u

/** A list. Zero is empty. */
typedef struct cm_list {
    uint32_t count;
    uint32_t at;
} cm_list;

typedef struct cm_chunk {
    int64_t first_time; /* click_timestamp of its first click, or of one before it that has left */
    uint32_t rank;      /* of its first click, counted from the list's own zero, modulo 2^32 */
    uint32_t block;     /* place in the pool: of its first click, where it begins further on */
} cm_chunk;

/** Times of the clicks at places 0, 16, 32, ... of a chunk's block. */
typedef struct cm_samples {
    int64_t times[CM_LIST_SAMPLES];
} cm_samples;

typedef struct cm_directory {
    cm_chunk *chunks;
    cm_samples *samples; /* of the same chunks */
    size_t count, capacity, sample_capacity;
    size_t gap;        /* places before the first chunk that are not used any more */
    uint32_t end_rank; /* rank after the last click */
    uint32_t next_free;
} cm_directory;

/** What all lists share. One writer, or any number of readers. */
typedef struct cm_lists {
    const cm_click_store *store;
    uint32_t *pool;
    size_t pool_used, pool_capacity;
    size_t pool_free;                      /* of the used: numbers in free blocks */
    uint32_t free_blocks[CM_LIST_CLASSES]; /* heads of chains through the blocks' first number */
    cm_directory *directories;
    size_t directory_count, directory_capacity;
    uint32_t free_directory;
    size_t directory_bytes; /* of all chunks arrays */
} cm_lists;

void cm_lists_init(cm_lists *lists, const cm_click_store *store);
void cm_lists_destroy(cm_lists *lists);
size_t cm_lists_memory(const cm_lists *lists);

/**
 * Make sure that the next insert into a list cannot fail.
 *
 * @param list  NULL: a list that is empty or not made yet
 * @return CM_OK, CM_ERROR_MEMORY or CM_ERROR_CAPACITY
 */
cm_status cm_list_reserve(cm_lists *lists, const cm_list *list, cm_error *error);

/** Insert a click that is in the store; room must have been reserved. */
void cm_list_insert(cm_lists *lists, cm_list *list, uint32_t click);

/** Remove a click, which must be in the list. */
void cm_list_remove(cm_lists *lists, cm_list *list, uint32_t click);

/** Remove clicks, all of which must be in the list: in its order this costs least. */
void cm_list_remove_some(cm_lists *lists, cm_list *list, const uint32_t *clicks, uint32_t count);

/** Is a click in the list? Cheap where it is one of the first. */
bool cm_list_contains(const cm_lists *lists, const cm_list *list, uint32_t click);

/** Ask for what removing the first click of a list reads. */
void cm_list_prefetch_front(const cm_lists *lists, const cm_list *list);

/** Number of clicks with click_timestamp <= time. */
uint32_t cm_list_rank(const cm_lists *lists, const cm_list *list, int64_t time);

/** Where the search for a rank stands: cm_list_seek. */
typedef struct cm_seek {
    size_t chunk;   /* of a long list */
    uint32_t place; /* in it: the first of the 16 clicks that are left */
} cm_seek;

/** Does it have a directory? */
static inline bool cm_list_is_long(const cm_list *list)
{
    return list->count > CM_LIST_CHUNK;
}

/** Is it worth searching? A shorter one is walked from its end. */
static inline bool cm_list_is_searched(const cm_list *list)
{
    return list->count > CM_LIST_WALKED_MAX;
}

/** Ask the memory for a list: the directory of a long one, else its numbers; then (a call later)
 * for what the directory leads to. */
void cm_list_prefetch(const cm_lists *lists, const cm_list *list);
void cm_list_prefetch_chunks(const cm_lists *lists, const cm_list *list);

/*
 * After these, cm_list_rank of a list that is searched in steps, each of which asks the memory for
 * what the next reads: of a long one its samples, the numbers of 16 clicks and these clicks; of
 * another every 16th click and then 16 clicks.
 *
 * @param before  clicks before the place that will be read, too
 */
cm_seek cm_list_seek(const cm_lists *lists, const cm_list *list, int64_t time);
void cm_list_seek_place(const cm_lists *lists, const cm_list *list, int64_t time, uint32_t before,
                        cm_seek *seek);
void cm_list_seek_clicks(const cm_lists *lists, const cm_list *list, int64_t time, cm_seek *seek);

/** Numbers that cm_list_rank is not below, and not above; near it, and found without looking at a
 * click where the list is long. */
uint32_t cm_list_rank_at_least(const cm_lists *lists, const cm_list *list, int64_t time);
uint32_t cm_list_rank_at_most(const cm_lists *lists, const cm_list *list, int64_t time);

/** The last click of a list that is not empty. */
uint32_t cm_list_newest(const cm_lists *lists, const cm_list *list);

/** After those two, ask for the end of a list, then for the newest click. */
void cm_list_prefetch_end(const cm_lists *lists, const cm_list *list);
void cm_list_prefetch_newest(const cm_lists *lists, const cm_list *list);

/** A walk from new to old. Holds while nobody writes. */
typedef struct cm_cursor {
    const cm_directory *directory; /* NULL: the list is one block */
    const uint32_t *numbers;       /* the block */
    uint32_t left;                 /* clicks of the block still to come */
    size_t chunk;
} cm_cursor;

/** Begin just before a rank: the first click that comes is the newest of those before it. */
cm_cursor cm_list_walk(const cm_lists *lists, const cm_list *list, uint32_t rank);

/** Where the walk goes on in an older chunk. */
bool cm_cursor_previous_chunk(const cm_lists *lists, cm_cursor *cursor);

/** The next older click; CM_NUMBER_NONE at the end. */
static inline uint32_t cm_cursor_next(const cm_lists *lists, cm_cursor *cursor)
{
    if (cursor->left == 0 && !cm_cursor_previous_chunk(lists, cursor))
        return CM_NUMBER_NONE;
    return cursor->numbers[--cursor->left];
}

#endif

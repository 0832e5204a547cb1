/* What lists live in: the pool of blocks, the directories, and making sure of room in both. */
#include "index/list_parts.h"
#include "util/grow.h"

void cm_lists_init(cm_lists *lists, const cm_click_store *store)
{
    *lists = (cm_lists){.store = store, .free_directory = CM_LIST_NONE};
    for (size_t i = 0; i < CM_LIST_CLASSES; i++)
        lists->free_blocks[i] = CM_LIST_NONE;
}

static void free_directory(cm_directory *directory)
{
    free(directory->chunks);
    free(directory->samples);
}

void cm_lists_destroy(cm_lists *lists)
{
    for (size_t i = 0; i < lists->directory_count; i++)
        free_directory(&lists->directories[i]);
    free(lists->directories);
    free(lists->pool);
    *lists = (cm_lists){0};
}

size_t cm_lists_memory(const cm_lists *lists)
{
    return lists->pool_capacity * sizeof(uint32_t) +
           lists->directory_capacity * sizeof(cm_directory) + lists->directory_bytes;
}

uint32_t cm_list_take_block(cm_lists *lists, unsigned class)
{
    uint32_t block = lists->free_blocks[class];
    if (block != CM_LIST_NONE) {
        lists->free_blocks[class] = lists->pool[block];
        return block;
    }
    CM_CHECK(lists->pool_used + (1u << class) <= lists->pool_capacity);
    block = (uint32_t)lists->pool_used;
    lists->pool_used += 1u << class;
    return block;
}

void cm_list_give_block(cm_lists *lists, unsigned class, uint32_t block)
{
    lists->pool[block] = lists->free_blocks[class];
    lists->free_blocks[class] = block;
}

void cm_list_move_block(cm_lists *lists, cm_list *list, unsigned from, unsigned to, uint32_t count)
{
    uint32_t block = cm_list_take_block(lists, to);
    memcpy(lists->pool + block, lists->pool + list->at, count * sizeof(uint32_t));
    cm_list_give_block(lists, from, list->at);
    list->at = block;
}

static size_t directory_bytes(const cm_directory *directory)
{
    return directory->capacity * sizeof(cm_chunk) + directory->sample_capacity * sizeof(cm_samples);
}

static bool reserve_chunks(cm_lists *lists, cm_directory *directory, size_t needed)
{
    size_t before = directory_bytes(directory);
    cm_chunk *chunks =
        cm_grow(directory->chunks, &directory->capacity, needed, sizeof *directory->chunks);
    if (chunks != NULL)
        directory->chunks = chunks;
    cm_samples *samples = cm_grow(directory->samples, &directory->sample_capacity, needed,
                                  sizeof *directory->samples);
    if (samples != NULL)
        directory->samples = samples;
    lists->directory_bytes += directory_bytes(directory) - before;
    return chunks != NULL && samples != NULL;
}

/* A list that is about to become long finds a directory, with room for its chunks, at the head of
 * the free ones. */
static bool reserve_directory(cm_lists *lists)
{
    if (lists->free_directory == CM_LIST_NONE) {
        cm_directory *directories = cm_grow(lists->directories, &lists->directory_capacity,
                                            lists->directory_count + 1, sizeof *directories);
        if (directories == NULL)
            return false;
        lists->directories = directories;
        lists->free_directory = (uint32_t)lists->directory_count;
        directories[lists->directory_count++] = (cm_directory){.next_free = CM_LIST_NONE};
    }
    return reserve_chunks(lists, &lists->directories[lists->free_directory], 4);
}

/* Numbers that the next insert may take from the pool. */
static size_t room_for(const cm_list *list)
{
    if (list == NULL || list->count == 0)
        return 2; /* not made yet: by the time of the insert it may hold one */
    if (list->count >= CM_LIST_CHUNK)
        return CM_LIST_CHUNK;
    unsigned class = cm_list_class(list->count);
    return list->count == 1u << class ? (size_t)2 << class : 0;
}

cm_status cm_list_reserve(cm_lists *lists, const cm_list *list, cm_error *error)
{
    size_t needed = lists->pool_used + room_for(list);
    if (needed > UINT32_MAX)
        return cm_error_set(error, CM_ERROR_CAPACITY,
                            "more than 4 billion index entries; use a shorter period");
    uint32_t *pool = cm_grow(lists->pool, &lists->pool_capacity, needed, sizeof *pool);
    if (pool == NULL)
        return cm_error_memory(error, "time-ordered lists", needed * sizeof *pool);
    lists->pool = pool;
    bool ready = true;
    if (list != NULL && list->count == CM_LIST_CHUNK)
        ready = reserve_directory(lists);
    else if (list != NULL && cm_list_is_long(list))
        ready = reserve_chunks(lists, cm_list_directory(lists, list),
                               cm_list_directory(lists, list)->count + 1);
    return ready ? CM_OK : cm_error_memory(error, "a list's directory", sizeof(cm_chunk));
}

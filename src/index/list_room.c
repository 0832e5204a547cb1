/* Making sure that lists have room: the directories of long ones; blocks are the pool's. */
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
    free(directory->chunks == NULL ? NULL : directory->chunks - directory->gap);
    free(directory->samples == NULL ? NULL : directory->samples - directory->gap);
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

static size_t directory_bytes(const cm_directory *directory)
{
    return directory->capacity * sizeof(cm_chunk) + directory->sample_capacity * sizeof(cm_samples);
}

/* To the beginning of the arrays. */
static void close_gap(cm_directory *directory)
{
    size_t gap = directory->gap;
    memmove(directory->chunks - gap, directory->chunks, directory->count * sizeof(cm_chunk));
    memmove(directory->samples - gap, directory->samples, directory->count * sizeof(cm_samples));
    directory->chunks -= gap;
    directory->samples -= gap;
    directory->gap = 0;
}

static bool has_room(const cm_directory *directory, size_t needed)
{
    size_t end = directory->gap + needed;
    return end <= directory->capacity && end <= directory->sample_capacity;
}

static bool grow_chunks(cm_lists *lists, cm_directory *directory, size_t needed)
{
    size_t before = directory_bytes(directory), gap = directory->gap;
    cm_chunk *chunks = cm_grow(directory->chunks == NULL ? NULL : directory->chunks - gap,
                               &directory->capacity, gap + needed, sizeof *chunks);
    if (chunks != NULL)
        directory->chunks = chunks + gap;
    cm_samples *samples = cm_grow(directory->samples == NULL ? NULL : directory->samples - gap,
                                  &directory->sample_capacity, gap + needed, sizeof *samples);
    if (samples != NULL)
        directory->samples = samples + gap;
    lists->directory_bytes += directory_bytes(directory) - before;
    return chunks != NULL && samples != NULL;
}

/* The gap is closed only where it is large, so that what moves is in proportion to what came. */
static bool reserve_chunks(cm_lists *lists, cm_directory *directory, size_t needed)
{
    if (has_room(directory, needed))
        return true;
    if (directory->gap > directory->count / 8)
        close_gap(directory);
    return has_room(directory, needed) || grow_chunks(lists, directory, needed);
}

void cm_list_give_directory(cm_lists *lists, uint32_t number)
{
    cm_directory *directory = &lists->directories[number];
    lists->directory_bytes -= directory_bytes(directory);
    free_directory(directory);
    *directory = (cm_directory){.next_free = lists->free_directory};
    lists->free_directory = number;
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

/* The block that the next insert may take from the pool; 0: none. */
static unsigned next_block(const cm_list *list)
{
    if (list == NULL || list->count == 0)
        return 1; /* not made yet: by the time of the insert it may hold one */
    if (list->count >= CM_LIST_CHUNK)
        return CM_LIST_CLASSES - 1;
    unsigned class = cm_list_class(list->count);
    return list->count == 1u << class ? class + 1 : 0;
}

cm_status cm_list_reserve(cm_lists *lists, const cm_list *list, cm_error *error)
{
    unsigned class = next_block(list);
    cm_status status = class == 0 ? CM_OK : cm_list_reserve_block(lists, class, error);
    if (status != CM_OK)
        return status;
    bool ready = true;
    if (list != NULL && list->count == CM_LIST_CHUNK)
        ready = reserve_directory(lists);
    else if (list != NULL && cm_list_is_long(list))
        ready = reserve_chunks(lists, cm_list_directory(lists, list),
                               cm_list_directory(lists, list)->count + 1);
    return ready ? CM_OK : cm_error_memory(error, "a list's directory", sizeof(cm_chunk));
}

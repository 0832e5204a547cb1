/* Many clicks into lists at once: appended as they come, and put in order at the end. */
#include "index/list_bulk.h"

#include "index/list_parts.h"
#include "util/grow.h"

/* A shorter list is kept in order all the time. */
#define ORDERED_MAX 32u

static void append_chunk(cm_lists *lists, cm_directory *directory, uint32_t click)
{
    uint32_t block = cm_list_take_block(lists, CM_LIST_CLASSES - 1);
    lists->pool[block] = click;
    cm_chunk *chunk = &directory->chunks[directory->count++];
    *chunk = (cm_chunk){.rank = directory->end_rank++, .block = block};
    cm_chunk_refresh(lists, directory, directory->count - 1, 0);
}

static void append_long(cm_lists *lists, const cm_list *list, uint32_t click)
{
    cm_directory *directory = cm_list_directory(lists, list);
    size_t last = directory->count - 1;
    uint32_t count = cm_chunk_count(directory, last);
    if (cm_chunk_skip(directory, last) + count == CM_LIST_CHUNK) {
        append_chunk(lists, directory, click);
        return;
    }
    lists->pool[directory->chunks[last].block + count] = click;
    directory->end_rank++;
    cm_chunk_refresh(lists, directory, last, count);
}

static void append_short(cm_lists *lists, cm_list *list, uint32_t click)
{
    cm_list_extend(lists, list);
    lists->pool[list->at + list->count] = click;
}

bool cm_list_append(cm_lists *lists, cm_list *list, uint32_t click)
{
    if (list->count < ORDERED_MAX) {
        cm_list_insert(lists, list, click);
        return true;
    }
    bool in_order = cm_click_store_is_older(lists->store, cm_list_newest(lists, list), click);
    if (list->count == CM_LIST_CHUNK)
        cm_list_lengthen(lists, list);
    if (list->count >= CM_LIST_CHUNK)
        append_long(lists, list, click);
    else
        append_short(lists, list, click);
    list->count++;
    return in_order;
}

/* In the last chunk there is room, the click is no sample, and it is later than the one before. */
bool cm_list_append_plainly(cm_lists *lists, cm_list *list, uint32_t click)
{
    if (!cm_list_is_long(list))
        return false;
    cm_directory *directory = cm_list_directory(lists, list);
    const cm_chunk *last = &directory->chunks[directory->count - 1];
    uint32_t count = directory->end_rank - last->rank;
    uint32_t *numbers = lists->pool + last->block;
    if ((last->block + count) % CM_LIST_SAMPLE == 0 || /* nor is the block full */
        cm_click_store_time(lists->store, numbers[count - 1]) >=
            cm_click_store_time(lists->store, click))
        return false;
    numbers[count] = click;
    directory->end_rank++;
    list->count++;
    return true;
}

/* ---- putting in order ---- */

/* The blocks of a list, one after another. */
static uint32_t *block_at(const cm_lists *lists, const cm_list *list, size_t at, uint32_t *count)
{
    if (!cm_list_is_long(list)) {
        *count = list->count;
        return at == 0 ? lists->pool + list->at : NULL;
    }
    const cm_directory *directory = cm_list_directory(lists, list);
    if (at == directory->count)
        return NULL;
    *count = cm_chunk_count(directory, at);
    return lists->pool + directory->chunks[at].block;
}

static void read_entries(const cm_lists *lists, const cm_list *list, cm_sort_entry *entries)
{
    uint32_t count;
    const uint32_t *numbers;
    for (size_t at = 0; (numbers = block_at(lists, list, at, &count)) != NULL; at++)
        for (uint32_t i = 0; i < count; i++) {
            int64_t time = cm_click_store_time(lists->store, numbers[i]);
            *entries++ = (cm_sort_entry){(uint64_t)time, numbers[i]};
        }
}

static void write_entries(const cm_lists *lists, const cm_list *list, const cm_sort_entry *entries)
{
    uint32_t count;
    uint32_t *numbers;
    for (size_t at = 0; (numbers = block_at(lists, list, at, &count)) != NULL; at++) {
        for (uint32_t i = 0; i < count; i++)
            numbers[i] = entries++->value;
        if (cm_list_is_long(list))
            cm_chunk_refresh(lists, cm_list_directory(lists, list), at, 0);
    }
}

static void settle(cm_lists *lists, const cm_list *list)
{
    cm_directory *directory = cm_list_is_long(list) ? cm_list_directory(lists, list) : NULL;
    for (size_t at = 0; directory != NULL && at < directory->count; at++)
        cm_chunk_settle(lists, directory, at);
}

/* Among equal times the smaller click id is last. */
static int compare_ids(const void *a, const void *b, void *store)
{
    return cm_slice_compare(cm_click_store_id(store, ((const cm_sort_entry *)b)->value),
                            cm_click_store_id(store, ((const cm_sort_entry *)a)->value));
}

static void order_equal_times(const cm_click_store *store, cm_sort_entry *entries, size_t count)
{
    for (size_t begin = 0, end; begin < count; begin = end) {
        for (end = begin + 1; end < count && entries[end].key == entries[begin].key; end++)
            ;
        if (end > begin + 1)
            qsort_r(entries + begin, end - begin, sizeof *entries, compare_ids, (void *)store);
    }
}

cm_status cm_list_sort(cm_lists *lists, const cm_list *list, cm_list_sorter *sorter,
                       cm_error *error)
{
    if (list->count <= 1)
        return CM_OK;
    cm_sort_entry *entries =
        cm_grow(sorter->entries, &sorter->capacity, 2 * (size_t)list->count, sizeof *entries);
    if (entries == NULL)
        return cm_error_memory(error, "sorting a list", 2 * list->count * sizeof *entries);
    sorter->entries = entries;
    settle(lists, list);
    read_entries(lists, list, entries);
    cm_sort_entry *sorted = cm_sort(entries, entries + list->count, list->count);
    order_equal_times(lists->store, sorted, list->count);
    write_entries(lists, list, sorted);
    return CM_OK;
}

void cm_list_sorter_destroy(cm_list_sorter *sorter)
{
    free(sorter->entries);
    *sorter = (cm_list_sorter){0};
}

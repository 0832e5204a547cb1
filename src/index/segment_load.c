/* Segments are taken in by all threads until their logs are large; then all threads build the
 * indexes; and so on. */
#include "index/segment_load.h"

#include <stdatomic.h>

#include "index/click_bulk.h"
#include "util/check.h"
#include "util/parallel.h"

/* Each build passes over all shards: in builds of 64 MiB of logs, as when loading in bulk, it takes
 * almost half as long again. Five million clicks have 340 MB, which are freed at the end. */
#define LOG_BYTES_MAX ((size_t)512 << 20)

/* One thread's part. */
typedef struct loader {
    cm_segment_adopter adopter;
    cm_buffer bytes;
    cm_status status;
    cm_error error;
} loader;

typedef struct load {
    cm_click_index *index;
    const cm_segment_source *source;
    unsigned threads;
    loader *loaders;
    pthread_mutex_t lock; /* of names, the store and logs */
    cm_click_bulk bulk;
    cm_click_log **logs; /* by image: they are built in this order */
    size_t built;        /* images whose logs are in bulk, or built */
    atomic_size_t next;  /* image */
    atomic_bool is_full, has_failed;
} load;

/* Give a log to the build, and those that waited for it. */
static void put_logs(load *l, loader *by, size_t number, cm_click_log *log)
{
    pthread_mutex_lock(&l->lock);
    l->logs[number] = log;
    while (l->built < l->source->count && l->logs[l->built] != NULL && by->status == CM_OK) {
        cm_click_log *next = l->logs[l->built];
        l->logs[l->built++] = NULL;
        if (!cm_click_bulk_put(&l->bulk, next))
            by->status = cm_error_memory(&by->error, "blocks of clicks", l->bulk.count);
    }
    if (l->bulk.bytes >= LOG_BYTES_MAX)
        atomic_store(&l->is_full, true);
    pthread_mutex_unlock(&l->lock);
}

static void load_image(load *l, loader *by, size_t number)
{
    cm_segment_image image = {0};
    by->status = l->source->read(l->source->context, number, &by->bytes, &image, &by->error);
    if (by->status != CM_OK)
        return;
    image.bytes = cm_slice_of(by->bytes.data, by->bytes.size);
    by->status = cm_segment_adopt(&by->adopter, &image, &by->error);
    if (by->status != CM_OK)
        return;
    pthread_mutex_lock(&l->lock);
    cm_click_log *spare = cm_click_bulk_take_spare(&l->bulk);
    pthread_mutex_unlock(&l->lock);
    cm_click_log *log = cm_click_logger_take(&by->adopter.logger, spare);
    if (log == NULL)
        by->status = cm_error_memory(&by->error, "a segment of clicks", sizeof *log);
    else
        put_logs(l, by, number, log);
}

static void load_images(void *context, unsigned worker)
{
    load *l = context;
    loader *by = &l->loaders[worker];
    while (by->status == CM_OK && !atomic_load(&l->has_failed) && !atomic_load(&l->is_full)) {
        size_t number = atomic_fetch_add(&l->next, 1);
        if (number >= l->source->count)
            break;
        load_image(l, by, number);
    }
    if (by->status != CM_OK)
        atomic_store(&l->has_failed, true);
}

static cm_status failure(const load *l, cm_error *error)
{
    for (unsigned i = 0; i < l->threads; i++) {
        if (l->loaders[i].status == CM_OK)
            continue;
        if (error != NULL)
            *error = l->loaders[i].error;
        return l->loaders[i].status;
    }
    return CM_OK;
}

/* The segment that was half dismantled goes on being dismantled; there is one at most. */
static cm_status find_dying(cm_click_index *index, cm_error *error)
{
    const cm_click_store *store = &index->catalog.store;
    for (uint32_t i = 0; i < store->segment_count; i++) {
        if (store->segments[i] == NULL || !store->segments[i]->is_dying)
            continue;
        if (index->dying != CM_NUMBER_NONE)
            return cm_error_set(error, CM_ERROR_FORMAT,
                                "the stored segments %u and %u are both half forgotten; their "
                                "files do not belong together: restore them from one copy, or "
                                "begin without",
                                index->dying, i);
        index->dying = i;
    }
    return CM_OK;
}

static cm_status load_all(load *l, cm_error *error)
{
    uint64_t duplicates = 0;
    cm_status status = CM_OK;
    while (status == CM_OK && atomic_load(&l->next) < l->source->count) {
        atomic_store(&l->is_full, false);
        cm_parallel(l->threads, load_images, l);
        status = failure(l, error);
        if (status == CM_OK)
            status = cm_click_bulk_build(&l->bulk, l->index, l->threads, &duplicates, error);
    }
    if (status == CM_OK && duplicates > 0)
        status = cm_error_set(error, CM_ERROR_FORMAT,
                              "%llu clicks are in the stored segments twice; their files do not "
                              "belong together: restore them from one copy, or begin without",
                              (unsigned long long)duplicates);
    return status == CM_OK ? find_dying(l->index, error) : status;
}

static void destroy(load *l)
{
    for (unsigned i = 0; l->loaders != NULL && i < l->threads; i++) {
        cm_segment_adopter_destroy(&l->loaders[i].adopter);
        cm_buffer_destroy(&l->loaders[i].bytes);
    }
    for (size_t i = 0; l->logs != NULL && i < l->source->count; i++)
        free(l->logs[i]);
    cm_click_bulk_destroy(&l->bulk);
    free(l->loaders);
    free(l->logs);
}

cm_status cm_segments_load(cm_click_index *index, const cm_segment_source *source, unsigned threads,
                           cm_error *error)
{
    load l = {.index = index,
              .source = source,
              .threads = threads < CM_PARALLEL_MAX ? threads : CM_PARALLEL_MAX};
    cm_status status = CM_OK;
    l.loaders = calloc(l.threads, sizeof *l.loaders);
    l.logs = calloc(source->count + 1, sizeof(cm_click_log *));
    CM_CHECK(pthread_mutex_init(&l.lock, NULL) == 0);
    if (l.loaders == NULL || l.logs == NULL)
        status = cm_error_memory(error, "loading", source->count * sizeof(cm_click_log *));
    for (unsigned i = 0; i < l.threads && l.loaders != NULL; i++) {
        l.loaders[i].adopter.logger.rules = &index->rules;
        l.loaders[i].adopter.logger.names = (cm_names){.catalog = &index->catalog, .lock = &l.lock};
    }
    if (status == CM_OK)
        status = load_all(&l, error);
    destroy(&l);
    (void)pthread_mutex_destroy(&l.lock);
    return status;
}

#include "engine/bulk_load.h"

#include "util/check.h"

void cm_bulk_load_init(cm_bulk_load *load, cm_engine *engine)
{
    *load = (cm_bulk_load){.engine = engine};
    /* It is held for less time than going to sleep takes. */
    pthread_mutexattr_t attributes;
    CM_CHECK(pthread_mutexattr_init(&attributes) == 0);
    CM_CHECK(pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ADAPTIVE_NP) == 0);
    CM_CHECK(pthread_mutex_init(&load->lock, &attributes) == 0);
    CM_CHECK(pthread_mutexattr_destroy(&attributes) == 0);
    /* What came one by one before, and may again: loaders fill its segment up meanwhile. */
    cm_click_store_close(&engine->index.catalog.store, &engine->index.writer);
}

void cm_bulk_loader_init(cm_bulk_loader *loader, cm_bulk_load *load)
{
    *loader = (cm_bulk_loader){
        .load = load,
        .logger = {.rules = &load->engine->index.rules,
                   .names = {.catalog = &load->engine->index.catalog, .lock = &load->lock}},
    };
}

/* By then what was asked for a click's names is there, and their texts can be asked for. */
#define TEXTS_BEHIND 4

/* What is pending, into the store and the log. */
static cm_status flush(cm_bulk_loader *loader, cm_error *error)
{
    cm_status status = CM_OK;
    for (size_t i = loader->count < TEXTS_BEHIND ? 0 : loader->count - TEXTS_BEHIND;
         i < loader->count; i++)
        cm_click_logger_prefetch_texts(&loader->logger, &loader->keys[i]);
    for (size_t i = 0; i < loader->count && status == CM_OK; i++)
        status = cm_click_logger_add(&loader->logger, &loader->clicks[i], &loader->keys[i], error);
    loader->count = 0;
    cm_arena_reset(&loader->scratch.arena);
    return status;
}

cm_status cm_bulk_loader_add(cm_bulk_loader *loader, const cm_click *click, cm_error *error)
{
    size_t at = loader->count;
    loader->clicks[at] = *click;
    if (!cm_click_keys_make(loader->logger.rules, click, &loader->scratch, &loader->keys[at]))
        return cm_error_memory(error, "the keys of a click", sizeof *loader->keys);
    cm_click_logger_prefetch(&loader->logger, &loader->keys[at]);
    if (at >= TEXTS_BEHIND)
        cm_click_logger_prefetch_texts(&loader->logger, &loader->keys[at - TEXTS_BEHIND]);
    loader->count++;
    return loader->count == CM_BULK_BATCH ? flush(loader, error) : CM_OK;
}

cm_status cm_bulk_loader_finish_block(cm_bulk_loader *loader, cm_error *error)
{
    cm_bulk_load *load = loader->load;
    cm_status status = flush(loader, error);
    if (status != CM_OK)
        return status;
    pthread_mutex_lock(&load->lock);
    cm_click_log *spare = cm_click_bulk_take_spare(&load->logs);
    pthread_mutex_unlock(&load->lock);
    loader->log = cm_click_logger_take(&loader->logger, spare);
    if (loader->log == NULL)
        return cm_error_memory(error, "a block of clicks", sizeof *loader->log);
    return CM_OK;
}

cm_status cm_bulk_loader_end_block(cm_bulk_loader *loader, cm_error *error)
{
    cm_bulk_load *load = loader->load;
    cm_status status = loader->log == NULL ? cm_bulk_loader_finish_block(loader, error) : CM_OK;
    if (status != CM_OK)
        return status;
    pthread_mutex_lock(&load->lock);
    bool put = cm_click_bulk_put(&load->logs, loader->log);
    pthread_mutex_unlock(&load->lock);
    loader->log = NULL;
    return put ? CM_OK : cm_error_memory(error, "blocks of clicks", load->logs.count);
}

bool cm_bulk_load_is_full(cm_bulk_load *load)
{
    pthread_mutex_lock(&load->lock);
    bool is_full = cm_click_bulk_is_full(&load->logs);
    pthread_mutex_unlock(&load->lock);
    return is_full;
}

cm_status cm_bulk_load_build(cm_bulk_load *load, unsigned threads, uint64_t *duplicates,
                             cm_error *error)
{
    return cm_click_bulk_build(&load->logs, &load->engine->index, threads, duplicates, error);
}

void cm_bulk_loader_destroy(cm_bulk_loader *loader)
{
    cm_click_logger_destroy(&loader->logger);
    free(loader->log);
    cm_key_scratch_destroy(&loader->scratch);
}

void cm_bulk_load_destroy(cm_bulk_load *load)
{
    cm_click_bulk_destroy(&load->logs);
    (void)pthread_mutex_destroy(&load->lock);
}

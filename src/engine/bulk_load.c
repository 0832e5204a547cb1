#include "engine/bulk_load.h"

#include "util/check.h"
#include "util/grow.h"

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

static cm_status survey(cm_bulk_loader *loader, const cm_click *click, size_t cost, cm_error *error)
{
    cm_surveyed *surveyed = cm_grow(loader->surveyed, &loader->surveyed_capacity,
                                    loader->surveyed_count + 1, sizeof *surveyed);
    if (surveyed == NULL)
        return cm_error_memory(error, "a survey of clicks",
                               loader->surveyed_count * sizeof *surveyed);
    loader->surveyed = surveyed;
    surveyed[loader->surveyed_count++] = (cm_surveyed){click->click_timestamp, cost};
    return CM_OK;
}

/* Does the click go on into the store? */
static bool pass_limits(cm_bulk_loader *loader, const cm_click *click, cm_status *status,
                        cm_error *error)
{
    const cm_load_limits *limits = loader->load->limits;
    if (cm_load_limits_over(limits) != CM_OVER_NOTHING)
        return false;
    if (click->click_timestamp < limits->from_us) {
        loader->left_out++;
        return false;
    }
    const cm_model *model = loader->logger.rules->model;
    size_t cost =
        limits->counts_all_keys ? cm_click_cost_most(click, model) : cm_click_cost(click, model);
    if (limits->survey != NULL) {
        *status = survey(loader, click, cost, error);
        return false;
    }
    loader->cost += cost;
    return true;
}

cm_status cm_bulk_loader_add(cm_bulk_loader *loader, const cm_click *click, cm_error *error)
{
    size_t at = loader->count;
    cm_status status = CM_OK;
    if (loader->load->limits != NULL && !pass_limits(loader, click, &status, error))
        return status;
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

/* What the block's clicks are to the limits. Under the lock. */
static bool count_block(cm_bulk_loader *loader)
{
    cm_load_limits *limits = loader->load->limits;
    bool done = limits->survey == NULL ||
                cm_click_survey_add(limits->survey, loader->surveyed, loader->surveyed_count);
    cm_load_limits_count(limits, loader->load->engine, loader->cost, loader->left_out);
    loader->cost = 0;
    loader->left_out = 0;
    loader->surveyed_count = 0;
    return done;
}

cm_status cm_bulk_loader_end_block(cm_bulk_loader *loader, cm_error *error)
{
    cm_bulk_load *load = loader->load;
    cm_status status = loader->log == NULL ? cm_bulk_loader_finish_block(loader, error) : CM_OK;
    if (status != CM_OK)
        return status;
    pthread_mutex_lock(&load->lock);
    bool put = cm_click_bulk_put(&load->logs, loader->log);
    bool counted = load->limits == NULL || count_block(loader);
    pthread_mutex_unlock(&load->lock);
    loader->log = NULL;
    return put && counted ? CM_OK : cm_error_memory(error, "blocks of clicks", load->logs.count);
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
    if (load->limits != NULL && cm_load_limits_over(load->limits) != CM_OVER_NOTHING) {
        cm_click_bulk_destroy(&load->logs); /* the engine is only to be cleared */
        return CM_OK;
    }
    return cm_click_bulk_build(&load->logs, &load->engine->index, threads, duplicates, error);
}

void cm_bulk_loader_destroy(cm_bulk_loader *loader)
{
    cm_click_logger_destroy(&loader->logger);
    free(loader->log);
    free(loader->surveyed);
    cm_key_scratch_destroy(&loader->scratch);
}

void cm_bulk_load_destroy(cm_bulk_load *load)
{
    cm_click_bulk_destroy(&load->logs);
    (void)pthread_mutex_destroy(&load->lock);
}

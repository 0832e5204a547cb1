/* Records through engines, by threads that take them a few thousand at a time. */
#include "engine/bulk_load.h"
#include "engine/records.h"
#include "util/parallel.h"

#define LOAD_CHUNK ((size_t)4096)
#define MATCH_CHUNK ((size_t)1024)

/* What the threads share. */
struct pass {
    const cm_records *records;
    const cm_records_pass *options;
    const uint32_t *numbers;
    size_t count, chunk;
    atomic_size_t next; /* the first record of no chunk yet */
    cm_bulk_load load;
    cm_engine *engine; /* loading */
    const cm_engine *matched;
    pthread_mutex_t mutex;
    cm_error error; /* under mutex: the first */
};

static void pass_init(struct pass *pass, const cm_records *records, const cm_records_pass *options,
                      size_t count, size_t chunk)
{
    memset(pass, 0, sizeof *pass);
    pass->records = records;
    pass->options = options;
    pass->count = count;
    pass->chunk = chunk;
    pthread_mutex_init(&pass->mutex, NULL);
}

static void fail(struct pass *pass, const cm_error *error)
{
    pthread_mutex_lock(&pass->mutex);
    if (pass->error.code == CM_OK)
        pass->error = *error;
    pthread_mutex_unlock(&pass->mutex);
    atomic_store(&pass->next, pass->count);
}

static cm_status pass_end(struct pass *pass, cm_error *error)
{
    pthread_mutex_destroy(&pass->mutex);
    if (pass->error.code != CM_OK && error != NULL)
        *error = pass->error;
    return pass->error.code;
}

/* The next records: from *at up to *end. */
static bool take_chunk(struct pass *pass, size_t *at, size_t *end)
{
    if (pass->options->interrupted != NULL && atomic_load(pass->options->interrupted)) {
        cm_error error;
        cm_error_set(&error, CM_ERROR_INTERRUPTED, "interrupted while matching");
        fail(pass, &error);
        return false;
    }
    *at = atomic_fetch_add(&pass->next, pass->chunk);
    *end = *at + pass->chunk < pass->count ? *at + pass->chunk : pass->count;
    return *at < pass->count;
}

/* ---- loading ---- */

/* Records have no duplicates, so that the order of the blocks does not matter. */
static cm_status load_chunk(struct pass *pass, cm_bulk_loader *loader, size_t at, size_t end,
                            cm_error *error)
{
    const cm_records_pass *options = pass->options;
    cm_status status = CM_OK;
    for (; at < end && status == CM_OK; at++) {
        cm_click click = pass->records->clicks[at];
        if (options->edit_click == NULL ||
            options->edit_click(options->context, (uint32_t)at, &click))
            status = cm_bulk_loader_add(loader, &click, error);
    }
    if (status == CM_OK)
        status = cm_bulk_loader_finish_block(loader, error);
    if (status != CM_OK)
        return status;
    pthread_mutex_lock(&pass->mutex);
    status = cm_bulk_loader_end_block(loader, error);
    pthread_mutex_unlock(&pass->mutex);
    return status;
}

static void load_some(void *context, unsigned worker)
{
    (void)worker;
    struct pass *pass = context;
    cm_bulk_loader loader;
    size_t at, end;
    cm_error error = {0};
    cm_status status = CM_OK;
    cm_bulk_loader_init(&loader, &pass->load);
    while (status == CM_OK && !cm_bulk_load_is_full(&pass->load) && take_chunk(pass, &at, &end))
        status = load_chunk(pass, &loader, at, end, &error);
    if (status != CM_OK)
        fail(pass, &error);
    pthread_mutex_lock(&pass->mutex); /* it gives back to the engine what it did not fill */
    cm_bulk_loader_destroy(&loader);
    pthread_mutex_unlock(&pass->mutex);
}

cm_status cm_records_load(const cm_records *records, const cm_records_pass *pass, cm_engine *engine,
                          cm_error *error)
{
    struct pass shared;
    uint64_t duplicates = 0;
    cm_status status = CM_OK;
    pass_init(&shared, records, pass, records->click_count, LOAD_CHUNK);
    cm_bulk_load_init(&shared.load, engine);
    while (status == CM_OK && atomic_load(&shared.next) < shared.count) {
        cm_parallel(pass->threads, load_some, &shared);
        if (shared.error.code != CM_OK)
            break;
        status = cm_bulk_load_build(&shared.load, pass->threads, &duplicates, error);
    }
    cm_bulk_load_destroy(&shared.load);
    cm_status ended = pass_end(&shared, error);
    return status == CM_OK ? ended : status;
}

/* ---- matching ---- */

/* One thread's conversions and their results. */
struct match_room {
    cm_conversion conversions[CM_MATCH_BATCH];
    cm_result results[CM_MATCH_BATCH];
    uint32_t numbers[CM_MATCH_BATCH];
};

static cm_status match_batch(struct pass *pass, cm_matcher *matcher, struct match_room *room,
                             size_t at, size_t count, cm_error *error)
{
    const cm_records_pass *options = pass->options;
    for (size_t i = 0; i < count; i++) {
        uint32_t number = pass->numbers == NULL ? (uint32_t)(at + i) : pass->numbers[at + i];
        room->numbers[i] = number;
        room->conversions[i] = pass->records->conversions[number];
        if (options->edit_conversion != NULL)
            options->edit_conversion(options->context, number, &room->conversions[i]);
    }
    cm_status status = cm_matcher_run(matcher, room->conversions, count, room->results, error);
    for (size_t i = 0; i < count && status == CM_OK; i++)
        options->take(options->context, room->numbers[i], &room->results[i]);
    return status;
}

static void match_some(void *context, unsigned worker)
{
    (void)worker;
    struct pass *pass = context;
    cm_matcher *matcher = NULL;
    size_t at, end;
    cm_error error = {0};
    struct match_room *room = malloc(sizeof *room);
    cm_status status = cm_matcher_create(pass->matched, &matcher, &error);
    if (room == NULL)
        status = cm_error_memory(&error, "room to match in", sizeof *room);
    while (status == CM_OK && take_chunk(pass, &at, &end))
        for (; at < end && status == CM_OK; at += CM_MATCH_BATCH) {
            size_t count = end - at < CM_MATCH_BATCH ? end - at : CM_MATCH_BATCH;
            status = match_batch(pass, matcher, room, at, count, &error);
        }
    if (status != CM_OK)
        fail(pass, &error);
    cm_matcher_destroy(matcher);
    free(room);
}

cm_status cm_records_match(const cm_records *records, const cm_records_pass *pass,
                           const uint32_t *numbers, size_t count, const cm_engine *engine,
                           cm_error *error)
{
    struct pass shared;
    pass_init(&shared, records, pass, count, MATCH_CHUNK);
    shared.numbers = numbers;
    shared.matched = engine;
    cm_parallel(pass->threads, match_some, &shared);
    return pass_end(&shared, error);
}

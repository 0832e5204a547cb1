#include "index/click_log.h"

#include "util/grow.h"

static const size_t entry_bytes[CM_LOG_KIND_COUNT] = {
    [CM_LOG_ID] = sizeof(cm_log_entry),
    [CM_LOG_FBCLID] = sizeof(cm_log_entry),
    [CM_LOG_GCLID] = sizeof(cm_log_entry),
    [CM_LOG_ADDRESS] = sizeof(cm_log_entry),
    [CM_LOG_FINGERPRINT] = sizeof(cm_log_fingerprint),
};

/* Room for further entries of a kind. */
static bool reserve(cm_click_logger *logger, cm_log_kind kind, size_t more)
{
    cm_log_column *column = &logger->columns[kind];
    size_t needed = column->count + more;
    char *entries = cm_grow(column->entries, &column->capacity, needed, entry_bytes[kind]);
    if (entries == NULL)
        return false;
    column->entries = entries;
    uint8_t *shards = cm_grow(column->shards, &column->shard_capacity, needed, 1);
    if (shards != NULL)
        column->shards = shards;
    return shards != NULL;
}

cm_status cm_click_logger_reserve(cm_click_logger *logger, size_t clicks, cm_error *error)
{
    bool ready = true;
    for (cm_log_kind kind = 0; kind < CM_LOG_KIND_COUNT && ready; kind++)
        ready = reserve(logger, kind, clicks);
    cm_number_range *ranges = NULL;
    if (ready)
        ranges = cm_grow(logger->ranges, &logger->range_capacity, logger->range_count + clicks,
                         sizeof *ranges);
    if (ranges == NULL)
        return cm_error_memory(error, "a block of clicks", clicks * sizeof(cm_log_fingerprint));
    logger->ranges = ranges;
    return CM_OK;
}

/* A segment with room. */
static cm_status open_segment(cm_click_logger *logger, cm_error *error)
{
    cm_click_store *store = &logger->names.catalog->store;
    pthread_mutex_lock(logger->names.lock);
    cm_status status = cm_click_store_open(store, &logger->writer, error);
    if (status == CM_OK)
        logger->names.generation = cm_click_writer_generation(store, &logger->writer);
    pthread_mutex_unlock(logger->names.lock);
    return status;
}

static cm_status reserve_all(cm_click_logger *logger, const cm_click_texts *texts, cm_error *error)
{
    cm_status status = cm_click_writer_reserve(&logger->writer, texts, error);
    return status == CM_OK ? cm_click_logger_reserve(logger, 1, error) : status;
}

/* Returns the place of the entry's other parts. */
static void *add_entry(cm_click_logger *logger, cm_log_kind kind, uint64_t hash, uint32_t number)
{
    cm_log_column *column = &logger->columns[kind];
    cm_log_entry *entry =
        (cm_log_entry *)(void *)(column->entries + column->count * entry_bytes[kind]);
    *entry = (cm_log_entry){cm_table_tag(hash), number};
    column->shards[column->count++] = (uint8_t)cm_shard_of(hash);
    return entry + 1;
}

static void add_number(cm_click_logger *logger, uint32_t number)
{
    cm_number_range *last = logger->ranges + logger->range_count - 1;
    if (logger->range_count > 0 && last->first + last->count == number)
        last->count++;
    else
        logger->ranges[logger->range_count++] = (cm_number_range){number, 1};
}

static void add_entries(cm_click_logger *logger, const cm_click_keys *keys, bool is_valid,
                        uint32_t number)
{
    add_number(logger, number);
    add_entry(logger, CM_LOG_ID, keys->click_id_hash, number);
    if (keys->params[CM_PARAM_FBCLID].size > 0)
        add_entry(logger, CM_LOG_FBCLID, keys->param_hashes[CM_PARAM_FBCLID], number);
    if (keys->params[CM_PARAM_GCLID].size > 0)
        add_entry(logger, CM_LOG_GCLID, keys->param_hashes[CM_PARAM_GCLID], number);
    if (is_valid && keys->device.address_kind != 0)
        add_entry(logger, CM_LOG_ADDRESS, keys->device.bucket_hash, number);
    if (is_valid && keys->device.has_fingerprint)
        memcpy(add_entry(logger, CM_LOG_FINGERPRINT, keys->device.fingerprint_hash, number),
               keys->device.fingerprint, sizeof keys->device.fingerprint);
}

void cm_click_logger_note(cm_click_logger *logger, const cm_log_note *note)
{
    add_number(logger, note->number);
    for (cm_log_kind kind = 0; kind < CM_LOG_FINGERPRINT; kind++)
        if (note->has[kind])
            add_entry(logger, kind, note->hashes[kind], note->number);
    if (note->has[CM_LOG_FINGERPRINT])
        memcpy(
            add_entry(logger, CM_LOG_FINGERPRINT, note->hashes[CM_LOG_FINGERPRINT], note->number),
            note->fingerprint, 32);
}

cm_status cm_click_logger_add(cm_click_logger *logger, const cm_click *click,
                              const cm_click_keys *keys, cm_error *error)
{
    cm_new_click made;
    cm_status status = CM_OK;
    if (cm_click_writer_is_full(&logger->writer))
        status = open_segment(logger, error);
    if (status == CM_OK)
        status = cm_click_row_make(logger->rules, &logger->names, click, keys, &made, error);
    if (status == CM_OK)
        status = reserve_all(logger, &made.texts, error);
    if (status != CM_OK)
        return status;
    uint32_t number =
        cm_click_writer_append(&logger->writer, logger->names.catalog->store.window_us, &made.row,
                               &made.texts, keys->expires_at, made.findable_end);
    add_entries(logger, keys, click->is_valid, number);
    return CM_OK;
}

void cm_click_logger_prefetch(const cm_click_logger *logger, const cm_click_keys *keys)
{
    cm_names_prefetch(&logger->names, CM_NAME_CAMPAIGN, keys->campaign_hash);
    cm_names_prefetch(&logger->names, CM_NAME_USER_AGENT, keys->device.user_agent_hash);
}

void cm_click_logger_prefetch_texts(const cm_click_logger *logger, const cm_click_keys *keys)
{
    cm_names_prefetch_text(&logger->names, CM_NAME_CAMPAIGN, keys->campaign_hash);
    cm_names_prefetch_text(&logger->names, CM_NAME_USER_AGENT, keys->device.user_agent_hash);
}

/* ---- a log of the columns ---- */

static void set_starts(const cm_log_column *column, uint32_t starts[CM_SHARDS + 1])
{
    for (size_t i = 0; i < column->count; i++)
        starts[column->shards[i] + 1]++;
    for (size_t shard = 0; shard < CM_SHARDS; shard++)
        starts[shard + 1] += starts[shard];
}

static void scatter(const cm_log_column *column, size_t bytes, const uint32_t *starts, char *to)
{
    uint32_t at[CM_SHARDS];
    memcpy(at, starts, sizeof at);
    if (bytes == sizeof(cm_log_entry)) {
        const cm_log_entry *entries = (const cm_log_entry *)(const void *)column->entries;
        cm_log_entry *placed = (cm_log_entry *)(void *)to;
        for (size_t i = 0; i < column->count; i++)
            placed[at[column->shards[i]]++] = entries[i];
        return;
    }
    for (size_t i = 0; i < column->count; i++)
        memcpy(to + at[column->shards[i]]++ * bytes, column->entries + i * bytes, bytes);
}

/* Blocks are alike: a little more than one needs is enough for most. */
static cm_click_log *allocate(cm_click_log *spare, size_t bytes)
{
    if (spare == NULL || spare->bytes < bytes) {
        free(spare);
        bytes += bytes / 16;
        spare = malloc(bytes);
        if (spare == NULL)
            return NULL;
        spare->bytes = bytes;
    }
    bytes = spare->bytes;
    memset(spare, 0, sizeof *spare);
    spare->bytes = bytes;
    return spare;
}

cm_click_log *cm_click_logger_take(cm_click_logger *logger, cm_click_log *spare)
{
    size_t bytes = sizeof(cm_click_log) + logger->range_count * sizeof(cm_number_range);
    for (cm_log_kind kind = 0; kind < CM_LOG_KIND_COUNT; kind++)
        bytes += logger->columns[kind].count * entry_bytes[kind];
    cm_click_log *log = allocate(spare, bytes);
    if (log == NULL)
        return NULL;
    char *at = (char *)(log + 1);
    for (cm_log_kind kind = 0; kind < CM_LOG_KIND_COUNT; kind++) {
        cm_log_column *column = &logger->columns[kind];
        log->entries[kind] = at;
        set_starts(column, log->starts[kind]);
        scatter(column, entry_bytes[kind], log->starts[kind], at);
        at += column->count * entry_bytes[kind];
        column->count = 0;
    }
    log->ranges = (cm_number_range *)(void *)at;
    log->range_count = logger->range_count;
    if (logger->range_count > 0)
        memcpy(log->ranges, logger->ranges, logger->range_count * sizeof *log->ranges);
    logger->range_count = 0;
    return log;
}

void cm_click_logger_destroy(cm_click_logger *logger)
{
    cm_click_store_close(&logger->names.catalog->store, &logger->writer);
    cm_names_destroy(&logger->names);
    for (cm_log_kind kind = 0; kind < CM_LOG_KIND_COUNT; kind++) {
        free(logger->columns[kind].entries);
        free(logger->columns[kind].shards);
    }
    free(logger->ranges);
    *logger = (cm_click_logger){0};
}

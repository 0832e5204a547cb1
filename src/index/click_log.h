/*
 * What loading in bulk remembers of a block of clicks: they are in the store already, and here is,
 * for each index, which of them belong into which shard. Threads write logs side by side; when
 * there are enough, threads build the shards side by side (click_bulk.h), each from all logs in
 * input order.
 */
#ifndef CM_INDEX_CLICK_LOG_H
#define CM_INDEX_CLICK_LOG_H

#include "index/click_row_make.h"

typedef enum cm_log_kind {
    CM_LOG_ID,
    CM_LOG_FBCLID,
    CM_LOG_GCLID,
    CM_LOG_ADDRESS,
    CM_LOG_FINGERPRINT,
} cm_log_kind;
#define CM_LOG_KIND_COUNT 5

/** A click id, a parameter or an address of a click. */
typedef struct cm_log_entry {
    uint32_t tag;    /* of the key's hash */
    uint32_t number; /* of the click */
} cm_log_entry;

typedef struct cm_log_fingerprint {
    cm_log_entry entry;
    uint8_t fingerprint[32];
} cm_log_fingerprint;

/** Clicks whose numbers follow one another. */
typedef struct cm_number_range {
    uint32_t first, count;
} cm_number_range;

/** A block's log, in one allocation. Shard s of a kind has the entries from starts[kind][s] up to
 * starts[kind][s + 1], in input order. */
typedef struct cm_click_log {
    size_t bytes; /* allocated */
    struct cm_click_log *next_spare;
    uint32_t starts[CM_LOG_KIND_COUNT][CM_SHARDS + 1];
    void *entries[CM_LOG_KIND_COUNT]; /* cm_log_entry, or cm_log_fingerprint */
    cm_number_range *ranges;          /* of the block's clicks, in input order */
    size_t range_count;
} cm_click_log;

/** The entries of a kind on their way into a log. */
typedef struct cm_log_column {
    char *entries;
    uint8_t *shards;
    size_t count, capacity, shard_capacity;
} cm_log_column;

/** Where a click belongs. */
typedef struct cm_log_note {
    uint32_t number;
    bool has[CM_LOG_KIND_COUNT];
    uint64_t hashes[CM_LOG_KIND_COUNT]; /* of those it has */
    const uint8_t *fingerprint;         /* 32 bytes */
} cm_log_note;

/** One thread's way into the store and the logs. Zero-initialised but for what is borrowed. */
typedef struct cm_click_logger {
    const cm_key_rules *rules; /* borrowed */
    cm_names names;            /* with the catalog and its lock */
    cm_click_writer writer;
    cm_log_column columns[CM_LOG_KIND_COUNT];
    cm_number_range *ranges;
    size_t range_count, range_capacity;
} cm_click_logger;

/**
 * Store a click and remember where it belongs. Several threads may, each with its own logger.
 *
 * @return CM_OK, CM_ERROR_MEMORY or CM_ERROR_CAPACITY
 */
cm_status cm_click_logger_add(cm_click_logger *logger, const cm_click *click,
                              const cm_click_keys *keys, cm_error *error);

/** Before a click is added: ask the memory for what is known of its names, then (a call later) for
 * their texts. */
void cm_click_logger_prefetch(const cm_click_logger *logger, const cm_click_keys *keys);
void cm_click_logger_prefetch_texts(const cm_click_logger *logger, const cm_click_keys *keys);

/**
 * Make a log of what was added since the last one.
 *
 * @param spare  a log whose memory is used again, or freed; NULL
 * @return freed with free(); NULL when memory is short
 */
cm_click_log *cm_click_logger_take(cm_click_logger *logger, cm_click_log *spare);

/** End: the segment goes back to the store. One thread at a time. */
void cm_click_logger_destroy(cm_click_logger *logger);

/**
 * Make room for what cm_click_logger_note takes of a number of further clicks.
 *
 * @return CM_OK or CM_ERROR_MEMORY
 */
cm_status cm_click_logger_reserve(cm_click_logger *logger, size_t clicks, cm_error *error);

/** Remember that a click belongs into the indexes, and where; it is in the store already. Room must
 * have been reserved. */
void cm_click_logger_note(cm_click_logger *logger, const cm_log_note *note);

static inline const cm_log_entry *cm_log_entries(const cm_click_log *log, cm_log_kind kind,
                                                 unsigned shard, uint32_t *count)
{
    *count = log->starts[kind][shard + 1] - log->starts[kind][shard];
    return (const cm_log_entry *)log->entries[kind] + log->starts[kind][shard];
}

static inline const cm_log_fingerprint *cm_log_fingerprints(const cm_click_log *log, unsigned shard,
                                                            uint32_t *count)
{
    const uint32_t *starts = log->starts[CM_LOG_FINGERPRINT];
    *count = starts[shard + 1] - starts[shard];
    return (const cm_log_fingerprint *)log->entries[CM_LOG_FINGERPRINT] + starts[shard];
}

/** The hash of an entry's key, as far as tables and shards know it. */
static inline uint64_t cm_log_hash(unsigned shard, uint32_t tag)
{
    return (uint64_t)shard << (64 - CM_SHARD_BITS) | (uint64_t)tag << CM_TABLE_TAG_SHIFT;
}

#endif

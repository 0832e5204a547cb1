/*
 * Logs into the indexes, by all threads: first the click ids, which find the duplicates, then all
 * else. A shard is built by one thread from all logs in input order, so that nothing depends on the
 * number of threads.
 */
#ifndef CM_INDEX_CLICK_BULK_H
#define CM_INDEX_CLICK_BULK_H

#include "index/click_log.h"

/** Logs that wait to be built into the indexes. Zero-initialised has none. */
typedef struct cm_click_bulk {
    cm_click_log **logs; /* in input order; owned */
    size_t count, capacity;
    size_t bytes;        /* of all logs */
    cm_click_log *spare; /* a chain of logs that were built */
} cm_click_bulk;

/** A log that was built, whose memory can be used again; NULL: there is none. */
cm_click_log *cm_click_bulk_take_spare(cm_click_bulk *bulk);

/** Take a log over; logs come in input order. False when memory is short; the log is freed then. */
bool cm_click_bulk_put(cm_click_bulk *bulk, cm_click_log *log);

/** Have logs grown so large that it is time to build? */
bool cm_click_bulk_is_full(const cm_click_bulk *bulk);

/**
 * Build the logs into the indexes and forget them. Nobody may use the index meanwhile. After a
 * failure the index is good only for being destroyed.
 *
 * @param duplicates  raised for each click whose id was there before
 * @return CM_OK, CM_ERROR_MEMORY or CM_ERROR_CAPACITY
 */
cm_status cm_click_bulk_build(cm_click_bulk *bulk, cm_click_index *index, unsigned threads,
                              uint64_t *duplicates, cm_error *error);

void cm_click_bulk_destroy(cm_click_bulk *bulk);

#endif

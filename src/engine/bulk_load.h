/*
 * Many clicks into an engine by several threads: each makes keys of its clicks and stores them at
 * once; the indexes are built now and then by all threads together (index/click_bulk.h).
 *
 *     thread 1   add add add | end block | add add ...          | build
 *     thread 2   add add add add | end block | add ...          | build
 *
 * The order of the blocks is the order of the clicks: the first of a click id stands.
 */
#ifndef CM_ENGINE_BULK_LOAD_H
#define CM_ENGINE_BULK_LOAD_H

#include <pthread.h>

#include "engine/engine.h"
#include "engine/load_limits.h"
#include "index/click_bulk.h"

/** What the threads share. Nobody else may use the engine until it is built. After a failure the
 * engine is good only for being destroyed. */
typedef struct cm_bulk_load {
    cm_engine *engine;      /* borrowed */
    cm_load_limits *limits; /* borrowed; NULL, as after init: there are none */
    pthread_mutex_t lock;   /* of the engine's names and of logs */
    cm_click_bulk logs;
} cm_bulk_load;

#define CM_BULK_BATCH 32

/** One thread's part. Clicks are stored a batch at a time, so that the memory of their names is
 * asked for while keys are made. */
typedef struct cm_bulk_loader {
    cm_bulk_load *load;
    cm_click_logger logger;
    cm_key_scratch scratch; /* reset for each batch */
    cm_click clicks[CM_BULK_BATCH];
    cm_click_keys keys[CM_BULK_BATCH];
    size_t count;
    cm_click_log *log; /* of a finished block; NULL */
    /* Of the block, where there are limits: */
    size_t cost;
    uint64_t left_out;
    cm_surveyed *surveyed;
    size_t surveyed_count, surveyed_capacity;
} cm_bulk_loader;

/** Ready a load, and its loaders; the load must not be moved afterwards. */
void cm_bulk_load_init(cm_bulk_load *load, cm_engine *engine);
void cm_bulk_loader_init(cm_bulk_loader *loader, cm_bulk_load *load);

/** Add a checked click to the loader's block, unless limits leave it out; its strings must hold
 * until the block ends. CM_OK, CM_ERROR_MEMORY or CM_ERROR_CAPACITY. */
cm_status cm_bulk_loader_add(cm_bulk_loader *loader, const cm_click *click, cm_error *error);

/** No more clicks of the loader's block: what can be done before its turn comes. May be left out.
 */
cm_status cm_bulk_loader_finish_block(cm_bulk_loader *loader, cm_error *error);

/** End the loader's block: it comes after all blocks that were ended before. */
cm_status cm_bulk_loader_end_block(cm_bulk_loader *loader, cm_error *error);

/** Is it time to build? Any thread may ask. */
bool cm_bulk_load_is_full(cm_bulk_load *load);

/**
 * Build what the ended blocks hold into the indexes. No loader may be working.
 *
 * @param duplicates  raised for each click whose id was there before
 */
cm_status cm_bulk_load_build(cm_bulk_load *load, unsigned threads, uint64_t *duplicates,
                             cm_error *error);

/** Free; first the loaders, then the load. */
void cm_bulk_loader_destroy(cm_bulk_loader *loader);
void cm_bulk_load_destroy(cm_bulk_load *load);

#endif

/* The shards of the indexes, each built from all logs by one thread. */
#ifndef CM_INDEX_CLICK_BUILD_H
#define CM_INDEX_CLICK_BUILD_H

#include "index/click_log.h"
#include "index/list_bulk.h"

/** One thread's part of a build. */
typedef struct cm_shard_builder {
    cm_click_index *index;
    cm_click_log **logs; /* in input order */
    size_t log_count;
    bool has_duplicates;  /* some clicks of the logs are: look before listing one */
    uint64_t duplicates;  /* found by this thread */
    const void **entries; /* of a shard, gathered from the logs */
    size_t entry_count, entry_capacity;
    struct {
        size_t entries, keys;
    } seen[CM_LOG_KIND_COUNT]; /* in the shards so far: how many keys the next will have */
    cm_list_sorter sorter;
    uint32_t *unordered; /* lists that must be sorted at the end of a shard */
    size_t unordered_count, unordered_capacity;
    cm_status status;
    cm_error error;
} cm_shard_builder;

/* Each: CM_OK, CM_ERROR_MEMORY or CM_ERROR_CAPACITY, with builder->error. */

/** Click ids; clicks whose id is there already are marked and counted. Before all others. */
cm_status cm_build_ids(cm_shard_builder *builder, unsigned shard);

cm_status cm_build_fbclids(cm_shard_builder *builder, unsigned shard);
cm_status cm_build_gclids(cm_shard_builder *builder, unsigned shard);
cm_status cm_build_addresses(cm_shard_builder *builder, unsigned shard);
cm_status cm_build_fingerprints(cm_shard_builder *builder, unsigned shard);

/** All tenants' lists. */
cm_status cm_build_tenants(cm_shard_builder *builder);

void cm_shard_builder_destroy(cm_shard_builder *builder);

#endif

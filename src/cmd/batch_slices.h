/* Conversions matched side by side: a block is cut into slices, each with a thread of its own. */
#ifndef CM_CMD_BATCH_SLICES_H
#define CM_CMD_BATCH_SLICES_H

#include "cmd/batch_state.h"
#include "pg/pg_result.h"

#define CM_BATCH_THREADS_MAX 256

/** A conversion with what writing its result needs. */
typedef struct cm_batch_item {
    const char *id;  /* CM_UUID_BYTES */
    cm_slice stored; /* its result so far, encoded */
} cm_batch_item;

/** Conversions to match; items[i] belongs to conversions[i]. */
typedef struct cm_batch_block {
    cm_conversion *conversions;
    cm_batch_item *items;
    size_t count, conversion_capacity, item_capacity;
} cm_batch_block;

/** One thread's part of a block, kept from block to block. */
typedef struct cm_batch_slice {
    const cm_engine *engine;
    const char *model; /* "name@version" */
    const cm_conversion *conversions;
    const cm_batch_item *items;
    size_t count;
    cm_result *results;
    size_t capacity;
    cm_pg_encoder encoder;
    cm_buffer rows;          /* of the staging table */
    uint64_t changed;        /* rows of the block whose result changes */
    cm_match_counts matched; /* of all blocks */
    cm_status status;
    cm_error error;
} cm_batch_slice;

/** Match a block and encode what changes; slice i has the rows before those of slice i + 1. The
 * first status that is not CM_OK, with its error. */
cm_status cm_batch_slices_run(cm_batch_slice *slices, unsigned slice_count,
                              const cm_batch_block *block, cm_error *error);

void cm_batch_slices_destroy(cm_batch_slice *slices, unsigned slice_count);

#endif

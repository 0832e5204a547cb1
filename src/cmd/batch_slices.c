#include "cmd/batch_slices.h"

#include <pthread.h>
#include <stdlib.h>

#include "util/check.h"
#include "util/grow.h"

#define SLICE_MIN 64 /* fewer conversions are not worth a thread */

static void *run_slice(void *context)
{
    cm_batch_slice *slice = context;
    cm_result *results =
        cm_grow(slice->results, &slice->capacity, slice->count, sizeof *slice->results);
    if (results == NULL) {
        slice->status = cm_error_memory(&slice->error, "results", slice->count * sizeof *results);
        return NULL;
    }
    slice->results = results;
    slice->status =
        cm_engine_match(slice->engine, slice->conversions, slice->count, results, &slice->error);
    for (size_t i = 0; i < slice->count && slice->status == CM_OK; i++) {
        cm_match_counts_add(&slice->matched, &results[i]);
        slice->changed +=
            cm_pg_result_encode(&slice->encoder, slice->items[i].id, slice->items[i].stored,
                                &results[i], slice->model, &slice->rows);
    }
    if (slice->rows.failed)
        slice->status = cm_error_memory(&slice->error, "results", slice->rows.size);
    return NULL;
}

/* Give each slice its part of the block. Returns how many have one. */
static unsigned cut(cm_batch_slice *slices, unsigned slice_count, const cm_batch_block *block)
{
    size_t share = (block->count + slice_count - 1) / slice_count;
    unsigned used = 0;
    share = share < SLICE_MIN ? SLICE_MIN : share;
    for (size_t at = 0; at < block->count; at += share) {
        cm_batch_slice *slice = &slices[used++];
        slice->conversions = block->conversions + at;
        slice->items = block->items + at;
        slice->count = block->count - at < share ? block->count - at : share;
    }
    for (unsigned i = 0; i < slice_count; i++)
        slices[i].rows.size = slices[i].changed = 0;
    return used;
}

cm_status cm_batch_slices_run(cm_batch_slice *slices, unsigned slice_count,
                              const cm_batch_block *block, cm_error *error)
{
    pthread_t threads[CM_BATCH_THREADS_MAX];
    unsigned used = cut(slices, slice_count, block), started = 1;
    CM_CHECK(slice_count <= CM_BATCH_THREADS_MAX);
    if (used == 0)
        return CM_OK;
    while (started < used &&
           pthread_create(&threads[started], NULL, run_slice, &slices[started]) == 0)
        started++;
    run_slice(&slices[0]);
    for (unsigned i = started; i < used; i++) /* no thread to be had: one after the other */
        run_slice(&slices[i]);
    for (unsigned i = 1; i < started; i++)
        (void)pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < used; i++)
        if (slices[i].status != CM_OK) {
            if (error != NULL)
                *error = slices[i].error;
            return slices[i].status;
        }
    return CM_OK;
}

void cm_batch_slices_destroy(cm_batch_slice *slices, unsigned slice_count)
{
    for (unsigned i = 0; i < slice_count; i++) {
        free(slices[i].results);
        cm_pg_encoder_destroy(&slices[i].encoder);
        cm_buffer_destroy(&slices[i].rows);
    }
}

/* Clicks into the engine: threads read and build them side by side; adding is serial. */
#include <stdlib.h>

#include "cmd/batch_read.h"
#include "util/grow.h"

typedef struct load_share {
    cm_batch_share share; /* first */
    cm_click *clicks;     /* of a block */
    size_t count, capacity;
    uint64_t rows_taken;
} load_share;

static cm_status take_row(cm_batch_share *share, const cm_pg_row *row)
{
    load_share *part = (load_share *)share;
    const cm_build_options options = {.lenient = share->all->batch->config->lenient};
    cm_reject reject;
    cm_click *clicks =
        cm_grow(part->clicks, &part->capacity, part->count + 1, sizeof *part->clicks);
    if (clicks == NULL)
        return cm_error_memory(&share->error, "clicks", part->count * sizeof *clicks);
    part->clicks = clicks;
    cm_click *click = &clicks[part->count];
    cm_status status =
        cm_click_build(row->values, &options, &share->arena, share->lenient, click, &reject);
    if (status == CM_ERROR_FORMAT)
        return cm_batch_share_refuse(share, row, &reject);
    if (status != CM_OK)
        return cm_error_memory(&share->error, "clicks", sizeof *click);
    click->reference = cm_slice_of(row->id, CM_UUID_BYTES);
    part->count++;
    return CM_OK;
}

static cm_status take_block(cm_batch_share *share)
{
    load_share *part = (load_share *)share;
    cm_batch *batch = share->all->batch;
    pthread_mutex_lock(&share->all->lock);
    cm_status status = cm_engine_add(batch->engine, part->clicks, part->count, NULL, &share->error);
    cm_batch_share_count(share, share->rows - part->rows_taken, CM_BATCH_LOAD);
    pthread_mutex_unlock(&share->all->lock);
    part->rows_taken = share->rows;
    part->count = 0;
    return status;
}

cm_status cm_batch_load(cm_batch *batch, cm_error *error)
{
    cm_batch_reading reading = {
        .batch = batch, .kind = CM_ROW_CLICK, .take_row = take_row, .take_block = take_block};
    load_share parts[CM_PG_READERS_MAX] = {0};
    cm_batch_share *shares[CM_PG_READERS_MAX];
    for (unsigned i = 0; i < CM_PG_READERS_MAX; i++)
        shares[i] = &parts[i].share;
    cm_status status = cm_batch_read(&reading, shares, error);
    for (unsigned i = 0; i < CM_PG_READERS_MAX; i++)
        free(parts[i].clicks);
    batch->report->engine_clicks = cm_engine_click_count(batch->engine);
    batch->report->engine_bytes = cm_engine_memory(batch->engine);
    return status;
}

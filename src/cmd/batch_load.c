/* Clicks into the engine: each connection has a thread, which reads and builds; adding is serial.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "cmd/batch_state.h"
#include "util/check.h"
#include "util/grow.h"

/* What the threads share. */
typedef struct loading {
    cm_batch *batch;
    pthread_mutex_t lock; /* of the engine, the report and the callbacks */
    atomic_bool failed;
} loading;

/* One thread's part. */
typedef struct share {
    loading *all;
    cm_arena arena;
    cm_click *clicks; /* of a block */
    size_t count, capacity;
    uint64_t rows;
    uint64_t lenient[CM_FIELD_COUNT_MAX];
    cm_error error;
    cm_status status;
    unsigned reader;
} share;

static cm_status refuse(share *part, const cm_pg_row *row, const cm_reject *reject)
{
    pthread_mutex_lock(&part->all->lock);
    cm_status status =
        cm_batch_refuse(part->all->batch, CM_ROW_CLICK, part->rows, row, reject, &part->error);
    pthread_mutex_unlock(&part->all->lock);
    return status;
}

static cm_status build(share *part, const cm_pg_row *row)
{
    const cm_build_options options = {.lenient = part->all->batch->config->lenient};
    cm_reject reject;
    cm_click *clicks =
        cm_grow(part->clicks, &part->capacity, part->count + 1, sizeof *part->clicks);
    if (clicks == NULL)
        return cm_error_memory(&part->error, "clicks", part->count * sizeof *clicks);
    part->clicks = clicks;
    cm_click *click = &clicks[part->count];
    cm_status status =
        cm_click_build(row->values, &options, &part->arena, part->lenient, click, &reject);
    if (status == CM_ERROR_FORMAT)
        return refuse(part, row, &reject);
    if (status != CM_OK)
        return cm_error_memory(&part->error, "clicks", sizeof *click);
    click->reference = cm_slice_of(row->id, CM_UUID_BYTES);
    part->count++;
    return CM_OK;
}

/* The block's rows into the engine. */
static cm_status add_block(share *part, uint64_t rows)
{
    cm_batch *batch = part->all->batch;
    pthread_mutex_lock(&part->all->lock);
    cm_status status = cm_engine_add(batch->engine, part->clicks, part->count, NULL, &part->error);
    batch->report->clicks.rows += rows;
    cm_batch_progress(batch, CM_BATCH_LOAD, batch->report->clicks.rows);
    pthread_mutex_unlock(&part->all->lock);
    return status;
}

static cm_status load_block(share *part, cm_pg_rows *rows)
{
    cm_pg_row row;
    bool found = true;
    uint64_t before = part->rows;
    cm_status status = CM_OK;
    part->count = 0;
    cm_arena_reset(&part->arena);
    while (status == CM_OK) {
        status = cm_pg_rows_next(rows, &row, &found, &part->error);
        if (status != CM_OK || !found)
            break;
        part->rows++;
        status = build(part, &row);
    }
    return status == CM_OK ? add_block(part, part->rows - before) : status;
}

static void *load_share(void *context)
{
    share *part = context;
    cm_batch *batch = part->all->batch;
    cm_pg_rows rows;
    bool more = true;
    part->status =
        cm_pg_snapshot_clicks(&batch->snapshot, part->reader, &batch->period, &rows, &part->error);
    while (part->status == CM_OK && !atomic_load(&part->all->failed)) {
        part->status = cm_pg_rows_fetch(&rows, &more, &part->error);
        if (part->status != CM_OK || !more)
            break;
        part->status = load_block(part, &rows);
    }
    if (part->status != CM_OK)
        atomic_store(&part->all->failed, true);
    cm_pg_rows_close(&rows);
    cm_arena_destroy(&part->arena);
    free(part->clicks);
    return NULL;
}

/* Run all parts, the first one on this thread. */
static void run_shares(share *parts, unsigned count)
{
    pthread_t threads[CM_PG_READERS_MAX];
    unsigned started = 1;
    while (started < count &&
           pthread_create(&threads[started], NULL, load_share, &parts[started]) == 0)
        started++;
    load_share(&parts[0]);
    for (unsigned i = 1; i < started; i++)
        (void)pthread_join(threads[i], NULL);
    for (unsigned i = started; i < count; i++) /* no thread to be had: one after the other */
        load_share(&parts[i]);
}

cm_status cm_batch_load(cm_batch *batch, cm_error *error)
{
    unsigned count = batch->snapshot.reader_count;
    loading all = {.batch = batch};
    share parts[CM_PG_READERS_MAX] = {0};
    cm_status status = CM_OK;
    CM_CHECK(count > 0 && pthread_mutex_init(&all.lock, NULL) == 0);
    for (unsigned i = 0; i < count; i++)
        parts[i] = (share){.all = &all, .reader = i};
    run_shares(parts, count);
    (void)pthread_mutex_destroy(&all.lock);
    for (unsigned i = 0; i < count && status == CM_OK; i++) {
        status = parts[i].status;
        if (status != CM_OK && error != NULL)
            *error = parts[i].error;
        for (size_t field = 0; field < CM_FIELD_COUNT_MAX; field++)
            batch->report->clicks.lenient[field] += parts[i].lenient[field];
    }
    batch->report->engine_clicks = cm_engine_click_count(batch->engine);
    batch->report->engine_bytes = cm_engine_memory(batch->engine);
    return status == CM_OK ? cm_batch_table_end(batch, CM_ROW_CLICK, error) : status;
}

/*
 * Clicks into the engine: threads read, build and store them side by side. When there are many,
 * they are built into the indexes meanwhile: nobody is within a block then.
 */
#include <stdlib.h>

#include "cmd/batch_read.h"
#include "cmd/memory_max.h"
#include "engine/bulk_load.h"
#include "util/check.h"

/* What the shares have in common. */
typedef struct common {
    cm_bulk_load load;
    unsigned threads;
    pthread_rwlock_t building; /* read: within a block; write: building the indexes */
} common;

typedef struct load_share {
    cm_batch_share share; /* first */
    common *common;
    cm_bulk_loader loader;
    bool in_block;
    uint64_t rows_taken;
} load_share;

static cm_status take_row(cm_batch_share *share, const cm_pg_row *row)
{
    load_share *part = (load_share *)share;
    const cm_build_options *options = &share->all->batch->config->build;
    cm_reject reject;
    cm_click click;
    if (!part->in_block)
        pthread_rwlock_rdlock(&part->common->building);
    part->in_block = true;
    cm_status status =
        cm_click_build(row->values, options, &share->arena, share->lenient, &click, &reject);
    if (status == CM_ERROR_FORMAT)
        return cm_batch_share_refuse(share, row, &reject);
    if (status != CM_OK)
        return cm_error_memory(&share->error, "clicks", sizeof click);
    if (!share->all->batch->config->for_stream)
        click.reference = cm_slice_of(row->id, CM_UUID_BYTES);
    return cm_bulk_loader_add(&part->loader, &click, &share->error);
}

/* No click id is twice in the table: the order of the blocks does not matter, nor do duplicates. */
static cm_status build(common *all, cm_error *error)
{
    uint64_t duplicates = 0;
    return cm_bulk_load_build(&all->load, all->threads, &duplicates, error);
}

/* Also after a failure, or who wants to build would wait for ever. */
static void leave_block(cm_batch_share *share)
{
    load_share *part = (load_share *)share;
    if (part->in_block)
        pthread_rwlock_unlock(&part->common->building);
    part->in_block = false;
}

static cm_status take_block(cm_batch_share *share)
{
    load_share *part = (load_share *)share;
    common *all = part->common;
    cm_status status = cm_bulk_loader_end_block(&part->loader, &share->error);
    leave_block(share);
    if (status == CM_OK && cm_bulk_load_is_full(&all->load)) {
        pthread_rwlock_wrlock(&all->building);
        if (cm_bulk_load_is_full(&all->load))
            status = build(all, &share->error);
        pthread_rwlock_unlock(&all->building);
    }
    pthread_mutex_lock(&share->all->lock);
    cm_batch_share_count(share, share->rows - part->rows_taken, CM_BATCH_LOAD);
    pthread_mutex_unlock(&share->all->lock);
    part->rows_taken = share->rows;
    return status;
}

static void common_init(common *all, cm_batch *batch)
{
    pthread_rwlockattr_t attributes;
    *all = (common){.threads = batch->config->threads > 0 ? batch->config->threads : 1};
    cm_bulk_load_init(&all->load, batch->engine);
    all->load.limits = batch->config->limits;
    CM_CHECK(pthread_rwlockattr_init(&attributes) == 0);
    /* Readers come again and again: whoever wants to build would wait for all of them. */
    (void)pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    CM_CHECK(pthread_rwlock_init(&all->building, &attributes) == 0);
    (void)pthread_rwlockattr_destroy(&attributes);
}

/* Read all clicks. is_again: they were read before, and nothing is counted or told. */
static cm_status read_clicks(cm_batch *batch, bool is_again, cm_error *error)
{
    cm_batch_reading reading = {
        .batch = batch,
        .kind = CM_ROW_CLICK,
        .is_again = is_again,
        .take_row = take_row,
        .take_block = take_block,
        .leave = leave_block,
    };
    common all;
    load_share *parts = calloc(CM_PG_READERS_MAX, sizeof *parts);
    cm_batch_share *shares[CM_PG_READERS_MAX];
    if (parts == NULL)
        return cm_error_memory(error, "readers", CM_PG_READERS_MAX * sizeof *parts);
    common_init(&all, batch);
    for (unsigned i = 0; i < CM_PG_READERS_MAX; i++) {
        shares[i] = &parts[i].share;
        parts[i].common = &all;
        cm_bulk_loader_init(&parts[i].loader, &all.load);
    }
    cm_status status = cm_batch_read(&reading, shares, error);
    for (unsigned i = 0; i < CM_PG_READERS_MAX; i++)
        cm_bulk_loader_destroy(&parts[i].loader);
    if (status == CM_OK)
        status = build(&all, error);
    (void)pthread_rwlock_destroy(&all.building);
    cm_bulk_load_destroy(&all.load);
    free(parts);
    return status;
}

static cm_status read_again(void *context, cm_error *error)
{
    cm_batch *batch = context;
    cm_engine_clear(batch->engine);
    return read_clicks(batch, true, error);
}

/* Where there is no room for all, the same snapshot is read again. */
static cm_status settle(cm_batch *batch, bool is_alone, cm_error *error)
{
    cm_load_limits *limits = batch->config->limits;
    cm_load_over over = limits == NULL ? CM_OVER_NOTHING : cm_load_limits_over(limits);
    cm_status status = CM_OK;
    if (over == CM_OVER_NOTHING || (batch->config->all_or_none && over != CM_OVER_TENANTS))
        return CM_OK;
    if (is_alone)
        status = cm_load_newest(limits, read_again, batch, error);
    if (status == CM_OK && cm_load_limits_over(limits) != CM_OVER_NOTHING)
        status = cm_memory_refuse(limits, cm_pg_table_name(CM_ROW_CLICK), error);
    return status;
}

cm_status cm_batch_load(cm_batch *batch, cm_error *error)
{
    bool is_alone =
        cm_engine_click_count(batch->engine) == 0; /* or clearing it would lose others */
    cm_status status = read_clicks(batch, false, error);
    if (status == CM_OK)
        status = settle(batch, is_alone, error);
    batch->report->engine_clicks = cm_engine_click_count(batch->engine);
    batch->report->engine_bytes = cm_engine_memory(batch->engine);
    return status;
}

#include "cmd/batch_read.h"

#include "util/check.h"

cm_status cm_batch_share_refuse(cm_batch_share *share, const cm_pg_row *row,
                                const cm_reject *reject)
{
    cm_batch_reading *all = share->all;
    if (all->is_again)
        return CM_OK;
    pthread_mutex_lock(&all->lock);
    cm_status status =
        cm_batch_refuse(all->batch, all->kind, share->rows, row, reject, &share->error);
    pthread_mutex_unlock(&all->lock);
    return status;
}

void cm_batch_share_count(const cm_batch_share *share, uint64_t rows, cm_batch_phase phase)
{
    cm_batch *batch = share->all->batch;
    cm_source_counts *counts = cm_batch_counts_of(batch, share->all->kind);
    if (share->all->is_again)
        return;
    counts->rows += rows;
    cm_batch_progress(batch, phase, counts->rows);
}

static cm_status read_block(cm_batch_share *share, cm_pg_rows *rows)
{
    cm_pg_row row;
    bool found = true;
    cm_status status = CM_OK;
    cm_arena_reset(&share->arena);
    while (status == CM_OK) {
        status = cm_pg_rows_next(rows, &row, &found, &share->error);
        if (status != CM_OK || !found)
            break;
        share->rows++;
        status = share->all->take_row(share, &row);
    }
    return status == CM_OK ? share->all->take_block(share) : status;
}

static cm_status read_part(cm_batch_share *share, unsigned part, cm_pg_rows *rows)
{
    cm_batch_reading *all = share->all;
    bool more = true;
    cm_status status = cm_pg_snapshot_read(&all->batch->snapshot, share->reader, &all->parts, part,
                                           &all->batch->period, rows, &share->error);
    while (status == CM_OK && !atomic_load(&all->failed)) {
        status = cm_pg_rows_fetch(rows, &more, &share->error);
        if (status != CM_OK || !more)
            break;
        status = read_block(share, rows);
    }
    return status;
}

static void *read_share(void *context)
{
    cm_batch_share *share = context;
    cm_batch_reading *all = share->all;
    cm_pg_rows rows = {0};
    while (share->status == CM_OK && !atomic_load(&all->failed)) {
        unsigned part = atomic_fetch_add(&all->next_part, 1);
        if (part >= all->parts.count)
            break;
        share->status = read_part(share, part, &rows);
    }
    if (share->status != CM_OK)
        atomic_store(&all->failed, true);
    if (all->leave != NULL)
        all->leave(share);
    cm_pg_rows_close(&rows);
    cm_arena_destroy(&share->arena);
    return NULL;
}

/* Run all shares, the first one on this thread. What a thread that is not to be had would have
 * read, the others read. */
static void run(cm_batch_share *const *shares, unsigned count)
{
    pthread_t threads[CM_PG_READERS_MAX];
    unsigned started = 1;
    while (started < count &&
           pthread_create(&threads[started], NULL, read_share, shares[started]) == 0)
        started++;
    read_share(shares[0]);
    for (unsigned i = 1; i < started; i++)
        (void)pthread_join(threads[i], NULL);
}

static cm_status gather(cm_batch_reading *reading, cm_batch_share *const *shares, unsigned count,
                        cm_error *error)
{
    cm_source_counts *counts = cm_batch_counts_of(reading->batch, reading->kind);
    cm_status status = CM_OK;
    for (unsigned i = 0; i < count; i++) {
        for (size_t field = 0; field < CM_FIELD_COUNT_MAX && !reading->is_again; field++)
            counts->lenient[field] += shares[i]->lenient[field];
        if (status == CM_OK && shares[i]->status != CM_OK && error != NULL)
            *error = shares[i]->error;
        status = status == CM_OK ? shares[i]->status : status;
    }
    return status;
}

cm_status cm_batch_read(cm_batch_reading *reading, cm_batch_share *const *shares, cm_error *error)
{
    cm_batch *batch = reading->batch;
    unsigned count = batch->snapshot.reader_count;
    CM_CHECK(count > 0 && count <= CM_PG_READERS_MAX);
    cm_status status = cm_pg_snapshot_cut(&batch->snapshot, reading->kind, &reading->parts, error);
    if (status != CM_OK)
        return status;
    CM_CHECK(pthread_mutex_init(&reading->lock, NULL) == 0);
    for (unsigned i = 0; i < count; i++) {
        shares[i]->all = reading;
        shares[i]->reader = i;
    }
    run(shares, count);
    (void)pthread_mutex_destroy(&reading->lock);
    status = gather(reading, shares, count, error);
    return status == CM_OK && !reading->is_again ? cm_batch_table_end(batch, reading->kind, error)
                                                 : status;
}

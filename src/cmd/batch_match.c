/* Conversions: threads read a block each, match it and encode what changes; writing is serial. */
#include <stdlib.h>

#include "cmd/batch_read.h"
#include "cmd/clock.h"
#include "pg/pg_result.h"
#include "util/grow.h"

/* A conversion with what writing its result needs. */
typedef struct item {
    const char *id;  /* CM_UUID_BYTES */
    cm_slice stored; /* its result so far, encoded */
} item;

typedef struct match_share {
    cm_batch_share share; /* first */
    cm_conversion *conversions;
    item *items; /* items[i] belongs to conversions[i] */
    cm_result *results;
    size_t count, conversion_capacity, item_capacity, result_capacity;
    cm_pg_encoder encoder;
    cm_buffer rows;   /* of the staging table, of a block */
    uint64_t changed; /* their number */
    uint64_t rows_taken;
    double match_seconds;
    cm_match_counts matched;
} match_share;

static cm_status make_room(match_share *part)
{
    size_t needed = part->count + 1;
    cm_conversion *conversions =
        cm_grow(part->conversions, &part->conversion_capacity, needed, sizeof *part->conversions);
    if (conversions != NULL)
        part->conversions = conversions;
    item *items = cm_grow(part->items, &part->item_capacity, needed, sizeof *part->items);
    if (items != NULL)
        part->items = items;
    if (conversions == NULL || items == NULL)
        return cm_error_memory(&part->share.error, "conversions", needed * sizeof *conversions);
    return CM_OK;
}

static cm_status take_row(cm_batch_share *share, const cm_pg_row *row)
{
    match_share *part = (match_share *)share;
    const cm_build_options *options = &share->all->batch->config->build;
    cm_reject reject;
    cm_status status = make_room(part);
    if (status != CM_OK)
        return status;
    status = cm_conversion_build(row->values, options, &share->arena, share->lenient,
                                 &part->conversions[part->count], &reject);
    if (status == CM_ERROR_FORMAT)
        return cm_batch_share_refuse(share, row, &reject);
    if (status != CM_OK)
        return cm_error_memory(&share->error, "conversions", sizeof *part->conversions);
    part->items[part->count++] = (item){row->id, row->stored};
    return CM_OK;
}

static cm_status match(match_share *part)
{
    const cm_batch *batch = part->share.all->batch;
    cm_result *results =
        cm_grow(part->results, &part->result_capacity, part->count, sizeof *part->results);
    if (results == NULL)
        return cm_error_memory(&part->share.error, "results", part->count * sizeof *results);
    part->results = results;
    double start = cm_clock_seconds();
    cm_status status =
        cm_engine_match(batch->engine, part->conversions, part->count, results, &part->share.error);
    part->match_seconds += cm_clock_seconds() - start;
    return status;
}

static cm_status encode(match_share *part)
{
    const char *model = cm_model_label(part->share.all->batch->model);
    part->rows.size = part->changed = 0;
    for (size_t i = 0; i < part->count; i++) {
        const item *of = &part->items[i];
        cm_match_counts_add(&part->matched, &part->results[i]);
        part->changed += cm_pg_result_encode(&part->encoder, of->id, of->stored, &part->results[i],
                                             model, &part->rows);
    }
    return part->rows.failed ? cm_error_memory(&part->share.error, "results", part->rows.size)
                             : CM_OK;
}

static cm_status write_changes(match_share *part)
{
    cm_batch_share *share = &part->share;
    cm_batch *batch = share->all->batch;
    cm_status status = CM_OK;
    pthread_mutex_lock(&share->all->lock);
    batch->report->changed += part->changed;
    if (!batch->config->dry_run)
        status = cm_pg_staging_write(&batch->staging, part->rows.data, part->rows.size,
                                     part->changed, &share->error);
    cm_batch_share_count(share, share->rows - part->rows_taken, CM_BATCH_MATCH);
    pthread_mutex_unlock(&share->all->lock);
    return status;
}

static cm_status take_block(cm_batch_share *share)
{
    match_share *part = (match_share *)share;
    cm_status status = part->count == 0 ? CM_OK : match(part);
    if (status == CM_OK)
        status = encode(part);
    if (status == CM_OK)
        status = write_changes(part);
    part->rows_taken = share->rows;
    part->count = 0;
    return status;
}

static void match_share_destroy(match_share *part)
{
    free(part->conversions);
    free(part->items);
    free(part->results);
    cm_pg_encoder_destroy(&part->encoder);
    cm_buffer_destroy(&part->rows);
}

cm_status cm_batch_match(cm_batch *batch, cm_error *error)
{
    cm_batch_reading reading = {
        .batch = batch, .kind = CM_ROW_CONVERSION, .take_row = take_row, .take_block = take_block};
    match_share parts[CM_PG_READERS_MAX] = {0};
    cm_batch_share *shares[CM_PG_READERS_MAX];
    for (unsigned i = 0; i < CM_PG_READERS_MAX; i++)
        shares[i] = &parts[i].share;
    cm_status status = cm_batch_read(&reading, shares, error);
    for (unsigned i = 0; i < CM_PG_READERS_MAX; i++) {
        cm_match_counts_sum(&batch->report->matched, &parts[i].matched);
        batch->match_seconds += parts[i].match_seconds;
        match_share_destroy(&parts[i]);
    }
    return status;
}

/*
 * A challenger beside the champion that a batch run matches by: the run's rows are read once more,
 * out of the same picture, as records. Nothing of the run itself goes by what is found.
 */
#include <stdlib.h>

#include "cmd/batch_read.h"
#include "cmd/challenge.h"
#include "cmd/clock.h"
#include "model/copy.h"
#include "util/grow.h"

#define ROUNDS 1000                  /* of the bootstrap */
#define TEXT_BYTES ((size_t)1 << 20) /* that one connection has beside the records */

/* What one connection reads: the records of a block. */
struct record_share {
    cm_batch_share share; /* first */
    cm_records *records;
    cm_click *clicks;
    cm_conversion *conversions;
    size_t count, click_capacity, conversion_capacity;
    cm_arena texts; /* until the records take them, and look whether there is room for more */
};

static cm_status no_memory(struct record_share *part)
{
    return cm_error_memory(&part->share.error, "records to compare by",
                           cm_arena_memory(&part->texts));
}

/* A row that is malformed is left out here, too: the run has told of it. */
static cm_status take_click(cm_batch_share *share, const cm_pg_row *row)
{
    struct record_share *part = (struct record_share *)share;
    const cm_build_options *options = &share->all->batch->config->build;
    cm_click click;
    cm_reject reject;
    cm_click *clicks =
        cm_grow(part->clicks, &part->click_capacity, part->count + 1, sizeof *clicks);
    if (clicks == NULL)
        return no_memory(part);
    part->clicks = clicks;
    cm_status status =
        cm_click_build(row->values, options, &share->arena, share->lenient, &click, &reject);
    if (status == CM_ERROR_FORMAT)
        return CM_OK;
    if (status != CM_OK || !cm_click_copy(&click, &part->texts, &clicks[part->count]))
        return no_memory(part);
    part->count++;
    return CM_OK;
}

static cm_status take_conversion(cm_batch_share *share, const cm_pg_row *row)
{
    struct record_share *part = (struct record_share *)share;
    const cm_build_options *options = &share->all->batch->config->build;
    cm_conversion conversion;
    cm_reject reject;
    cm_conversion *conversions = cm_grow(part->conversions, &part->conversion_capacity,
                                         part->count + 1, sizeof *conversions);
    if (conversions == NULL)
        return no_memory(part);
    part->conversions = conversions;
    cm_status status = cm_conversion_build(row->values, options, &share->arena, share->lenient,
                                           &conversion, &reject);
    if (status == CM_ERROR_FORMAT)
        return CM_OK;
    if (status != CM_OK ||
        !cm_conversion_copy(&conversion, &part->texts, &conversions[part->count]))
        return no_memory(part);
    part->count++;
    return CM_OK;
}

static cm_status take_block(cm_batch_share *share)
{
    struct record_share *part = (struct record_share *)share;
    uint64_t duplicates = 0;
    cm_status status;
    pthread_mutex_lock(&share->all->lock);
    if (share->all->kind == CM_ROW_CLICK)
        status = cm_records_add_clicks(part->records, part->clicks, part->count, &duplicates,
                                       &share->error);
    else
        status = cm_records_add_conversions(part->records, part->conversions, part->count,
                                            &duplicates, &share->error);
    if (status == CM_OK && cm_arena_memory(&part->texts) >= TEXT_BYTES)
        status = cm_records_keep(part->records, &part->texts, &share->error);
    pthread_mutex_unlock(&share->all->lock);
    part->count = 0;
    return status;
}

static cm_status read_records(cm_batch *again, cm_row_kind kind, cm_records *records,
                              cm_error *error)
{
    bool is_clicks = kind == CM_ROW_CLICK;
    cm_batch_reading reading = {.batch = again,
                                .kind = kind,
                                .take_row = is_clicks ? take_click : take_conversion,
                                .take_block = take_block};
    struct record_share *parts = calloc(CM_PG_READERS_MAX, sizeof *parts);
    cm_batch_share *shares[CM_PG_READERS_MAX];
    if (parts == NULL)
        return cm_error_memory(error, "readers", CM_PG_READERS_MAX * sizeof *parts);
    for (unsigned i = 0; i < CM_PG_READERS_MAX; i++) {
        shares[i] = &parts[i].share;
        parts[i].records = records;
    }
    cm_status status = cm_batch_read(&reading, shares, error);
    for (unsigned i = 0; i < CM_PG_READERS_MAX; i++) {
        if (status == CM_OK)
            status = cm_records_keep(records, &parts[i].texts, error);
        cm_arena_destroy(&parts[i].texts);
        free(parts[i].clicks);
        free(parts[i].conversions);
    }
    free(parts);
    return status;
}

/* The picture goes as soon as it has been read, so that vacuum need not keep what it shows. */
static cm_status read_again(cm_batch *batch, const cm_model *const models[2], cm_records *records,
                            cm_error *error)
{
    cm_batch_config quiet = *batch->config;
    cm_batch_report ignored = {0};
    quiet.on_reject = NULL;
    quiet.on_table_end = NULL;
    quiet.on_progress = NULL;
    cm_batch again = {.config = &quiet, .report = &ignored, .snapshot = batch->snapshot};
    batch->snapshot = (cm_pg_snapshot){0};
    cm_status status =
        cm_batch_period_make(&quiet, models, 2, quiet.from_us, quiet.to_us, &again.period, error);
    if (status == CM_OK)
        status = read_records(&again, CM_ROW_CLICK, records, error);
    if (status == CM_OK)
        status = read_records(&again, CM_ROW_CONVERSION, records, error);
    cm_pg_snapshot_close(&again.snapshot);
    cm_pg_period_values_destroy(&again.period);
    return status;
}

cm_status cm_batch_compare(cm_batch *batch, cm_error *error)
{
    const cm_batch_config *config = batch->config;
    const cm_model *const models[2] = {batch->model, config->challenger};
    unsigned threads = config->threads == 0 ? 1 : config->threads;
    const cm_challenge_options options = {
        .evaluate = {.threads = threads,
                     .interrupted = config->interrupt,
                     .hash_seed = config->hash_seed,
                     .figures = {.rounds = ROUNDS, .seed = 1, .threads = threads}},
        .mask_share = config->mask_share,
    };
    const cm_load_limits *limits = config->limits;
    /* Half of what clicks may take in an engine, as matching needs one beside them. */
    cm_records records = {.bytes_max = limits == NULL ? 0 : limits->click_bytes_max / 2};
    double began = cm_clock_seconds();
    cm_engine_destroy(batch->engine); /* it has done its work, and records want its room */
    batch->engine = NULL;
    cm_status status = read_again(batch, models, &records, error);
    if (status == CM_OK)
        status = cm_challenge_make(&records, models, &options, config->challenge, error);
    cm_records_destroy(&records);
    config->challenge->seconds = cm_clock_seconds() - began;
    return status;
}

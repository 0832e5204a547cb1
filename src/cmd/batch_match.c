/* Conversions: read a block, match it, write what changes. */
#include <stdlib.h>
#include <unistd.h>

#include "cmd/batch_slices.h"
#include "cmd/clock.h"
#include "util/grow.h"

/* Matching under way. */
typedef struct matching {
    cm_batch *batch;
    cm_pg_rows rows;
    cm_arena arena;
    cm_batch_block block;
    cm_batch_slice *slices;
    unsigned slice_count;
} matching;

static unsigned thread_count(const cm_batch_config *config)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned wanted = config->threads;
    if (wanted == 0)
        wanted = cores < 1 ? 1 : (unsigned)cores;
    return wanted < CM_BATCH_THREADS_MAX ? wanted : CM_BATCH_THREADS_MAX;
}

static cm_status make_room(cm_batch_block *block, cm_error *error)
{
    size_t needed = block->count + 1;
    cm_conversion *conversions = cm_grow(block->conversions, &block->conversion_capacity, needed,
                                         sizeof *block->conversions);
    if (conversions != NULL)
        block->conversions = conversions;
    cm_batch_item *items =
        cm_grow(block->items, &block->item_capacity, needed, sizeof *block->items);
    if (items != NULL)
        block->items = items;
    if (conversions == NULL || items == NULL)
        return cm_error_memory(error, "conversions", needed * sizeof *conversions);
    return CM_OK;
}

static cm_status build(matching *run, const cm_pg_row *row, cm_error *error)
{
    const cm_build_options options = {.lenient = run->batch->config->lenient};
    cm_batch_block *block = &run->block;
    cm_reject reject;
    cm_status status = make_room(block, error);
    if (status != CM_OK)
        return status;
    status = cm_conversion_build(row->values, &options, &run->arena,
                                 run->batch->report->conversions.lenient,
                                 &block->conversions[block->count], &reject);
    if (status == CM_ERROR_FORMAT)
        return cm_batch_refuse(run->batch, CM_ROW_CONVERSION, run->batch->report->conversions.rows,
                               row, &reject, error);
    if (status != CM_OK)
        return cm_error_memory(error, "conversions", sizeof *block->conversions);
    block->items[block->count++] = (cm_batch_item){row->id, row->stored};
    return CM_OK;
}

static cm_status read_block(matching *run, bool *more, cm_error *error)
{
    cm_pg_row row;
    bool found = true;
    run->block.count = 0;
    cm_arena_reset(&run->arena);
    cm_status status = cm_pg_rows_fetch(&run->rows, more, error);
    while (status == CM_OK && *more) {
        status = cm_pg_rows_next(&run->rows, &row, &found, error);
        if (status != CM_OK || !found)
            break;
        run->batch->report->conversions.rows++;
        status = build(run, &row, error);
    }
    return status;
}

/* Write what changes, in the order of the conversions. */
static cm_status settle(matching *run, cm_error *error)
{
    cm_batch *batch = run->batch;
    cm_batch_report *report = batch->report;
    cm_status status = CM_OK;
    for (unsigned i = 0; i < run->slice_count && status == CM_OK; i++) {
        const cm_batch_slice *slice = &run->slices[i];
        report->changed += slice->changed;
        if (!batch->config->dry_run)
            status = cm_pg_staging_write(&batch->staging, slice->rows.data, slice->rows.size,
                                         slice->changed, error);
    }
    cm_batch_progress(batch, CM_BATCH_MATCH, report->conversions.rows);
    return status;
}

static cm_status match_all(matching *run, cm_error *error)
{
    bool more = true;
    cm_status status =
        cm_pg_snapshot_conversions(&run->batch->snapshot, &run->batch->period, &run->rows, error);
    while (status == CM_OK) {
        status = read_block(run, &more, error);
        if (status != CM_OK || !more)
            break;
        double start = cm_clock_seconds();
        status = cm_batch_slices_run(run->slices, run->slice_count, &run->block, error);
        run->batch->match_seconds += cm_clock_seconds() - start;
        if (status == CM_OK)
            status = settle(run, error);
    }
    return status;
}

cm_status cm_batch_match(cm_batch *batch, cm_error *error)
{
    matching run = {.batch = batch, .slice_count = thread_count(batch->config)};
    run.slices = calloc(run.slice_count, sizeof *run.slices);
    if (run.slices == NULL)
        return cm_error_memory(error, "threads", run.slice_count * sizeof *run.slices);
    for (unsigned i = 0; i < run.slice_count; i++) {
        run.slices[i].engine = batch->engine;
        run.slices[i].model = cm_model_label(batch->model);
    }
    cm_status status = match_all(&run, error);
    for (unsigned i = 0; i < run.slice_count; i++)
        cm_match_counts_sum(&batch->report->matched, &run.slices[i].matched);
    cm_pg_rows_close(&run.rows);
    cm_batch_slices_destroy(run.slices, run.slice_count);
    free(run.slices);
    free(run.block.conversions);
    free(run.block.items);
    cm_arena_destroy(&run.arena);
    return status == CM_OK ? cm_batch_table_end(batch, CM_ROW_CONVERSION, error) : status;
}

/* What the parts of a batch run share. */
#ifndef CM_CMD_BATCH_STATE_H
#define CM_CMD_BATCH_STATE_H

#include "cmd/batch_run.h"
#include "model/build.h"
#include "pg/pg_snapshot.h"
#include "pg/pg_staging.h"

/** A run under way. Written by one thread, or under a lock. */
typedef struct cm_batch {
    const cm_batch_config *config;
    cm_batch_report *report;
    const cm_model *model;
    cm_engine *engine;
    cm_pg_period_values period;
    cm_pg_snapshot snapshot;
    cm_pg writer; /* holds the job; writes; closed in a dry run */
    cm_pg_job job;
    cm_pg_staging staging;
    cm_pg_dead_rows dead;
    double match_seconds; /* that threads spent matching alone */
} cm_batch;

/** Read the clicks into the engine. */
cm_status cm_batch_load(cm_batch *batch, cm_error *error);

/** Read the conversions, match them, write what changes to the staging table. */
cm_status cm_batch_match(cm_batch *batch, cm_error *error);

/** Compare the model with the challenger, and close the snapshot. */
cm_status cm_batch_compare(cm_batch *batch, cm_error *error);

/** Make the values of a period whose clicks reach as far as any of the models asks; freed with
 * cm_pg_period_values_destroy. CM_OK, CM_ERROR_USAGE (it is empty) or CM_ERROR_MEMORY. */
cm_status cm_batch_period_make(const cm_batch_config *config, const cm_model *const *models,
                               size_t model_count, int64_t from_us, int64_t to_us,
                               cm_pg_period_values *values, cm_error *error);

/** Count, tell and keep a rejected row. CM_OK, CM_ERROR_MEMORY or what the callback returned. */
cm_status cm_batch_refuse(cm_batch *batch, cm_row_kind kind, uint64_t number, const cm_pg_row *row,
                          const cm_reject *reject, cm_error *error);

/** A table has been read: ask the caller whether to go on. */
cm_status cm_batch_table_end(const cm_batch *batch, cm_row_kind kind, cm_error *error);

static inline void cm_batch_progress(const cm_batch *batch, cm_batch_phase phase, uint64_t rows)
{
    if (batch->config->on_progress != NULL)
        batch->config->on_progress(batch->config->context, phase, rows);
}

static inline cm_source_counts *cm_batch_counts_of(const cm_batch *batch, cm_row_kind kind)
{
    return kind == CM_ROW_CLICK ? &batch->report->clicks : &batch->report->conversions;
}

#endif

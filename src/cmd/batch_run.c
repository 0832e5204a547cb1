#include "cmd/batch_run.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/batch_state.h"
#include "cmd/clock.h"
#include "model/model.h"
#include "pg/pg_tenants.h"
#include "util/time.h"

/* Each reader keeps a process of the server busy beside its own thread. */
#define READERS_MAX 4

/* Each thread reads over a connection of its own. */
static unsigned reader_count(const cm_batch_config *config)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned wanted = config->threads;
    if (wanted == 0)
        wanted = cores < 1 ? 1 : (unsigned)cores;
    return wanted < READERS_MAX ? wanted : READERS_MAX;
}

/* How long after it was clicked a click matters: layer 1 finds it, or layer 3 looks back to it. */
static int64_t click_reach_us(const cm_model *model)
{
    int64_t findable_us = model->window_us + model->retention_us;
    int64_t lookback_us = model->probabilistic_window_us;
    return findable_us > lookback_us ? findable_us : lookback_us;
}

cm_status cm_batch_period_make(const cm_batch_config *config, const cm_model *const *models,
                               size_t model_count, int64_t from_us, int64_t to_us,
                               cm_pg_period_values *values, cm_error *error)
{
    cm_pg_period period = {.from_us = from_us,
                           .to_us = to_us,
                           .tenants = config->tenants,
                           .tenant_count = config->tenant_count,
                           .only_unattributed = config->only_unattributed,
                           .with_campaigns = config->for_stream};
    for (size_t i = 0; i < model_count; i++) {
        int64_t reach_us = click_reach_us(models[i]);
        int64_t retention_us = models[i]->retention_us;
        period.reach_us = reach_us > period.reach_us ? reach_us : period.reach_us;
        period.retention_us =
            retention_us > period.retention_us ? retention_us : period.retention_us;
    }
    if (from_us >= to_us)
        return cm_error_set(error, CM_ERROR_USAGE,
                            "the period is empty: --from is not before --to");
    return cm_pg_period_values_make(&period, values, error);
}

static cm_status make_period(cm_batch *batch, int64_t from_us, int64_t to_us, cm_error *error)
{
    const cm_model *model = batch->model;
    return cm_batch_period_make(batch->config, &model, 1, from_us, to_us, &batch->period, error);
}

/* The connection that writes. It registers the run, so that no other writes meanwhile. */
static cm_status open_writer(cm_batch *batch, const cm_pg_options *options, cm_error *error)
{
    const cm_pg_job_options job = {.schema = batch->config->schema,
                                   .model = cm_model_label(batch->model),
                                   .started_by = batch->config->started_by};
    cm_status status = cm_pg_open(options, &batch->writer, error);
    if (status == CM_OK)
        status = cm_pg_engine_check(&batch->writer, options, error);
    if (status == CM_OK)
        status = cm_pg_job_start(&batch->writer, &job, &batch->period, &batch->job, error);
    if (status != CM_OK)
        return status;
    cm_pg_staging_init(&batch->staging, &batch->writer, &batch->job);
    (void)snprintf(batch->report->job, sizeof batch->report->job, "%s", batch->job.id);
    batch->report->run_count = batch->job.run_count;
    return CM_OK;
}

static cm_status connect_all(cm_batch *batch, cm_error *error)
{
    const cm_batch_config *config = batch->config;
    const cm_pg_options options = {.conninfo = config->conninfo,
                                   .database = config->database,
                                   .schema = config->schema,
                                   .interrupt = config->interrupt,
                                   .allow_superuser = config->allow_superuser};
    cm_status status = make_period(batch, config->from_us, config->to_us, error);
    if (status == CM_OK && !config->dry_run)
        status = open_writer(batch, &options, error);
    if (status == CM_OK)
        status = cm_pg_snapshot_open(&options, reader_count(config), &batch->snapshot, error);
    if (status == CM_OK && config->dry_run)
        status = cm_pg_engine_check(&batch->snapshot.readers[0], &options, error);
    return status;
}

static cm_status promote(cm_batch *batch, cm_error *error)
{
    cm_batch_report *report = batch->report;
    uint64_t matched = report->matched.conversions;
    const cm_pg_promotion promotion = {
        .job = &batch->job,
        .counts = {.clicks_read = report->clicks.rows,
                   .conversions_read = report->conversions.rows,
                   .rows_rejected = report->clicks.rejected + report->conversions.rejected,
                   .conversions_attributed =
                       matched - report->matched.methods[CM_METHOD_UNATTRIBUTED]},
        .dead = &batch->dead,
        .run_time_us = batch->config->now_us,
        .processing_ms =
            matched == 0 ? 0 : (uint32_t)(batch->match_seconds * 1000 / (double)matched)};
    cm_pg_promoted promoted;
    cm_pg_snapshot_close(&batch->snapshot); /* so that vacuum need not keep what it shows */
    if (batch->config->dry_run)
        return CM_OK;
    cm_status status = cm_pg_staging_promote(&batch->staging, &promotion, &promoted, error);
    if (status != CM_OK)
        return status;
    report->changed = promoted.changed;
    report->vanished = promoted.vanished;
    return CM_OK;
}

static cm_status run_phases(cm_batch *batch, cm_error *error)
{
    static cm_status (*const PHASES[CM_BATCH_PHASE_COUNT])(cm_batch *, cm_error *) = {
        [CM_BATCH_CONNECT] = connect_all,  [CM_BATCH_LOAD] = cm_batch_load,
        [CM_BATCH_MATCH] = cm_batch_match, [CM_BATCH_COMPARE] = cm_batch_compare,
        [CM_BATCH_PROMOTE] = promote,
    };
    cm_status status = CM_OK;
    for (int phase = 0; phase < CM_BATCH_PHASE_COUNT && status == CM_OK; phase++) {
        if (phase == CM_BATCH_COMPARE && batch->config->challenger == NULL)
            continue;
        double start = cm_clock_seconds();
        cm_batch_progress(batch, (cm_batch_phase)phase, 0);
        status = PHASES[phase](batch, error);
        batch->report->seconds[phase] = cm_clock_seconds() - start;
    }
    return status;
}

static void close_all(cm_batch *batch, cm_status status, const cm_error *error)
{
    cm_pg_snapshot_close(&batch->snapshot);
    if (status != CM_OK && batch->job.id[0] != '\0') {
        cm_pg_staging_drop(&batch->staging);
        cm_pg_job_fail(&batch->writer, &batch->job, error->message);
    }
    cm_pg_close(&batch->writer);
    cm_pg_dead_rows_destroy(&batch->dead);
    cm_pg_period_values_destroy(&batch->period);
    cm_engine_destroy(batch->engine);
}

cm_status cm_batch_run(const cm_batch_config *config, cm_batch_report *report, cm_error *error)
{
    const cm_options options = {.hash_seed = config->hash_seed};
    cm_batch batch = {.config = config, .report = report, .model = config->model};
    cm_error failure = {0};
    cm_model *default_model = NULL;
    cm_status status = CM_OK;
    *report = (cm_batch_report){0};
    if (batch.model == NULL) {
        status = cm_model_create(NULL, 0, &default_model, &failure);
        batch.model = default_model;
    }
    if (status == CM_OK)
        status = cm_engine_create(&options, batch.model, &batch.engine, &failure);
    if (status == CM_OK)
        status = run_phases(&batch, &failure);
    close_all(&batch, status, &failure);
    cm_model_destroy(default_model);
    if (status != CM_OK && error != NULL)
        *error = failure;
    return status;
}

/* ---- clicks alone ---- */

cm_status cm_batch_load_window(const cm_batch_config *config, int64_t back_us, cm_engine *engine,
                               cm_batch_report *report, cm_error *error)
{
    const cm_pg_options options = {.conninfo = config->conninfo,
                                   .schema = config->schema,
                                   .interrupt = config->interrupt,
                                   .allow_superuser = config->allow_superuser};
    cm_batch batch = {.config = config, .report = report, .model = config->model, .engine = engine};
    int64_t newest_us = 0;
    *report = (cm_batch_report){0};
    cm_status status = cm_pg_snapshot_open(&options, reader_count(config), &batch.snapshot, error);
    if (status == CM_OK)
        status = cm_pg_engine_check(&batch.snapshot.readers[0], &options, error);
    if (status == CM_OK)
        status = cm_pg_snapshot_newest_click(&batch.snapshot, &newest_us, error);
    if (status == CM_OK)
        status = make_period(&batch, newest_us - back_us, CM_TIME_END_US, error);
    if (status == CM_OK)
        status = cm_batch_load(&batch, error);
    cm_pg_snapshot_close(&batch.snapshot);
    cm_pg_dead_rows_destroy(&batch.dead);
    cm_pg_period_values_destroy(&batch.period);
    return status;
}

cm_status cm_batch_load_within(const cm_batch_config *config, cm_pg *pg, cm_engine *engine,
                               cm_error *error)
{
    cm_batch_report report = {0};
    cm_batch batch = {
        .config = config, .report = &report, .model = config->model, .engine = engine};
    batch.snapshot.readers[0] = *pg; /* borrowed */
    batch.snapshot.reader_count = 1;
    cm_status status = make_period(&batch, config->from_us, config->to_us, error);
    if (status == CM_OK)
        status = cm_batch_load(&batch, error);
    memcpy(pg->sqlstate, batch.snapshot.readers[0].sqlstate, sizeof pg->sqlstate);
    cm_pg_dead_rows_destroy(&batch.dead);
    cm_pg_period_values_destroy(&batch.period);
    return status;
}

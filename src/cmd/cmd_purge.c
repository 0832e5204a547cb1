#include "cmd/cmd_purge.h"

#include <stdio.h>

#include "cmd/clock.h"
#include "cmd/database.h"
#include "cmd/interrupt.h"
#include "cmd/model_source.h"
#include "cmd/progress.h"
#include "cmd/summary.h"
#include "file/output.h"
#include "model/model.h"
#include "pg/pg_migrate.h"
#include "pg/pg_purge.h"
#include "pg/pg_tenants.h"
#include "util/error.h"
#include "util/time.h"

/* `batch` begins its period seven days before a midnight that is up to a day ago. */
#define BATCH_US (8 * CM_DAY_US)

/* A run. */
typedef struct purging {
    const cm_settings *settings;
    cm_log *log;
    cm_progress progress;
    cm_pg_purge_config config;
    cm_pg_purge_report report;
    double seconds;
} purging;

/* ---- what is old ---- */

/* What `batch` needs by default, and conversions that come late, is never purged. */
static cm_status set_age(purging *p, const cm_model *model, cm_error *error)
{
    int64_t now_us = cm_clock_now_us();
    int64_t age_us = (int64_t)cm_settings_number(p->settings, CM_OPTION_OLDER_THAN);
    int64_t window_us = model->window_us > model->probabilistic_window_us
                            ? model->window_us
                            : model->probabilistic_window_us;
    int64_t least_us = BATCH_US + window_us + model->retention_us;
    if (age_us < least_us)
        return cm_error_set(error, CM_ERROR_USAGE,
                            "--older-than: by model %s, batch may need clicks of the last %.0f "
                            "hours; give %lldd or more",
                            cm_model_label(model), (double)least_us / (double)CM_HOUR_US,
                            (long long)((least_us + CM_DAY_US - 1) / CM_DAY_US));
    p->config.before_us = now_us - age_us;
    p->config.expired_before_us = now_us - BATCH_US - model->retention_us;
    return CM_OK;
}

static cm_status read_age(purging *p, cm_error *error)
{
    cm_model_source source;
    cm_model *model = NULL;
    cm_status status = cm_model_source_init(p->settings, CM_OPTION_MODEL_OR_NAME, CM_OPTION_DB,
                                            true, &source, error);
    if (status == CM_OK)
        status = cm_model_source_read(&source, cm_interrupt_flag(), &model, NULL, error);
    if (status == CM_OK)
        status = set_age(p, model, error);
    cm_model_destroy(model);
    return status;
}

/* ---- doing it ---- */

static void take_progress(void *context, uint64_t rows)
{
    cm_progress_update(context, rows);
}

static void configure(purging *p)
{
    const cm_option_value *tenants = &p->settings->values[CM_OPTION_TENANT];
    p->config = (cm_pg_purge_config){
        .tenants = tenants->texts,
        .tenant_count = tenants->text_count,
        .batch_rows = cm_settings_number(p->settings, CM_OPTION_BATCH_ROWS),
        .dry_run = cm_settings_flag(p->settings, CM_OPTION_DRY_RUN),
        .context = &p->progress,
        .on_progress = take_progress,
    };
    cm_progress_init(&p->progress, p->log);
    cm_progress_phase(&p->progress, "purge", 0);
}

static cm_status work(purging *p, cm_error *error)
{
    const cm_pg_options options = {.conninfo = cm_settings_text(p->settings, CM_OPTION_DB),
                                   .schema = cm_settings_text(p->settings, CM_OPTION_SCHEMA),
                                   .interrupt = cm_interrupt_flag(),
                                   .allow_superuser =
                                       cm_settings_flag(p->settings, CM_OPTION_ALLOW_SUPERUSER)};
    cm_pg pg;
    configure(p);
    cm_status status = read_age(p, error);
    if (status == CM_OK)
        status = cm_pg_open(&options, &pg, error);
    if (status != CM_OK)
        return status;
    status = cm_pg_engine_check(&pg, &options, error);
    if (status == CM_OK)
        status = cm_pg_purge(&pg, &p->config, &p->report, error);
    cm_pg_close(&pg);
    return status;
}

/* ---- what came of it ---- */

static void append(cm_buffer *text, const char *what, uint64_t count, const char *verb)
{
    char line[160], room[CM_COUNT_BYTES];
    (void)snprintf(line, sizeof line, "%-15s %15s  %s\n", what, cm_count_text(count, room), verb);
    cm_buffer_append_text(text, line);
}

static void append_all(const purging *p, cm_buffer *text)
{
    const cm_pg_purge_report *report = &p->report;
    char line[160];
    cm_buffer_append_text(text, p->config.dry_run ? "would purge\n" : "purged\n");
    append(text, "  clicks", report->clicks_deleted, "deleted");
    append(text, "", report->clicks_stripped, "kept for results, without personal data");
    append(text, "  conversions", report->conversions_stripped, "without personal data");
    append(text, "  dead events", report->dead_deleted, "deleted");
    if (!p->config.dry_run) {
        (void)snprintf(line, sizeof line, "%-15s %15.1f  the longest of %llu\n", "ms of a batch",
                       (double)report->longest_us / 1000, (unsigned long long)report->batches);
        cm_buffer_append_text(text, line);
    }
    (void)snprintf(line, sizeof line, "%-15s %15.3f", "seconds", p->seconds);
    cm_buffer_append_text(text, line);
    cm_buffer_append(text, "\n", 2); /* with its NUL */
}

static json_t *to_json(const purging *p, cm_status outcome)
{
    const cm_pg_purge_report *report = &p->report;
    return json_pack(
        "{s:s,s:s,s:s,s:b,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:f,s:f}", "command", "purge", "version",
        CM_VERSION, "outcome", outcome == CM_OK ? "done" : "interrupted", "dry_run",
        (int)p->config.dry_run, "clicks_deleted", (json_int_t)report->clicks_deleted,
        "clicks_stripped", (json_int_t)report->clicks_stripped, "conversions_stripped",
        (json_int_t)report->conversions_stripped, "dead_events_deleted",
        (json_int_t)report->dead_deleted, "dead_events_unresolved",
        (json_int_t)report->dead_unresolved, "clicks_kept_for_others", (json_int_t)report->kept,
        "rows_left", (json_int_t)report->left, "batches", (json_int_t)report->batches,
        "longest_batch_ms", (double)report->longest_us / 1000, "seconds", p->seconds);
}

static void warn(const purging *p)
{
    const cm_pg_purge_report *report = &p->report;
    if (report->kept > 0)
        cm_log_warning(p->log,
                       "%llu clicks stay, without personal data: another table's foreign key "
                       "refers to them",
                       (unsigned long long)report->kept);
    if (report->left > 0)
        cm_log_warning(p->log,
                       "%llu rows took so long that others would have waited; the next purge tries "
                       "them again",
                       (unsigned long long)report->left);
    if (report->dead_unresolved > 0)
        cm_log_warning(p->log, "%llu of the dead events %s neither resolved nor ignored",
                       (unsigned long long)report->dead_unresolved,
                       p->config.dry_run ? "are" : "were");
}

static cm_status summarize(purging *p, cm_output **output, cm_status status, cm_error *error)
{
    cm_buffer text = {0};
    if (status != CM_OK && status != CM_ERROR_INTERRUPTED)
        return status;
    json_t *json = to_json(p, status);
    append_all(p, &text);
    cm_log_data(p->log, text.failed ? "" : text.data, "summary", json);
    warn(p);
    if (*output != NULL) {
        cm_error *wanted = status == CM_OK ? error : NULL;
        cm_status written = cm_summary_write(json, *output, wanted);
        *output = NULL;
        status = status == CM_OK ? written : status;
    }
    json_decref(json);
    cm_buffer_destroy(&text);
    return status;
}

cm_status cm_cmd_purge(const cm_settings *settings, cm_log *log, cm_error *error)
{
    const cm_output_options options = {.option = "--summary"};
    const char *path = cm_settings_text(settings, CM_OPTION_SUMMARY);
    purging p = {.settings = settings, .log = log};
    double began = cm_clock_seconds();
    cm_output *output = NULL;
    cm_status status = cm_database_check(settings, CM_OPTION_DB, error);
    if (status == CM_OK && path != NULL)
        status = cm_output_open(path, &options, &output, error);
    if (status == CM_OK)
        status = work(&p, error);
    p.seconds = cm_clock_seconds() - began;
    status = summarize(&p, &output, status, error);
    cm_output_abort(output);
    return status;
}

#include "cmd/cmd_retry.h"

#include "cmd/database.h"
#include "cmd/interrupt.h"
#include "cmd/memory_max.h"
#include "cmd/model_source.h"
#include "cmd/paths.h"
#include "cmd/progress.h"
#include "cmd/report.h"
#include "cmd/retry_show.h"
#include "cmd/run.h"
#include "model/model.h"
#include "pg/pg_tenants.h"
#include "util/error.h"
#include "util/json.h"

/* A run under way. */
typedef struct retrying {
    const cm_settings *settings;
    cm_log *log;
    cm_progress progress;
    cm_pg pg;
    cm_pg_retry_values values;
    cm_model *model;
    cm_output *summary;
    cm_retry_report report;
} retrying;

static bool flag(const retrying *r, cm_option option)
{
    return cm_settings_flag(r->settings, option);
}

static bool is_given(const retrying *r, cm_option option)
{
    return r->settings->values[option].given;
}

/* ---- before the work ---- */

static cm_status check(const retrying *r, cm_error *error)
{
    bool ignores = flag(r, CM_OPTION_IGNORE), lists = flag(r, CM_OPTION_LIST_DEAD);
    bool selects = is_given(r, CM_OPTION_DEAD_ID) || is_given(r, CM_OPTION_ERROR_TYPE) ||
                   is_given(r, CM_OPTION_TENANT);
    if (ignores && lists)
        return cm_error_set(error, CM_ERROR_USAGE, "--ignore and --list are given; give one");
    if (ignores && flag(r, CM_OPTION_DRY_RUN))
        return cm_error_set(error, CM_ERROR_USAGE,
                            "--ignore has no --dry-run; --list with the same --id, --error-type "
                            "and --tenant counts what it would mark");
    if (ignores && !selects)
        return cm_error_set(error, CM_ERROR_USAGE,
                            "--ignore alone would mark every pending dead event; say which by "
                            "--id, --error-type or --tenant");
    if (is_given(r, CM_OPTION_IGNORE_REASON) && !ignores)
        return cm_error_set(error, CM_ERROR_USAGE, "--reason says why of --ignore; give both");
    cm_status status = cm_database_check(r->settings, CM_OPTION_DB, error);
    return status == CM_OK ? cm_paths_check(r->settings, error) : status;
}

static cm_status read_filter(retrying *r, cm_error *error)
{
    const cm_option_value *values = r->settings->values;
    const cm_pg_retry_filter filter = {
        .ids = values[CM_OPTION_DEAD_ID].texts,
        .id_count = values[CM_OPTION_DEAD_ID].text_count,
        .tenants = values[CM_OPTION_TENANT].texts,
        .tenant_count = values[CM_OPTION_TENANT].text_count,
        .error_types = values[CM_OPTION_ERROR_TYPE].texts,
        .error_type_count = values[CM_OPTION_ERROR_TYPE].text_count,
    };
    return cm_pg_retry_values_make(&filter, &r->values, error);
}

static cm_status open_summary(retrying *r, cm_error *error)
{
    const char *path = cm_settings_text(r->settings, CM_OPTION_SUMMARY);
    const cm_output_options options = {.option = "--summary"};
    return path == NULL ? CM_OK : cm_output_open(path, &options, &r->summary, error);
}

static cm_status open_database(retrying *r, cm_error *error)
{
    const cm_pg_options options = {.conninfo = cm_settings_text(r->settings, CM_OPTION_DB),
                                   .schema = cm_settings_text(r->settings, CM_OPTION_SCHEMA),
                                   .interrupt = cm_interrupt_flag(),
                                   .allow_superuser =
                                       cm_settings_flag(r->settings, CM_OPTION_ALLOW_SUPERUSER)};
    cm_status status = cm_pg_open(&options, &r->pg, error);
    return status == CM_OK ? cm_pg_engine_check(&r->pg, &options, error) : status;
}

static cm_status read_model(retrying *r, cm_error *error)
{
    cm_model_source source;
    bool is_built_in = false;
    cm_status status = cm_model_source_init(r->settings, CM_OPTION_MODEL_OR_NAME, CM_OPTION_DB,
                                            true, &source, error);
    if (status == CM_OK)
        status = cm_model_source_read(&source, cm_interrupt_flag(), &r->model, &is_built_in, error);
    if (status == CM_OK)
        cm_model_source_tell(&source, "model", r->model, is_built_in, r->log);
    return status;
}

/* ---- the work ---- */

static void take_progress(void *context, uint64_t events)
{
    cm_progress_update(context, events);
}

static cm_status retry(retrying *r, cm_error *error)
{
    cm_retry_config config = {
        .schema = cm_settings_text(r->settings, CM_OPTION_SCHEMA),
        .values = &r->values,
        .build = cm_run_build_options(r->settings, NULL),
        .dry_run = flag(r, CM_OPTION_DRY_RUN),
        .limits = cm_memory_load_limits(r->settings),
        .threads = cm_run_threads(r->settings),
        .context = &r->progress,
        .on_progress = take_progress,
    };
    cm_status status = read_model(r, error);
    if (status == CM_OK)
        status = cm_run_random(&config.hash_seed, error);
    if (status != CM_OK)
        return status;
    config.model = r->model;
    cm_progress_phase(&r->progress, "retry", 0);
    return cm_retry_run(&config, &r->pg, &r->report, error);
}

static cm_status ignore(retrying *r, cm_error *error)
{
    return cm_pg_retry_ignore(&r->pg, &r->values,
                              cm_settings_text(r->settings, CM_OPTION_IGNORE_REASON),
                              &r->report.ignored, error);
}

/* ---- what came of it ---- */

/* A list is what was asked for. */
static cm_status tell_list(const retrying *r, const cm_pg_answer *counts, cm_error *error)
{
    cm_buffer text = {0};
    if (cm_pg_answer_rows(counts) == 0) {
        cm_log_info(r->log, "there are no dead events");
        return CM_OK;
    }
    cm_retry_counts_text(counts, &text);
    return cm_print(&text, error);
}

/* What was done, and what there is now, where that could be asked for. */
static void tell_report(const retrying *r, const cm_summary_memory *memory,
                        const cm_pg_answer *counts, json_t *json)
{
    cm_buffer text = {0};
    cm_retry_report_text(&r->report, flag(r, CM_OPTION_DRY_RUN), &text);
    if (counts->result != NULL)
        cm_retry_counts_text(counts, &text);
    cm_buffer_append_char(&text, '\0');
    cm_log_data(r->log, text.failed ? "" : text.data, "summary", json);
    cm_summary_tell_memory(memory, r->log);
    cm_buffer_destroy(&text);
}

static json_t *to_json(const retrying *r, cm_status outcome, const cm_summary_memory *memory,
                       const cm_pg_answer *counts)
{
    const char *model = r->model == NULL ? NULL : cm_model_label(r->model);
    json_t *json = cm_retry_report_json(&r->report, outcome, flag(r, CM_OPTION_DRY_RUN), model);
    json_t *now = counts->result == NULL ? json_null() : cm_retry_counts_json(counts);
    json = cm_json_with(json, "memory", cm_summary_memory_json(memory));
    return cm_json_with(json, "dead_events", now);
}

/* outcome: CM_OK, or CM_ERROR_INTERRUPTED: what was done until then. */
static cm_status summarize(retrying *r, cm_status outcome, cm_error *error)
{
    bool lists = flag(r, CM_OPTION_LIST_DEAD);
    const cm_summary_memory memory = {.max = cm_memory_shares_of(r->settings).all,
                                      .left_out = r->report.left_out.clicks,
                                      .left_out_us = r->report.left_out.from_us};
    cm_pg_answer counts = {NULL};
    cm_status status = CM_OK;
    if (outcome == CM_OK)
        status = cm_pg_retry_counts(&r->pg, &r->values, &counts, error);
    if (status == CM_OK && lists)
        status = tell_list(r, &counts, error);
    json_t *json = status == CM_OK ? to_json(r, outcome, &memory, &counts) : NULL;
    if (status == CM_OK && !lists)
        tell_report(r, &memory, &counts, json);
    if (status == CM_OK && r->summary != NULL) {
        cm_output *output = r->summary;
        r->summary = NULL;
        status = cm_summary_write(json, output, error);
    }
    json_decref(json);
    cm_pg_answer_free(&counts);
    return status;
}

static cm_status do_what_is_asked(retrying *r, cm_error *error)
{
    if (flag(r, CM_OPTION_LIST_DEAD))
        return CM_OK;
    return flag(r, CM_OPTION_IGNORE) ? ignore(r, error) : retry(r, error);
}

static cm_status work(retrying *r, cm_error *error)
{
    cm_status status = check(r, error);
    if (status == CM_OK)
        status = read_filter(r, error);
    if (status == CM_OK)
        status = open_summary(r, error);
    if (status == CM_OK)
        status = open_database(r, error);
    if (status == CM_OK)
        status = do_what_is_asked(r, error);
    if (status == CM_ERROR_INTERRUPTED && r->model != NULL)
        (void)summarize(r, status, NULL);
    return status == CM_OK ? summarize(r, CM_OK, error) : status;
}

cm_status cm_cmd_retry(const cm_settings *settings, cm_log *log, cm_error *error)
{
    retrying r = {.settings = settings, .log = log};
    cm_progress_init(&r.progress, log);
    cm_status status = work(&r, error);
    cm_output_abort(r.summary);
    cm_pg_close(&r.pg);
    cm_pg_retry_values_destroy(&r.values);
    cm_model_destroy(r.model);
    return status;
}

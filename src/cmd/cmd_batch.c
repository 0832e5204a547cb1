#include "cmd/cmd_batch.h"

#include <stdio.h>

#include "cmd/batch_run.h"
#include "cmd/challenge.h"
#include "cmd/clock.h"
#include "cmd/database.h"
#include "cmd/interrupt.h"
#include "cmd/memory_max.h"
#include "cmd/model_source.h"
#include "cmd/paths.h"
#include "cmd/run.h"
#include "cmd/time_text.h"
#include "util/error.h"
#include "util/json.h"
#include "util/time.h"

#define PERIOD_DAYS 7
#define ONLY_UNATTRIBUTED 0 /* the first word of --only */

static const char *const phase_names[CM_BATCH_PHASE_COUNT] = {
    [CM_BATCH_CONNECT] = "connect", [CM_BATCH_LOAD] = "load clicks", [CM_BATCH_MATCH] = "match",
    [CM_BATCH_COMPARE] = "compare", [CM_BATCH_PROMOTE] = "promote",
};

/* Of the run; the challenger is NULL where none is asked for. */
struct models {
    cm_model *champion, *challenger;
};

/* ---- what the run calls ---- */

static cm_status take_reject(void *context, cm_row_kind kind, const cm_reject_line *reject,
                             cm_error *error)
{
    cm_run *run = context;
    if (run->rejects.kind != cm_rejects_kind_name(kind))
        cm_rejects_source(&run->rejects, cm_rejects_kind_name(kind));
    return cm_rejects_take(&run->rejects, reject, error);
}

static cm_status end_table(void *context, cm_row_kind kind, const char *table,
                           const cm_source_counts *counts, cm_error *error)
{
    cm_run *run = context;
    if (run->rejects.kind == cm_rejects_kind_name(kind))
        cm_rejects_source_end(&run->rejects, table);
    return cm_rejects_check(run->settings, table, counts->rows, counts->rejected, error);
}

static void take_progress(void *context, cm_batch_phase phase, uint64_t rows)
{
    cm_run *run = context;
    if (run->progress.phase != phase_names[phase])
        cm_progress_phase(&run->progress, phase_names[phase], 0);
    cm_progress_update(&run->progress, rows);
}

/* ---- what the settings say ---- */

static void set_period(const cm_settings *settings, cm_batch_config *config)
{
    const cm_option_value *from = &settings->values[CM_OPTION_FROM];
    const cm_option_value *to = &settings->values[CM_OPTION_TO];
    config->to_us = to->given ? to->time_us : config->now_us - config->now_us % CM_DAY_US;
    config->from_us = from->given ? from->time_us : config->to_us - PERIOD_DAYS * CM_DAY_US;
    if (config->from_us < 0)
        config->from_us = 0;
}

static cm_status configure(const cm_run *run, const struct models *models, cm_load_limits *limits,
                           cm_batch_config *config, cm_error *error)
{
    const cm_settings *settings = run->settings;
    const cm_option_value *tenants = &settings->values[CM_OPTION_TENANT];
    *config = (cm_batch_config){
        .conninfo = cm_settings_text(settings, CM_OPTION_DB),
        .schema = cm_settings_text(settings, CM_OPTION_SCHEMA),
        .tenants = tenants->texts,
        .tenant_count = tenants->text_count,
        .only_unattributed = cm_settings_number(settings, CM_OPTION_ONLY) == ONLY_UNATTRIBUTED,
        .dry_run = cm_settings_flag(settings, CM_OPTION_DRY_RUN),
        .allow_superuser = cm_settings_flag(settings, CM_OPTION_ALLOW_SUPERUSER),
        .build = cm_run_build_options(settings, run->pii),
        .model = models->champion,
        .challenger = models->challenger,
        .mask_share = settings->values[CM_OPTION_CHALLENGE_MASK].share,
        .limits = limits,
        .threads = cm_run_threads(settings),
        .now_us = cm_clock_now_us(),
        .interrupt = cm_interrupt_flag(),
        .on_reject = take_reject,
        .on_table_end = end_table,
        .on_progress = take_progress,
    };
    set_period(settings, config);
    cm_status status = cm_database_started_by(&config->started_by, error);
    return status == CM_OK ? cm_run_random(&config->hash_seed, error) : status;
}

/* ---- what came of it ---- */

static cm_status add_sources(cm_run *run, const cm_batch_report *report, cm_error *error)
{
    if (cm_summary_source_add(&run->summary, "click_tracking", CM_ROW_CLICK, &report->clicks) &&
        cm_summary_source_add(&run->summary, "conversion_tracking", CM_ROW_CONVERSION,
                              &report->conversions))
        return CM_OK;
    return cm_error_memory(error, "the summary", sizeof *report);
}

static bool add_details(cm_summary *summary, const cm_batch_config *config,
                        const cm_batch_report *report)
{
    char from[CM_TIME_TEXT_BYTES];
    char to[CM_TIME_TEXT_BYTES];
    char changed[CM_COUNT_BYTES];
    char vanished[CM_COUNT_BYTES + 64] = "";
    cm_time_text(config->from_us, from);
    cm_time_text(config->to_us, to);
    if (report->vanished > 0)
        snprintf(vanished, sizeof vanished, "; %llu not, as their click was deleted meanwhile",
                 (unsigned long long)report->vanished);
    snprintf(summary->note, sizeof summary->note, "%-15s %s conversions from %s to %s%s",
             config->dry_run ? "would change" : "changed", cm_count_text(report->changed, changed),
             from, to, vanished);
    summary->details = json_pack(
        "{s:s?,s:i,s:b,s:s,s:s,s:I,s:I}", "job", report->job[0] == '\0' ? NULL : report->job,
        "run_count", report->run_count, "dry_run", config->dry_run, "from", from, "to", to,
        "changed", (json_int_t)report->changed, "vanished", (json_int_t)report->vanished);
    return summary->details != NULL;
}

static cm_status summarize(cm_run *run, const cm_batch_config *config,
                           const cm_batch_report *report, cm_error *error)
{
    const uint64_t rows[CM_BATCH_PHASE_COUNT] = {
        [CM_BATCH_LOAD] = report->clicks.rows,
        [CM_BATCH_MATCH] = report->conversions.rows,
        [CM_BATCH_PROMOTE] = report->changed,
    };
    for (size_t i = 0; i < CM_BATCH_PHASE_COUNT; i++)
        if (i != CM_BATCH_COMPARE || config->challenger != NULL)
            cm_summary_phase_add(&run->summary, phase_names[i], report->seconds[i], rows[i]);
    run->summary.matched = report->matched;
    run->summary.engine_clicks = report->engine_clicks;
    run->summary.engine_bytes = report->engine_bytes;
    run->summary.memory.max = cm_memory_shares_of(run->settings).all;
    run->summary.memory.left_out = config->limits->left_out;
    run->summary.memory.left_out_us = config->limits->from_us;
    if (!add_details(&run->summary, config, report))
        return cm_error_memory(error, "the summary", sizeof *report);
    return add_sources(run, report, error);
}

static cm_status add_challenge(cm_summary *summary, const cm_challenge *challenge, cm_error *error)
{
    cm_challenge_text(challenge, &summary->more);
    summary->details = cm_json_with(summary->details, "challenge", cm_challenge_json(challenge));
    return summary->details != NULL ? CM_OK
                                    : cm_error_memory(error, "the summary", sizeof *challenge);
}

static cm_status work(cm_run *run, const struct models *models, cm_error *error)
{
    cm_batch_config config;
    cm_batch_report report;
    cm_challenge challenge = {0};
    cm_load_limits limits = cm_memory_load_limits(run->settings);
    cm_error ignored;
    run->summary.model = cm_model_label(models->champion);
    cm_status status = configure(run, models, &limits, &config, error);
    if (status != CM_OK)
        return status;
    config.context = run;
    config.challenge = &challenge;
    status = cm_batch_run(&config, &report, error);
    cm_status summarized = summarize(run, &config, &report, status == CM_OK ? error : &ignored);
    if (status == CM_OK)
        status = summarized;
    if (status == CM_OK && models->challenger != NULL)
        status = add_challenge(&run->summary, &challenge, error);
    cm_challenge_destroy(&challenge);
    return status;
}

/* ---- its models ---- */

static cm_status read_model(cm_run *run, cm_option option, const char *what, cm_model **model,
                            cm_error *error)
{
    cm_model_source source;
    bool is_built_in = false;
    cm_status status =
        cm_model_source_init(run->settings, option, CM_OPTION_DB, true, &source, error);
    if (status == CM_OK)
        status = cm_model_source_read(&source, cm_interrupt_flag(), model, &is_built_in, error);
    if (status == CM_OK)
        cm_model_source_tell(&source, what, *model, is_built_in, run->log);
    return status == CM_OK ? cm_pii_take_model(run->pii, *model, error) : status;
}

static cm_status read_models(cm_run *run, struct models *models, cm_error *error)
{
    cm_status status = read_model(run, CM_OPTION_MODEL_OR_NAME, "model", &models->champion, error);
    if (status == CM_OK && cm_settings_text(run->settings, CM_OPTION_CHALLENGER) != NULL)
        status = read_model(run, CM_OPTION_CHALLENGER, "challenger", &models->challenger, error);
    return status;
}

/* What is wrong with the command line, before anything is opened. */
static cm_status check(const cm_settings *settings, cm_error *error)
{
    static const cm_option inputs[] = {CM_OPTION_MODEL_OR_NAME, CM_OPTION_CHALLENGER};
    cm_model_source source;
    cm_status status = cm_database_check(settings, CM_OPTION_DB, error);
    for (size_t i = 0; i < 2 && status == CM_OK; i++)
        status = cm_model_source_init(settings, inputs[i], CM_OPTION_DB, true, &source, error);
    if (status == CM_OK && settings->values[CM_OPTION_CHALLENGE_MASK].given &&
        cm_settings_text(settings, CM_OPTION_CHALLENGER) == NULL)
        return cm_error_set(error, CM_ERROR_USAGE,
                            "--mask-and-delete is about the labels of a comparison; give a "
                            "--challenger, too");
    return status == CM_OK ? cm_paths_check_stdin(settings, inputs, 2, error) : status;
}

cm_status cm_cmd_batch(const cm_settings *settings, cm_log *log, cm_error *error)
{
    cm_run run;
    struct models models = {NULL, NULL};
    cm_status status = check(settings, error);
    if (status != CM_OK)
        return status;
    status = cm_run_begin("batch", settings, NULL, log, &run, error);
    if (status == CM_OK)
        status = read_models(&run, &models, error);
    if (status == CM_OK)
        status = work(&run, &models, error);
    status = cm_run_end(&run, status, error);
    cm_model_destroy(models.champion);
    cm_model_destroy(models.challenger);
    return status;
}

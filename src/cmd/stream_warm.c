/* Clicks that a stream begins with, from files and from PostgreSQL. */
#include <malloc.h>

#include "cmd/batch_run.h"
#include "cmd/click_files.h"
#include "cmd/clock.h"
#include "cmd/inputs.h"
#include "cmd/interrupt.h"
#include "cmd/memory_max.h"
#include "cmd/run_files.h"
#include "cmd/stream_run.h"
#include "util/error.h"

static cm_status warm_file(cm_stream_run *run, const cm_pipeline_options *options, const char *path,
                           uint64_t *rows, cm_error *error)
{
    cm_source_counts counts = {0};
    cm_opened opened;
    cm_status status = cm_opened_open(path, &opened, error);
    if (status != CM_OK)
        return status;
    cm_rejects_source(&run->run.rejects, cm_rejects_kind_name(CM_ROW_CLICK));
    status = cm_pipeline_load(run->engine, &opened.unpacked, options, &counts, error);
    cm_rejects_source_end(&run->run.rejects, opened.unpacked.name);
    *rows += counts.rows;
    if (!cm_summary_source_add(&run->run.summary, path, CM_ROW_CLICK, &counts) && status == CM_OK)
        status = cm_error_memory(error, "the summary", sizeof counts);
    cm_opened_close(&opened);
    return status;
}

/* Of one source: what is there already takes of the room. */
static cm_load_limits warm_limits(const cm_stream_run *run)
{
    cm_load_limits limits = cm_memory_load_limits(run->run.settings);
    limits.counts_all_keys = true;
    limits.click_bytes = cm_engine_click_bytes(run->engine);
    return limits;
}

static cm_status warm_files(cm_stream_run *run, uint64_t *rows, cm_error *error)
{
    const cm_option_value *paths = &run->run.settings->values[CM_OPTION_WARM_CLICKS];
    uint64_t bytes = 0;
    cm_load_limits limits = warm_limits(run);
    cm_pipeline_options options = cm_run_pipeline(&run->run);
    options.progress = NULL; /* a stream has no end to come nearer to */
    options.limits = &limits;
    cm_status status = cm_inputs_check(paths->texts, paths->text_count, &bytes, error);
    for (size_t i = 0; i < paths->text_count && status == CM_OK; i++)
        status = warm_file(run, &options, paths->texts[i], rows, error);
    return status == CM_OK ? cm_click_files_settle(&run->run, paths, run->engine, &options, error)
                           : status;
}

static cm_status take_row(void *context, cm_row_kind kind, const cm_reject_line *reject,
                          cm_error *error)
{
    cm_run *run = context;
    (void)kind;
    return cm_rejects_take(&run->rejects, reject, error);
}

static cm_status warm_database(cm_stream_run *run, uint64_t *rows, cm_error *error)
{
    const cm_settings *settings = run->run.settings;
    const cm_clock_options *clock = &run->stream->options.clock;
    cm_load_limits limits = warm_limits(run);
    const cm_batch_config config = {
        .limits = &limits,
        .conninfo = cm_settings_text(settings, CM_OPTION_STREAM_DB),
        .schema = cm_settings_text(settings, CM_OPTION_SCHEMA),
        .build = cm_run_build_options(settings, run->run.pii),
        .for_stream = true,
        .allow_superuser = cm_settings_flag(settings, CM_OPTION_ALLOW_SUPERUSER),
        .model = run->model,
        .threads = cm_run_threads(settings),
        .interrupt = cm_interrupt_flag(),
        .on_reject = take_row,
        .context = &run->run,
    };
    cm_batch_report report;
    cm_rejects_source(&run->run.rejects, cm_rejects_kind_name(CM_ROW_CLICK));
    cm_status status = cm_batch_load_window(&config, clock->lateness_us + clock->grace_us,
                                            run->engine, &report, error);
    cm_rejects_source_end(&run->run.rejects, "click_tracking");
    *rows += report.clicks.rows;
    if (!cm_summary_source_add(&run->run.summary, "click_tracking", CM_ROW_CLICK, &report.clicks) &&
        status == CM_OK)
        status = cm_error_memory(error, "the summary", sizeof report);
    return status;
}

cm_status cm_stream_warm_up(cm_stream_run *run, cm_error *error)
{
    const cm_settings *settings = run->run.settings;
    bool has_files = settings->values[CM_OPTION_WARM_CLICKS].text_count > 0;
    bool has_database = settings->values[CM_OPTION_STREAM_DB].given;
    double began = cm_clock_seconds();
    uint64_t rows = 0;
    cm_status status = CM_OK;
    if (has_files)
        status = warm_files(run, &rows, error);
    if (status == CM_OK && has_database)
        status = warm_database(run, &rows, error);
    if (has_files || has_database)
        cm_summary_phase_add(&run->run.summary, "load clicks", cm_clock_seconds() - began, rows);
    (void)malloc_trim(0);
    return status;
}

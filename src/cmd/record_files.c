#include "cmd/record_files.h"

#include "cmd/clock.h"
#include "cmd/inputs.h"
#include "cmd/interrupt.h"
#include "util/error.h"

struct reading {
    cm_run *run;
    cm_records *records;
    cm_pipeline_options pipeline;
};

static cm_status take_reject(void *context, const cm_reject_line *reject, cm_error *error)
{
    cm_run *run = context;
    return cm_rejects_take(&run->rejects, reject, error);
}

static void take_progress(void *context, uint64_t rows)
{
    cm_run *run = context;
    cm_progress_update(&run->progress, rows);
}

static cm_status read_file(struct reading *all, cm_row_kind kind, const char *path, uint64_t *rows,
                           cm_error *error)
{
    cm_run *run = all->run;
    cm_source_counts counts = {0};
    cm_opened opened;
    cm_status status = cm_opened_open(path, &opened, error);
    if (status != CM_OK)
        return status;
    cm_rejects_source(&run->rejects, cm_rejects_kind_name(kind));
    cm_progress_source(&run->progress, &opened.unpacked);
    status = cm_records_read(all->records, kind, &opened.unpacked, &all->pipeline, &counts, error);
    cm_progress_source_end(&run->progress, counts.rows);
    cm_rejects_source_end(&run->rejects, opened.unpacked.name);
    *rows += counts.rows;
    if (!cm_summary_source_add(&run->summary, path, kind, &counts) && status == CM_OK)
        status = cm_error_memory(error, "the summary", sizeof counts);
    if (status == CM_OK)
        status = cm_rejects_check(run->settings, opened.unpacked.name, counts.rows, counts.rejected,
                                  error);
    cm_opened_close(&opened);
    return status;
}

static cm_status read_files(struct reading *all, cm_row_kind kind, cm_option option,
                            const char *phase, cm_error *error)
{
    const cm_option_value *paths = &all->run->settings->values[option];
    uint64_t bytes = 0, rows = 0;
    double began = cm_clock_seconds();
    cm_status status = cm_inputs_check(paths->texts, paths->text_count, &bytes, error);
    cm_progress_phase(&all->run->progress, phase, bytes);
    for (size_t i = 0; i < paths->text_count && status == CM_OK; i++)
        status = read_file(all, kind, paths->texts[i], &rows, error);
    cm_summary_phase_add(&all->run->summary, phase, cm_clock_seconds() - began, rows);
    return status;
}

cm_status cm_record_files_read(cm_run *run, cm_records *records, cm_error *error)
{
    struct reading all = {
        .run = run,
        .records = records,
        .pipeline = {.build = {.lenient = cm_settings_flag(run->settings, CM_OPTION_LENIENT)},
                     .threads = cm_run_threads(run->settings),
                     .interrupted = cm_interrupt_flag(),
                     .reject = take_reject,
                     .progress = take_progress,
                     .context = run},
    };
    cm_status status = read_files(&all, CM_ROW_CLICK, CM_OPTION_CLICKS, "clicks", error);
    if (status == CM_OK)
        status = read_files(&all, CM_ROW_CONVERSION, CM_OPTION_CONVERSIONS, "conversions", error);
    return status;
}

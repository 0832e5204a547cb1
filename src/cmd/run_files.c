#include "cmd/run_files.h"

#include "cmd/clock.h"
#include "cmd/inputs.h"
#include "cmd/interrupt.h"
#include "util/error.h"

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

cm_pipeline_options cm_run_pipeline(cm_run *run)
{
    return (cm_pipeline_options){
        .build = cm_run_build_options(run->settings, run->pii),
        .line_bytes_max = cm_settings_number(run->settings, CM_OPTION_LINE_MAX),
        .threads = cm_run_threads(run->settings),
        .interrupted = cm_interrupt_flag(),
        .reject = take_reject,
        .progress = take_progress,
        .context = run,
    };
}

struct reading {
    cm_run *run;
    cm_row_kind kind;
    cm_run_reader read;
    void *context;
    uint64_t rows; /* of all files so far */
};

static cm_status read_file(struct reading *all, const char *path, cm_error *error)
{
    cm_run *run = all->run;
    cm_source_counts counts = {0};
    cm_opened opened;
    cm_status status = cm_opened_open(path, &opened, error);
    if (status != CM_OK)
        return status;
    cm_rejects_source(&run->rejects, cm_rejects_kind_name(all->kind));
    cm_progress_source(&run->progress, &opened.unpacked);
    status = all->read(all->context, all->kind, &opened.unpacked, &counts, error);
    cm_progress_source_end(&run->progress, counts.rows);
    cm_rejects_source_end(&run->rejects, opened.unpacked.name);
    all->rows += counts.rows;
    if (!cm_summary_source_add(&run->summary, path, all->kind, &counts) && status == CM_OK)
        status = cm_error_memory(error, "the summary", sizeof counts);
    if (status == CM_OK)
        status = cm_rejects_check(run->settings, opened.unpacked.name, counts.rows, counts.rejected,
                                  error);
    cm_opened_close(&opened);
    return status;
}

cm_status cm_run_files_read(cm_run *run, const cm_run_files *files, cm_run_reader read,
                            void *context, cm_error *error)
{
    struct reading all = {.run = run, .kind = files->kind, .read = read, .context = context};
    cm_status status = CM_OK;
    double began = cm_clock_seconds();
    cm_progress_phase(&run->progress, files->phase, files->bytes);
    for (size_t i = 0; i < files->paths->text_count && status == CM_OK; i++)
        status = read_file(&all, files->paths->texts[i], error);
    cm_summary_phase_add(&run->summary, files->phase, cm_clock_seconds() - began, all.rows);
    return status;
}

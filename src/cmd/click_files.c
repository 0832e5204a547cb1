#include "cmd/click_files.h"

#include "cmd/inputs.h"
#include "cmd/memory_max.h"

/* A reading of the files that tells nothing: all was told when they were first read. */
struct again {
    cm_run *run;
    const cm_option_value *paths;
    cm_engine *engine;
    cm_pipeline_options options;
};

static cm_status read_file(struct again *again, const char *path, cm_source_counts *counts,
                           cm_error *error)
{
    cm_opened opened;
    cm_status status = cm_opened_open(path, &opened, error);
    if (status != CM_OK)
        return status;
    status = cm_pipeline_load(again->engine, &opened.unpacked, &again->options, counts, error);
    cm_opened_close(&opened);
    return status;
}

/* Duplicates are those among the clicks that are loaded in the end. */
static void set_duplicates(cm_summary *summary, size_t file, size_t files, uint64_t duplicates)
{
    cm_summary_source *source = &summary->sources[summary->source_count - files + file];
    cm_source_counts *total = &summary->totals[CM_ROW_CLICK];
    total->duplicates += duplicates - source->counts.duplicates;
    source->counts.duplicates = duplicates;
}

static cm_status read_all(void *context, cm_error *error)
{
    struct again *again = context;
    cm_status status = CM_OK;
    size_t count = again->paths->text_count;
    cm_engine_clear(again->engine);
    for (size_t i = 0; i < count && status == CM_OK; i++) {
        cm_source_counts counts = {0};
        status = read_file(again, again->paths->texts[i], &counts, error);
        set_duplicates(&again->run->summary, i, count, counts.duplicates);
    }
    return status;
}

static const char *first_pipe(const cm_option_value *paths)
{
    for (size_t i = 0; i < paths->text_count; i++)
        if (!cm_inputs_is_file(paths->texts[i]))
            return paths->texts[i];
    return NULL;
}

cm_status cm_click_files_settle(cm_run *run, const cm_option_value *paths, cm_engine *engine,
                                const cm_pipeline_options *options, cm_error *error)
{
    cm_load_limits *limits = options->limits;
    struct again again = {.run = run, .paths = paths, .engine = engine, .options = *options};
    again.options.reject = NULL;
    again.options.progress = NULL;
    if (cm_load_limits_over(limits) == CM_OVER_NOTHING)
        return CM_OK;
    const char *pipe = first_pipe(paths);
    if (pipe != NULL)
        return cm_memory_refuse(limits, strcmp(pipe, "-") == 0 ? "standard input" : pipe, error);
    cm_status status = cm_load_newest(limits, read_all, &again, error);
    if (status == CM_OK && cm_load_limits_over(limits) != CM_OVER_NOTHING)
        status = cm_memory_refuse(limits, paths->texts[0], error);
    run->summary.memory.left_out = limits->left_out;
    run->summary.memory.left_out_us = limits->from_us;
    return status;
}

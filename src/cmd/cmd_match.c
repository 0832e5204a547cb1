#include "cmd/cmd_match.h"

#include <malloc.h>

#include "cmd/click_files.h"
#include "cmd/inputs.h"
#include "cmd/memory_max.h"
#include "cmd/paths.h"
#include "cmd/run_files.h"
#include "util/check.h"
#include "util/error.h"

struct match {
    cm_run run;
    cm_format format; /* of the results */
    cm_model *model;
    cm_engine *engine;
    cm_conversion_ids ids;
    cm_pipeline_options pipeline;
    cm_load_limits limits;
    uint64_t click_bytes, conversion_bytes; /* sizes of the inputs; 0 if unknown */
};

/* ---- before the work ---- */

static bool ends_in(const char *path, const char *suffix)
{
    size_t size = strlen(path);
    size_t suffix_size = strlen(suffix);
    return size >= suffix_size && strcmp(path + size - suffix_size, suffix) == 0;
}

static cm_format result_format(const cm_settings *settings)
{
    const char *path = cm_settings_text(settings, CM_OPTION_OUTPUT);
    CM_ASSERT(path != NULL); /* it has a default */
    if (settings->values[CM_OPTION_FORMAT].given)
        return cm_settings_number(settings, CM_OPTION_FORMAT) == 0 ? CM_FORMAT_CSV
                                                                   : CM_FORMAT_NDJSON;
    return ends_in(path, ".ndjson") || ends_in(path, ".jsonl") ? CM_FORMAT_NDJSON : CM_FORMAT_CSV;
}

static cm_status check_inputs(struct match *match, cm_error *error)
{
    const cm_option_value *values = match->run.settings->values;
    const cm_option_value *clicks = &values[CM_OPTION_CLICKS];
    const cm_option_value *conversions = &values[CM_OPTION_CONVERSIONS];
    cm_status status =
        cm_inputs_check(clicks->texts, clicks->text_count, &match->click_bytes, error);
    if (status == CM_OK)
        status = cm_inputs_check(conversions->texts, conversions->text_count,
                                 &match->conversion_bytes, error);
    return status;
}

static cm_status create_engine(struct match *match, cm_error *error)
{
    cm_options options = {0};
    cm_status status = cm_run_model(match->run.settings, &match->model, error);
    if (status != CM_OK)
        return status;
    match->run.summary.model = cm_model_label(match->model);
    status = cm_pii_take_model(match->run.pii, match->model, error);
    if (status == CM_OK)
        status = cm_run_random(&options.hash_seed, error);
    return status == CM_OK ? cm_engine_create(&options, match->model, &match->engine, error)
                           : status;
}

static cm_status prepare(struct match *match, cm_error *error)
{
    const cm_settings *settings = match->run.settings;
    match->format = result_format(settings);
    match->pipeline = cm_run_pipeline(&match->run);
    match->limits = cm_memory_load_limits(settings);
    match->pipeline.limits = &match->limits;
    match->ids.bytes_max = cm_memory_shares_of(settings).ids;
    match->run.summary.memory.max = cm_memory_shares_of(settings).all;
    cm_status status = check_inputs(match, error);
    if (status == CM_OK)
        status = create_engine(match, error);
    if (status == CM_OK)
        status = cm_output_open(cm_settings_text(settings, CM_OPTION_OUTPUT), NULL,
                                &match->run.output, error);
    return status;
}

/* ---- the work ---- */

static cm_status run_source(void *context, cm_row_kind kind, cm_source *source,
                            cm_source_counts *counts, cm_error *error)
{
    struct match *match = context;
    cm_run *run = &match->run;
    if (kind == CM_ROW_CLICK)
        return cm_pipeline_load(match->engine, source, &match->pipeline, counts, error);
    return cm_pipeline_match(match->engine, &match->ids, source, match->format,
                             cm_output_sink(run->output), &match->pipeline, counts,
                             &run->summary.matched, error);
}

static cm_status write_header(struct match *match, cm_error *error)
{
    cm_buffer header = {0};
    cm_sink *sink = cm_output_sink(match->run.output);
    cm_status status = CM_OK;
    cm_result_write_header(match->format, &header);
    if (header.failed)
        status = cm_error_memory(error, "the header of the results", 256);
    else if (header.size > 0)
        status = sink->write(sink->context, header.data, header.size, error);
    cm_buffer_destroy(&header);
    return status;
}

static cm_status work(struct match *match, cm_error *error)
{
    const cm_option_value *values = match->run.settings->values;
    cm_status status = prepare(match, error);
    const cm_run_files clicks = {CM_ROW_CLICK, "load clicks", &values[CM_OPTION_CLICKS],
                                 match->click_bytes};
    const cm_run_files conversions = {CM_ROW_CONVERSION, "match", &values[CM_OPTION_CONVERSIONS],
                                      match->conversion_bytes};
    if (status == CM_OK)
        status = write_header(match, error);
    if (status == CM_OK)
        status = cm_run_files_read(&match->run, &clicks, run_source, match, error);
    if (status == CM_OK)
        status = cm_click_files_settle(&match->run, clicks.paths, match->engine, &match->pipeline,
                                       error);
    if (status != CM_OK)
        return status;
    match->run.summary.engine_clicks = cm_engine_click_count(match->engine);
    match->run.summary.engine_bytes = cm_engine_memory(match->engine);
    /* What loading needed beside the clicks goes back: matching needs less. */
    (void)malloc_trim(0);
    return cm_run_files_read(&match->run, &conversions, run_source, match, error);
}

cm_status cm_cmd_match(const cm_settings *settings, cm_log *log, cm_error *error)
{
    struct match match = {0};
    static const cm_option inputs[] = {CM_OPTION_CLICKS, CM_OPTION_CONVERSIONS, CM_OPTION_MODEL};
    cm_status status = cm_paths_check_stdin(settings, inputs, 3, error);
    if (status != CM_OK)
        return status;
    status = cm_run_begin("match", settings, NULL, log, &match.run, error);
    if (status == CM_OK)
        status = work(&match, error);
    status = cm_run_end(&match.run, status, error);
    cm_conversion_ids_destroy(&match.ids);
    cm_engine_destroy(match.engine);
    cm_model_destroy(match.model);
    return status;
}

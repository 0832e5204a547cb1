#include "cmd/cmd_explain.h"

#include <string.h>

#include "cmd/database.h"
#include "cmd/explain_run.h"
#include "cmd/inputs.h"
#include "cmd/interrupt.h"
#include "cmd/model_source.h"
#include "cmd/paths.h"
#include "file/output.h"
#include "util/error.h"

static bool is_given(const cm_settings *settings, cm_option option)
{
    return settings->values[option].given;
}

/* Files or a database: not a mixture. */
static cm_status check_sources(const cm_settings *settings, bool *from_files, cm_error *error)
{
    bool clicks = is_given(settings, CM_OPTION_EXPLAIN_CLICKS);
    bool conversions = is_given(settings, CM_OPTION_EXPLAIN_CONVERSIONS);
    *from_files = clicks || conversions;
    if (*from_files && is_given(settings, CM_OPTION_DB))
        return cm_error_set(error, CM_ERROR_USAGE,
                            "--db and files are given; explain reads either: leave one out");
    if (clicks != conversions)
        return cm_error_set(error, CM_ERROR_USAGE,
                            "--%s is missing: explain needs --clicks and --conversions, or --db",
                            clicks ? "conversions" : "clicks");
    return cm_database_check(settings, CM_OPTION_DB, error);
}

static cm_status check_stdin(const cm_settings *settings, cm_error *error)
{
    static const cm_option options[] = {CM_OPTION_EXPLAIN_CLICKS, CM_OPTION_EXPLAIN_CONVERSIONS,
                                        CM_OPTION_MODEL_OR_NAME};
    size_t uses = 0;
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        for (size_t j = 0; j < settings->values[options[i]].text_count; j++)
            uses += strcmp(settings->values[options[i]].texts[j], "-") == 0;
    if (uses > 1)
        return cm_error_set(error, CM_ERROR_USAGE,
                            "- (standard input) is given %zu times; it can be read once", uses);
    return CM_OK;
}

/* Say what is wrong with the files before any is read. */
static cm_status check_files(const cm_settings *settings, cm_error *error)
{
    static const cm_option options[] = {CM_OPTION_EXPLAIN_CLICKS, CM_OPTION_EXPLAIN_CONVERSIONS};
    cm_status status = check_stdin(settings, error);
    for (size_t i = 0; i < sizeof options / sizeof *options && status == CM_OK; i++) {
        const cm_option_value *paths = &settings->values[options[i]];
        uint64_t bytes;
        status = cm_inputs_check(paths->texts, paths->text_count, &bytes, error);
    }
    return status;
}

static cm_status write_out(const cm_explained *explained, cm_output *output, cm_error *error)
{
    static void (*const FORMS[])(const cm_explanation *, cm_buffer *) = {
        cm_explain_text, cm_explain_json, cm_explain_html}; /* as --format names them */
    const cm_settings *settings = explained->settings;
    const cm_explanation explanation = {
        .conversion = &explained->conversion,
        .model = explained->model,
        .trace = explained->trace,
        .misses = explained->misses,
        .stored = explained->stored,
        .show_pii = cm_settings_flag(settings, CM_OPTION_SHOW_PII),
    };
    cm_buffer text = {0};
    cm_sink *sink = cm_output_sink(output);
    FORMS[cm_settings_number(settings, CM_OPTION_FORMAT_EXPLAIN)](&explanation, &text);
    cm_status status = text.failed ? cm_error_memory(error, "an explanation", text.size)
                                   : sink->write(sink->context, text.data, text.size, error);
    cm_buffer_destroy(&text);
    return status;
}

/* The model that `batch` would use now, unless --model says otherwise. */
static cm_status read_model(cm_explained *explained, bool from_files, cm_error *error)
{
    cm_model_source source;
    bool is_built_in = false;
    cm_status status = cm_model_source_init(explained->settings, CM_OPTION_MODEL_OR_NAME,
                                            CM_OPTION_DB, !from_files, &source, error);
    if (status == CM_OK)
        status = cm_model_source_read(&source, cm_interrupt_flag(), &explained->model, &is_built_in,
                                      error);
    explained->model_origin = is_given(explained->settings, CM_OPTION_MODEL_OR_NAME) ? "--model"
                              : is_built_in ? "built in: there is no champion"
                                            : "the champion now";
    return status;
}

static cm_status work(cm_explained *explained, bool from_files, cm_error *error)
{
    const cm_settings *settings = explained->settings;
    const cm_output_options options = {.is_private =
                                           cm_settings_flag(settings, CM_OPTION_SHOW_PII)};
    cm_output *output = NULL;
    cm_status status = cm_paths_check(settings, error);
    if (status == CM_OK && from_files)
        status = check_files(settings, error);
    if (status == CM_OK)
        status = read_model(explained, from_files, error);
    if (status == CM_OK)
        status =
            cm_output_open(cm_settings_text(settings, CM_OPTION_OUTPUT), &options, &output, error);
    if (status == CM_OK)
        status =
            from_files ? cm_explain_files(explained, error) : cm_explain_database(explained, error);
    if (status == CM_OK)
        status = write_out(explained, output, error);
    if (status == CM_OK)
        return cm_output_commit(output, error);
    cm_output_abort(output);
    return status;
}

cm_status cm_cmd_explain(const cm_settings *settings, cm_log *log, cm_error *error)
{
    cm_explained explained = {
        .settings = settings,
        .log = log,
        .conversion_id = cm_settings_text(settings, CM_OPTION_CONVERSION_ID),
        .tenant = cm_settings_text(settings, CM_OPTION_ONE_TENANT),
    };
    bool from_files;
    cm_status status = check_sources(settings, &from_files, error);
    if (status != CM_OK)
        return status;
    status = work(&explained, from_files, error);
    cm_trace_destroy(explained.trace);
    cm_misses_destroy(explained.misses);
    cm_engine_destroy(explained.engine);
    cm_model_destroy(explained.model);
    cm_arena_destroy(&explained.arena);
    return status;
}

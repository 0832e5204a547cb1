#include "cmd/cmd_train.h"

#include <time.h>

#include "cmd/clock.h"
#include "cmd/inputs.h"
#include "cmd/interrupt.h"
#include "cmd/model_names.h"
#include "cmd/paths.h"
#include "cmd/record_files.h"
#include "cmd/train.h"
#include "util/error.h"
#include "util/time.h"

#define BINS 10
#define ROUNDS 300 /* of the bootstrap that tells a difference from chance */

/* ---- what goes in ---- */

/* Who has tuned them must not find out from the file that they are gone. */
static void tell_left_out(const cm_training *training)
{
    const cm_model *base = training->base;
    if (base->devices.count == 0 && base->tenant_count == 0)
        return;
    cm_log_warning(training->run.log,
                   "the sections of %s are left out (device types: %zu, tenants: %zu): train "
                   "learns those of device types anew, and makes none of tenants",
                   cm_model_label(base), base->devices.count, base->tenant_count);
}

static cm_status prepare(cm_training *training, cm_error *error)
{
    const cm_settings *settings = training->run.settings;
    unsigned threads = cm_run_threads(settings);
    const char *metrics = cm_settings_text(settings, CM_OPTION_TRAIN_METRICS);
    const cm_output_options metrics_options = {.option = "--metrics"};
    training->options = (cm_evaluate_options){
        .threads = threads,
        .interrupted = cm_interrupt_flag(),
        .figures = {.bins = BINS, .rounds = ROUNDS, .seed = 1, .threads = threads}};
    training->has_truth = cm_settings_text(settings, CM_OPTION_TRUTH) != NULL;
    cm_status status = cm_run_random(&training->options.hash_seed, error);
    if (status == CM_OK)
        status = cm_run_model(settings, &training->base, error);
    if (status == CM_OK && training->base->bin_count > CM_TRAIN_BINS_MAX)
        status =
            cm_error_set(error, CM_ERROR_MODEL,
                         "--model: %zu delay bins; train takes at most %zu, give a coarser one",
                         training->base->bin_count, CM_TRAIN_BINS_MAX);
    if (status == CM_OK)
        status = cm_output_open(cm_settings_text(settings, CM_OPTION_OUTPUT), NULL,
                                &training->run.output, error);
    if (status == CM_OK && metrics != NULL)
        status = cm_output_open(metrics, &metrics_options, &training->run.beside, error);
    if (status == CM_OK)
        tell_left_out(training);
    return status;
}

static cm_status find_rights(cm_training *training, cm_error *error)
{
    const char *truth = cm_settings_text(training->run.settings, CM_OPTION_TRUTH);
    double began = cm_clock_seconds();
    cm_status status =
        cm_evaluate_layer_1(&training->records, &training->options, &training->rights, error);
    if (status == CM_OK && truth != NULL)
        status = cm_evaluate_truth(truth, &training->records, &training->rights,
                                   &training->evaluation, error);
    else if (status == CM_OK)
        status = cm_evaluate_labels(&training->records, 0, &training->options, &training->rights,
                                    &training->evaluation, error);
    cm_summary_phase_add(&training->run.summary, "what is right", cm_clock_seconds() - began, 0);
    return status;
}

/* ---- what comes out ---- */

/* The day of the last conversion: what the model knows of. */
static void date_version(cm_training *training)
{
    int64_t last = 0;
    for (size_t i = 0; i < training->records.conversion_count; i++)
        if (training->records.conversions[i].conversion_timestamp > last)
            last = training->records.conversions[i].conversion_timestamp;
    time_t seconds = (time_t)(last / CM_SECOND_US);
    struct tm parts;
    (void)gmtime_r(&seconds, &parts);
    (void)strftime(training->version, sizeof training->version, "%Y-%m-%d", &parts);
}

static void name_model(cm_training *training)
{
    const cm_settings *settings = training->run.settings;
    const char *name = cm_settings_text(settings, CM_OPTION_TRAIN_NAME);
    const char *version = cm_settings_text(settings, CM_OPTION_TRAIN_VERSION);
    date_version(training);
    training->trained.name = name == NULL ? training->base->name : name;
    training->trained.version = version == NULL ? training->version : version;
}

static cm_status write_text(cm_output *output, const cm_buffer *text, cm_error *error)
{
    cm_sink *sink = cm_output_sink(output);
    return text->failed ? cm_error_memory(error, "the model", text->size)
                        : sink->write(sink->context, text->data, text->size, error);
}

static cm_status write_files(cm_training *training, const json_t *figures, cm_error *error)
{
    cm_buffer text = {0};
    cm_trained_write(&training->trained, &text);
    cm_status status = write_text(training->run.output, &text, error);
    cm_buffer_destroy(&text);
    if (status == CM_OK && training->run.beside != NULL)
        status = cm_summary_put(figures, training->run.beside, error);
    return status;
}

static cm_status refuse_worse(const cm_training *training, cm_error *error)
{
    const cm_paired_figure *loss = &training->pair.paired.figures[CM_PAIRED_LOG_LOSS];
    const cm_paired_figure *f_half = &training->pair.paired.figures[CM_PAIRED_F_HALF];
    if (!cm_train_is_worse(training) || cm_settings_flag(training->run.settings, CM_OPTION_FORCE))
        return CM_OK;
    return cm_error_set(error, CM_ERROR_MODEL,
                        "the new model is worse than the old one on what was held out (log-loss "
                        "%.4f against %.4f, F0.5 %.4f against %.4f): nothing is written; give more "
                        "data, or --force",
                        loss->values[1], loss->values[0], f_half->values[1], f_half->values[0]);
}

static cm_status report(cm_training *training, cm_error *error)
{
    cm_buffer text = {0};
    json_t *figures = cm_train_json(training);
    cm_train_text(training, &text);
    cm_buffer_append_char(&text, '\0');
    cm_status status =
        text.failed || figures == NULL ? cm_error_memory(error, "the figures", text.size) : CM_OK;
    if (status == CM_OK)
        cm_log_data(training->run.log, text.data, "train", figures);
    cm_buffer_destroy(&text);
    if (status == CM_OK)
        status = refuse_worse(training, error);
    if (status == CM_OK)
        status = write_files(training, figures, error);
    json_decref(figures);
    return status;
}

/* ---- all of it ---- */

static cm_status work(cm_training *training, cm_error *error)
{
    cm_status status = prepare(training, error);
    if (status == CM_OK)
        status = cm_record_files_read(&training->run, &training->records, error);
    if (status == CM_OK)
        status = find_rights(training, error);
    if (status == CM_OK)
        status = cm_train_learn(training, error);
    if (status != CM_OK)
        return status;
    name_model(training);
    status = cm_train_calibrate(training, error);
    if (status == CM_OK)
        status = cm_train_judge(training, error);
    return status == CM_OK ? report(training, error) : status;
}

cm_status cm_cmd_train(const cm_settings *settings, cm_log *log, cm_error *error)
{
    static const cm_option inputs[] = {CM_OPTION_CLICKS, CM_OPTION_CONVERSIONS, CM_OPTION_MODEL};
    cm_training training = {0};
    cm_status status = cm_paths_check_stdin(settings, inputs, 3, error);
    if (status == CM_OK)
        status =
            cm_model_names_check(settings, CM_OPTION_TRAIN_NAME, CM_OPTION_TRAIN_VERSION, error);
    if (status != CM_OK)
        return status;
    status = cm_run_begin("train", settings, NULL, log, &training.run, error);
    training.run.summary.has_no_results = true;
    if (status == CM_OK)
        status = work(&training, error);
    status = cm_run_end(&training.run, status, error);
    cm_training_destroy(&training);
    return status;
}

#include "cmd/cmd_train.h"

#include <stdlib.h>

#include "cmd/clock.h"
#include "cmd/evaluate.h"
#include "cmd/interrupt.h"
#include "cmd/record_files.h"
#include "cmd/train.h"
#include "util/error.h"

static cm_status write_model(struct cm_training *training, cm_error *error)
{
    cm_buffer text = {0};
    cm_sink *sink = cm_output_sink(training->run.output);
    cm_trained_write(&training->trained, &text);
    cm_status status = text.failed ? cm_error_memory(error, "the model", text.size)
                                   : sink->write(sink->context, text.data, text.size, error);
    cm_buffer_destroy(&text);
    return status;
}

static cm_status work(cm_training *training, cm_error *error)
{
    const cm_settings *settings = training->run.settings;
    training->options = (cm_evaluate_options){
        .threads = cm_run_threads(settings),
        .interrupted = cm_interrupt_flag(),
        .figures = {.bins = 10, .rounds = 0, .threads = cm_run_threads(settings)}};
    cm_status status = cm_run_random(&training->options.hash_seed, error);
    if (status == CM_OK)
        status = cm_run_model(settings, &training->base, error);
    if (status == CM_OK)
        status = cm_output_open(cm_settings_text(settings, CM_OPTION_OUTPUT), NULL,
                                &training->run.output, error);
    if (status == CM_OK)
        status = cm_record_files_read(&training->run, &training->records, error);
    if (status == CM_OK)
        status =
            cm_evaluate_layer_1(&training->records, &training->options, &training->rights, error);
    if (status == CM_OK)
        status = cm_evaluate_labels(&training->records, 0, &training->options, &training->rights,
                                    &training->evaluation, error);
    if (status == CM_OK)
        status = cm_train_learn(training, error);
    if (status == CM_OK && getenv("NOCAL") == NULL)
        status = cm_train_calibrate(training, error);
    return status == CM_OK ? write_model(training, error) : status;
}

cm_status cm_cmd_train(const cm_settings *settings, cm_log *log, cm_error *error)
{
    cm_training training = {0};
    cm_status status = cm_run_begin("train", settings, NULL, log, &training.run, error);
    if (status == CM_OK)
        status = work(&training, error);
    status = cm_run_end(&training.run, status, error);
    cm_training_destroy(&training);
    return status;
}

#include "cmd/run.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <sched.h>

#include "cmd/inputs.h"
#include "cmd/key_file.h"
#include "cmd/paths.h"
#include "util/error.h"

#define THREADS_MAX 256

cm_status cm_run_begin(const char *command, const cm_settings *settings,
                       const cm_output_options *rejects, cm_log *log, cm_run *run, cm_error *error)
{
    const cm_output_options whole = {0};
    *run = (cm_run){.settings = settings, .log = log};
    cm_progress_init(&run->progress, log);
    cm_summary_init(&run->summary, command, &run->rejects);
    run->summary.recovery_target = settings->values[CM_OPTION_RECOVERY_TARGET].share;
    cm_status status = cm_paths_check(settings, error);
    if (status == CM_OK)
        status = cm_key_file_read(cm_settings_text(settings, CM_OPTION_HASH_PII), &run->pii, error);
    if (status == CM_OK)
        status = cm_rejects_open(cm_settings_text(settings, CM_OPTION_REJECTS),
                                 rejects == NULL ? &whole : rejects, log, &run->rejects, error);
    const char *path = cm_settings_text(settings, CM_OPTION_SUMMARY);
    const cm_output_options options = {.option = "--summary"};
    if (status == CM_OK && path != NULL)
        status = cm_output_open(path, &options, &run->summary_output, error);
    return status;
}

/* Takes the place of an output that ends now. */
static cm_output *take(cm_output **output)
{
    cm_output *taken = *output;
    *output = NULL;
    return taken;
}

/* Who finds the second file must find the first one. Both are whole before either has its name, so
 * that hardly anything can come between. */
static cm_status commit_both(cm_run *run, cm_error *error)
{
    cm_error cause = {0};
    const char *first = cm_output_sink(run->output)->name;
    cm_status status = cm_output_settle(run->output, error);
    if (status == CM_OK)
        status = cm_output_settle(run->beside, error);
    if (status == CM_OK)
        status = cm_output_commit(take(&run->output), error);
    if (status != CM_OK)
        return status;
    status = cm_output_commit(take(&run->beside), &cause);
    return status == CM_OK
               ? CM_OK
               : cm_error_set(error, status, "%.300s; %.180s is written", cause.message, first);
}

static cm_status commit_files(cm_run *run, cm_status status, cm_error *error)
{
    if (status == CM_OK || status == CM_ERROR_REJECTS) {
        cm_status kept = cm_rejects_commit(&run->rejects, status == CM_OK ? error : NULL);
        status = status == CM_OK ? kept : status;
    }
    if (status == CM_OK && run->output != NULL)
        status = run->beside != NULL ? commit_both(run, error)
                                     : cm_output_commit(take(&run->output), error);
    return status;
}

static cm_status finish_summary(cm_run *run, cm_status status, cm_error *error)
{
    cm_summary_end(&run->summary, status);
    if (status != CM_OK && status != CM_ERROR_REJECTS && status != CM_ERROR_INTERRUPTED)
        return status;
    cm_summary_tell(&run->summary, run->log);
    if (run->summary_output == NULL)
        return status;
    json_t *json = cm_summary_json(&run->summary);
    cm_status written =
        cm_summary_write(json, take(&run->summary_output), status == CM_OK ? error : NULL);
    json_decref(json);
    return status == CM_OK ? written : status;
}

cm_status cm_run_end(cm_run *run, cm_status status, cm_error *error)
{
    status = commit_files(run, status, error);
    status = finish_summary(run, status, error);
    cm_output_abort(run->output);
    cm_output_abort(run->beside);
    cm_output_abort(run->summary_output);
    cm_rejects_destroy(&run->rejects);
    cm_summary_destroy(&run->summary);
    cm_pii_destroy(run->pii);
    return status;
}

cm_build_options cm_run_build_options(const cm_settings *settings, struct cm_pii *pii)
{
    return (cm_build_options){.lenient = cm_settings_flag(settings, CM_OPTION_LENIENT),
                              .field_bytes_max = cm_settings_number(settings, CM_OPTION_FIELD_MAX),
                              .pii = pii};
}

cm_status cm_run_model(const cm_settings *settings, cm_model **model, cm_error *error)
{
    return cm_run_model_file(cm_settings_text(settings, CM_OPTION_MODEL), model, error);
}

cm_status cm_run_model_text(const char *path, const cm_buffer *text, cm_model **model,
                            cm_error *error)
{
    cm_error cause = {0};
    cm_status status = cm_model_create(text->data, text->size, model, &cause);
    if (status != CM_OK)
        cm_error_set_at(error, status, cause.line, cause.byte, "%.200s: %.300s", path,
                        cause.message);
    return status;
}

cm_status cm_run_model_file(const char *path, cm_model **model, cm_error *error)
{
    cm_buffer text = {0};
    *model = NULL;
    if (path == NULL)
        return cm_model_create(NULL, 0, model, error);
    cm_status status = cm_inputs_read(path, CM_MODEL_FILE_BYTES_MAX, &text, error);
    if (status == CM_OK)
        status = cm_run_model_text(path, &text, model, error);
    cm_buffer_destroy(&text);
    return status;
}

cm_status cm_run_random(uint64_t *number, cm_error *error)
{
    /* After OpenSSL could not set itself up, version 3.0 would follow a null pointer. */
    if (OSSL_LIB_CTX_get0_global_default() != NULL &&
        RAND_bytes((unsigned char *)number, sizeof *number) == 1)
        return CM_OK;
    /* Where memory is short it fails so, too, and does not always say why. */
    return cm_error_set(error, CM_ERROR_IO,
                        "OpenSSL gives no random bytes; check its setup, and that there is memory");
}

unsigned cm_run_threads(const cm_settings *settings)
{
    cpu_set_t cores;
    if (settings->values[CM_OPTION_THREADS].given)
        return (unsigned)cm_settings_number(settings, CM_OPTION_THREADS);
    if (sched_getaffinity(0, sizeof cores, &cores) != 0)
        return 1;
    int count = CPU_COUNT(&cores);
    return count > THREADS_MAX ? THREADS_MAX : (unsigned)count;
}

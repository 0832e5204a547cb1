/* What every command that matches has: rejects, summary, progress, and files that appear together.
 */
#ifndef CM_CMD_RUN_H
#define CM_CMD_RUN_H

#include "cmd/options.h"
#include "cmd/progress.h"
#include "cmd/summary.h"
#include "file/output.h"
#include "model/pii.h"
#include "util/buffer.h"

#define CM_MODEL_FILE_BYTES_MAX ((size_t)16 << 20)

typedef struct cm_run {
    const cm_settings *settings;
    cm_log *log;
    cm_rejects rejects;
    cm_progress progress;
    cm_summary summary;
    cm_pii *pii;               /* of --hash-pii; NULL: nothing is hashed */
    cm_output *summary_output; /* NULL where no --summary was given */
    cm_output *output;         /* of the results; NULL for a command that has none */
    cm_output *beside;         /* a file about the output: never there without it; NULL */
} cm_run;

/**
 * Begin: open the files that the settings name, so that what is wrong with them is told before the
 * work.
 *
 * @param command   for the summary; static
 * @param settings  borrowed until cm_run_end
 * @param rejects   how to write --rejects; NULL: whole or not at all
 * @param run       receives the run; ended by cm_run_end, also on failure
 * @return CM_OK, CM_ERROR_IO, CM_ERROR_USAGE (a file for two purposes) or CM_ERROR_MEMORY
 */
cm_status cm_run_begin(const char *command, const cm_settings *settings,
                       const cm_output_options *rejects, cm_log *log, cm_run *run, cm_error *error);

/**
 * End: put the files in place, if all went well, tell and write the summary, and free everything.
 * Rejects are kept when the run is refused for them; the summary also when it was interrupted.
 *
 * @param status  what came of the work
 * @return the status, or what went wrong with the files
 */
cm_status cm_run_end(cm_run *run, cm_status status, cm_error *error);

/** How records are built: --lenient, --field-max; pii hashes what is personal, and may be NULL. */
cm_build_options cm_run_build_options(const cm_settings *settings, struct cm_pii *pii);

/** Read the model of --model FILE, else the default one. The caller frees it with cm_model_destroy.
 */
cm_status cm_run_model(const cm_settings *settings, cm_model **model, cm_error *error);

/** Read a model file; NULL: the default model. The same. Errors name the file. */
cm_status cm_run_model_file(const char *path, cm_model **model, cm_error *error);

/** The same of text that was read from the file. */
cm_status cm_run_model_text(const char *path, const cm_buffer *text, cm_model **model,
                            cm_error *error);

/** A random number, for what hostile input must not foresee. CM_OK or CM_ERROR_IO. */
cm_status cm_run_random(uint64_t *number, cm_error *error);

/** --threads, else the number of cores that this process may use. */
unsigned cm_run_threads(const cm_settings *settings);

#endif

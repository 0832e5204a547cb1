/* `clickmatch model add`: a model file into the registry. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd_model.h"
#include "cmd/database.h"
#include "cmd/inputs.h"
#include "cmd/model_names.h"
#include "cmd/model_ref.h"
#include "cmd/run.h"
#include "pg/pg_registry.h"
#include "util/error.h"

#define METRICS_BYTES_MAX ((size_t)1 << 20)

/* What is added. The texts' bytes end with a NUL, which their sizes do not count. */
struct addition {
    const cm_settings *settings;
    const char *path;
    cm_buffer artifact, metrics;
    json_t *json;                       /* the artifact */
    const char *name, *version;         /* borrowed */
    char label[2 * CM_MODEL_REF_BYTES]; /* name@version */
};

static cm_status read_text(const char *path, size_t bytes_max, cm_buffer *text, cm_error *error)
{
    cm_status status = cm_inputs_read(path, bytes_max, text, error);
    if (status != CM_OK)
        return status;
    cm_buffer_append_char(text, '\0');
    if (text->failed)
        return cm_error_memory(error, path, text->size);
    text->size--;
    return CM_OK;
}

/* ---- what it is called ---- */

/* Results name their model: nobody may have to guess what a file without a version was. */
static cm_status name_of(const struct addition *addition, cm_option option, const char *field,
                         const char **text, cm_error *error)
{
    const char *shown = option == CM_OPTION_MODEL_NAME ? "--name" : "--model-version";
    *text = cm_settings_text(addition->settings, option);
    if (*text == NULL)
        *text = json_string_value(json_object_get(addition->json, field));
    if (*text != NULL)
        return CM_OK;
    return cm_error_set(error, CM_ERROR_MODEL,
                        "%.200s has no \"%s\", by which results would name it; write it there, or "
                        "give %s",
                        addition->path, field, shown);
}

static cm_status make_label(struct addition *addition, cm_error *error)
{
    cm_status status = name_of(addition, CM_OPTION_MODEL_NAME, "name", &addition->name, error);
    if (status == CM_OK)
        status = name_of(addition, CM_OPTION_MODEL_VERSION, "version", &addition->version, error);
    if (status != CM_OK)
        return status;
    (void)snprintf(addition->label, sizeof addition->label, "%s@%s", addition->name,
                   addition->version);
    return cm_model_names_check_file(addition->path, addition->name, error);
}

/* ---- what it is ---- */

static cm_status read_artifact(struct addition *addition, cm_error *error)
{
    cm_model *model = NULL;
    cm_status status =
        read_text(addition->path, CM_MODEL_FILE_BYTES_MAX, &addition->artifact, error);
    if (status == CM_OK)
        status = cm_run_model_text(addition->path, &addition->artifact, &model, error);
    cm_model_destroy(model);
    if (status != CM_OK)
        return status;
    addition->json =
        json_loadb(addition->artifact.data, addition->artifact.size, JSON_DECODE_INT_AS_REAL, NULL);
    return addition->json == NULL ? cm_error_memory(error, "a model", addition->artifact.size)
                                  : CM_OK;
}

static cm_status read_metrics(struct addition *addition, cm_error *error)
{
    const char *path = cm_settings_text(addition->settings, CM_OPTION_MODEL_METRICS);
    json_error_t wrong;
    if (path == NULL)
        return CM_OK;
    cm_status status = read_text(path, METRICS_BYTES_MAX, &addition->metrics, error);
    if (status != CM_OK)
        return status;
    json_t *json = json_loadb(addition->metrics.data, addition->metrics.size,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &wrong);
    bool is_object = json_is_object(json);
    if (json == NULL)
        status = cm_error_set_at(error, CM_ERROR_FORMAT, (uint64_t)wrong.line,
                                 (uint64_t)wrong.position, "%.200s: line %d, byte %d: no JSON: %s",
                                 path, wrong.line, wrong.position, wrong.text);
    else if (!is_object)
        status = cm_error_set(error, CM_ERROR_FORMAT,
                              "%.200s: not a JSON object; metrics are names with values", path);
    json_decref(json);
    return status;
}

/* ---- adding ---- */

static cm_status add(const struct addition *addition, cm_log *log, cm_error *error)
{
    const cm_pg_model_entry entry = {
        .name = addition->name,
        .version = addition->version,
        .artifact = addition->artifact.data,
        .path = strcmp(addition->path, "-") == 0 ? NULL : addition->path,
        .metrics = addition->metrics.data,
    };
    const char *label = addition->label;
    cm_pg_model_added added;
    cm_pg pg;
    cm_status status = cm_model_open_registry(addition->settings, &pg, error);
    if (status != CM_OK)
        return status;
    status = cm_pg_model_add(&pg, &entry, &added, error);
    cm_pg_close(&pg);
    if (status != CM_OK)
        return status;
    if (added == CM_PG_MODEL_ADDED)
        cm_log_info(log, "%s is in the registry; clickmatch model promote %s makes it the champion",
                    label, label);
    else if (added == CM_PG_MODEL_METRICS_ADDED)
        cm_log_info(log, "%s was in the registry, the same; it has metrics now", label);
    else
        cm_log_info(log, "%s is in the registry already, the same; nothing to do", label);
    return CM_OK;
}

cm_status cm_cmd_model_add(const cm_settings *settings, cm_log *log, cm_error *error)
{
    struct addition addition = {.settings = settings,
                                .path = cm_settings_text(settings, CM_OPTION_MODEL_FILE)};
    cm_status status = cm_database_check(settings, CM_OPTION_DB, error);
    if (status == CM_OK)
        status =
            cm_model_names_check(settings, CM_OPTION_MODEL_NAME, CM_OPTION_MODEL_VERSION, error);
    if (status == CM_OK)
        status = read_artifact(&addition, error);
    if (status == CM_OK)
        status = make_label(&addition, error);
    if (status == CM_OK)
        status = read_metrics(&addition, error);
    if (status == CM_OK)
        status = add(&addition, log, error);
    cm_buffer_destroy(&addition.artifact);
    cm_buffer_destroy(&addition.metrics);
    json_decref(addition.json);
    return status;
}

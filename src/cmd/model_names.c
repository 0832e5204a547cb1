#include "cmd/model_names.h"

#include <string.h>

#include "cmd/model_ref.h"
#include "util/error.h"
#include "util/json.h"
#include "util/slice.h"
#include "util/text.h"

/* Have a model file that says nothing else be judged. */
static cm_status check_field(const char *option, const char *field, const char *text,
                             cm_error *error)
{
    size_t characters;
    cm_model *model = NULL;
    cm_error cause = {0};
    if (!cm_utf8_count(cm_slice_of_text(text), &characters))
        return cm_error_set(error, CM_ERROR_USAGE, "%s: the text is not UTF-8", option);
    json_t *object = json_pack("{s:s}", field, text);
    cm_buffer file = {0};
    cm_status status = cm_json_write(object, JSON_COMPACT, &file)
                           ? cm_model_create(file.data, file.size, &model, &cause)
                           : cm_error_memory(&cause, "a model's name", strlen(text));
    json_decref(object);
    cm_buffer_destroy(&file);
    cm_model_destroy(model);
    if (status == CM_OK)
        return CM_OK;
    return cm_error_set(error, status == CM_ERROR_MODEL ? CM_ERROR_USAGE : status, "%s: %.300s",
                        option, cause.message);
}

static cm_status check_path(const char *source, const char *name, cm_status code, cm_error *error)
{
    if (!cm_model_ref_is_path(name))
        return CM_OK;
    return cm_error_set(error, code,
                        "%.200s: --model would take the name '%.100s' for a file's; give another "
                        "one with --name: without a /, and not ending in .json",
                        source, name);
}

cm_status cm_model_names_check(const cm_settings *settings, cm_option name, cm_option version,
                               cm_error *error)
{
    const char *name_text = cm_settings_text(settings, name);
    const char *version_text = cm_settings_text(settings, version);
    cm_status status = CM_OK;
    if (name_text != NULL)
        status = check_field("--name", "name", name_text, error);
    if (name_text != NULL && status == CM_OK)
        status = check_path("--name", name_text, CM_ERROR_USAGE, error);
    if (version_text != NULL && status == CM_OK)
        status = check_field("--model-version", "version", version_text, error);
    return status;
}

cm_status cm_model_names_check_file(const char *path, const char *name, cm_error *error)
{
    return check_path(path, name, CM_ERROR_MODEL, error);
}

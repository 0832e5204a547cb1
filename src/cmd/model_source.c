#include "cmd/model_source.h"

#include <sys/stat.h>

#include "cmd/run.h"
#include "pg/pg_migrate.h"
#include "pg/pg_registry.h"
#include "util/error.h"

#define DEFAULT_NAME "default"

/* A folder is no model: its name may still be one's. */
static bool is_file(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && !S_ISDIR(status.st_mode);
}

cm_status cm_model_source_init(const cm_settings *settings, cm_option option, cm_option db,
                               bool has_database, cm_model_source *source, cm_error *error)
{
    const char *text = cm_settings_text(settings, option);
    *source = (cm_model_source){
        .has_registry = has_database,
        .may_be_missing = text == NULL,
        .pg = {.conninfo = cm_settings_text(settings, db),
               .schema = cm_settings_text(settings, CM_OPTION_SCHEMA),
               .is_abrupt = true},
    };
    if (text != NULL && (!has_database || cm_model_ref_is_path(text) || is_file(text))) {
        source->path = text;
        return CM_OK;
    }
    return cm_model_ref_read(text == NULL ? DEFAULT_NAME : text, &source->ref, error);
}

static cm_status read_registry(const cm_model_source *source, const atomic_bool *interrupt,
                               cm_model **model, cm_error *error)
{
    const cm_model_ref *ref = &source->ref;
    const char *version = ref->version[0] == '\0' ? NULL : ref->version;
    cm_pg_options options = source->pg;
    cm_pg pg;
    options.interrupt = interrupt;
    cm_status status = cm_pg_open(&options, &pg, error);
    if (status != CM_OK)
        return status;
    status = cm_pg_check_version(&pg, options.schema, error);
    if (status == CM_OK && source->may_be_missing)
        status = cm_pg_model_read(&pg, ref->name, version, model, NULL, error);
    else if (status == CM_OK)
        status = cm_pg_model_get(&pg, ref->name, version, model, error);
    cm_pg_close(&pg);
    return status;
}

cm_status cm_model_source_read(const cm_model_source *source, const atomic_bool *interrupt,
                               cm_model **model, bool *is_built_in, cm_error *error)
{
    cm_status status = CM_OK;
    *model = NULL;
    if (source->path != NULL)
        status = cm_run_model_file(source->path, model, error);
    else if (source->has_registry)
        status = read_registry(source, interrupt, model, error);
    bool is_none = status == CM_OK && *model == NULL;
    if (is_built_in != NULL)
        *is_built_in = is_none;
    return is_none ? cm_model_create(NULL, 0, model, error) : status;
}

void cm_model_source_tell(const cm_model_source *source, const char *what, const cm_model *model,
                          bool is_built_in, cm_log *log)
{
    const char *label = cm_model_label(model);
    if (is_built_in)
        cm_log_info(log, "%s %s, built in", what, label);
    else if (source->path != NULL)
        cm_log_info(log, "%s %s of %.300s", what, label, source->path);
    else
        cm_log_info(log, "%s %s of the registry%s", what, label,
                    source->ref.version[0] == '\0' ? ", the champion" : "");
}

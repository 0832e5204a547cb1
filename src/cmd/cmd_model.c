#include "cmd/cmd_model.h"

#include "cmd/database.h"
#include "cmd/interrupt.h"
#include "cmd/model_ref.h"
#include "pg/pg_migrate.h"
#include "pg/pg_registry.h"
#include "util/error.h"
#include "util/text.h"

cm_status cm_model_open_registry(const cm_settings *settings, cm_pg *pg, cm_error *error)
{
    const cm_pg_options options = {.conninfo = cm_settings_text(settings, CM_OPTION_DB),
                                   .schema = cm_settings_text(settings, CM_OPTION_SCHEMA),
                                   .interrupt = cm_interrupt_flag()};
    cm_status status = cm_pg_open(&options, pg, error);
    if (status != CM_OK)
        return status;
    status = cm_pg_check_version(pg, options.schema, error);
    if (status != CM_OK)
        cm_pg_close(pg);
    return status;
}

static cm_status check_reason(const char *reason, cm_error *error)
{
    size_t characters;
    if (reason == NULL || cm_utf8_count(cm_slice_of(reason, strlen(reason)), &characters))
        return CM_OK;
    return cm_error_set(error, CM_ERROR_USAGE, "--reason: the text is not UTF-8");
}

static void tell(cm_log *log, const char *name, const cm_pg_champions *champions)
{
    if (!champions->is_changed)
        cm_log_info(log, "%s@%s is the champion already; nothing to do", name, champions->to);
    else if (champions->from[0] == '\0')
        cm_log_info(log, "%s@%s is the champion now, the first of %s", name, champions->to, name);
    else
        cm_log_info(log, "%s@%s is the champion now; before it was %s@%s", name, champions->to,
                    name, champions->from);
}

/* version: NULL to go back. */
static cm_status change_champion(const cm_settings *settings, const char *name, const char *version,
                                 cm_log *log, cm_error *error)
{
    cm_pg_promote promote = {.schema = cm_settings_text(settings, CM_OPTION_SCHEMA),
                             .name = name,
                             .version = version,
                             .reason = cm_settings_text(settings, CM_OPTION_REASON)};
    cm_pg_champions champions;
    cm_pg pg;
    cm_status status = cm_database_check(settings, CM_OPTION_DB, error);
    if (status == CM_OK)
        status = check_reason(promote.reason, error);
    if (status == CM_OK)
        status = cm_database_started_by(&promote.os_user, error);
    if (status == CM_OK)
        status = cm_model_open_registry(settings, &pg, error);
    if (status != CM_OK)
        return status;
    status = cm_pg_model_promote(&pg, &promote, &champions, error);
    cm_pg_close(&pg);
    if (status == CM_OK)
        tell(log, name, &champions);
    return status;
}

cm_status cm_cmd_model_promote(const cm_settings *settings, cm_log *log, cm_error *error)
{
    cm_model_ref ref;
    const char *text = cm_settings_text(settings, CM_OPTION_MODEL_PROMOTED);
    cm_status status = cm_model_ref_read(text, &ref, error);
    if (status == CM_OK && ref.version[0] == '\0')
        status = cm_error_set(error, CM_ERROR_USAGE,
                              "'%.200s' says no version; give NAME@VERSION, as clickmatch model "
                              "list shows them",
                              text);
    return status == CM_OK ? change_champion(settings, ref.name, ref.version, log, error) : status;
}

cm_status cm_cmd_model_rollback(const cm_settings *settings, cm_log *log, cm_error *error)
{
    cm_model_ref ref;
    const char *text = cm_settings_text(settings, CM_OPTION_MODEL_ROLLED_BACK);
    cm_status status = cm_model_ref_read(text, &ref, error);
    if (status == CM_OK && ref.version[0] != '\0')
        status = cm_error_set(error, CM_ERROR_USAGE,
                              "'%.200s': the history says which version was before; give the name "
                              "alone, or promote the version that you want",
                              text);
    return status == CM_OK ? change_champion(settings, ref.name, NULL, log, error) : status;
}

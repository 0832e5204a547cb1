#include "cmd/cmd_migrate.h"

#include "cmd/database.h"
#include "cmd/interrupt.h"
#include "cmd/migrate_run.h"

static void tell(cm_log *log, const char *schema, const cm_migrate_report *report)
{
    if (report->version == report->version_before)
        cm_log_info(log, "schema %.200s is at version %d; nothing to do", schema, report->version);
    else if (report->version_before == 0)
        cm_log_info(log, "schema %.200s: created, version %d", schema, report->version);
    else
        cm_log_info(log, "schema %.200s: upgraded from version %d to %d", schema,
                    report->version_before, report->version);
}

cm_status cm_cmd_migrate(const cm_settings *settings, cm_log *log, cm_error *error)
{
    const cm_migrate_config config = {
        .conninfo = cm_settings_text(settings, CM_OPTION_DB),
        .schema = cm_settings_text(settings, CM_OPTION_SCHEMA),
        .interrupt = cm_interrupt_flag(),
    };
    cm_migrate_report report = {0};
    cm_status status = cm_database_check(settings, error);
    if (status != CM_OK)
        return status;
    status = cm_migrate_run(&config, &report, error);
    if (status == CM_OK)
        tell(log, config.schema, &report);
    return status;
}

#include "cmd/cmd_migrate.h"

#include "cmd/database.h"
#include "cmd/interrupt.h"
#include "cmd/migrate_run.h"

/* What is told while the run goes on. */
typedef struct telling {
    cm_log *log;
    const cm_migrate_config *config;
    const cm_migrate_report *report;
    bool is_version_told;
    unsigned steps; /* done, or offered */
} telling;

static void tell_version(telling *t)
{
    const cm_migrate_report *report = t->report;
    const char *schema = t->config->schema;
    t->is_version_told = true;
    if (report->version == report->version_before)
        cm_log_info(t->log, "schema %.200s is at version %d; nothing to do", schema,
                    report->version);
    else if (report->version_before == 0)
        cm_log_info(t->log, "schema %.200s: created, version %d", schema, report->version);
    else
        cm_log_info(t->log, "schema %.200s: upgraded from version %d to %d", schema,
                    report->version_before, report->version);
}

static void take_step(void *context, const cm_pg_step *step)
{
    telling *t = context;
    if (!t->is_version_told)
        tell_version(t);
    t->steps += !step->is_kept;
    if (!t->config->optimize)
        cm_log_info(t->log, "%s%s", step->is_kept ? "" : "migrate --optimize would ", step->says);
    else if (step->is_kept)
        cm_log_warning(t->log, "%s", step->says);
    else
        cm_log_info(t->log, "%s; to undo it: %s", step->says, step->undo);
}

static void take_line(void *context, const char *line)
{
    telling *t = context;
    if (!t->is_version_told)
        tell_version(t);
    cm_log_info(t->log, "%.900s", line);
}

static void tell_end(telling *t)
{
    if (!t->is_version_told)
        tell_version(t);
    if (!t->config->optimize)
        return;
    if (t->steps == 0)
        cm_log_info(t->log, "nothing to optimize");
    else
        cm_log_info(t->log, "done; clickmatch_optimizations keeps how to undo it");
}

cm_status cm_cmd_migrate(const cm_settings *settings, cm_log *log, cm_error *error)
{
    cm_migrate_report report = {0};
    telling t = {.log = log, .report = &report};
    const cm_migrate_config config = {
        .conninfo = cm_settings_text(settings, CM_OPTION_DB),
        .schema = cm_settings_text(settings, CM_OPTION_SCHEMA),
        .interrupt = cm_interrupt_flag(),
        .optimize = cm_settings_flag(settings, CM_OPTION_OPTIMIZE),
        .listener = {take_step, &t},
        .enforce_tenants = cm_settings_flag(settings, CM_OPTION_ENFORCE_TENANTS),
        .teller = {take_line, &t},
    };
    t.config = &config;
    cm_status status = cm_database_check(settings, CM_OPTION_DB, error);
    if (status != CM_OK)
        return status;
    status = cm_migrate_run(&config, &report, error);
    if (status == CM_OK)
        tell_end(&t);
    return status;
}

#include "cmd/migrate_run.h"

#include "pg/pg_migrate.h"

cm_status cm_migrate_run(const cm_migrate_config *config, cm_migrate_report *report,
                         cm_error *error)
{
    const cm_pg_options options = {.conninfo = config->conninfo,
                                   .database = config->database,
                                   .schema = config->schema,
                                   .interrupt = config->interrupt};
    cm_pg_migration_report done = {0};
    cm_pg pg;
    *report = (cm_migrate_report){0};
    cm_status status = cm_pg_open(&options, &pg, error);
    if (status != CM_OK)
        return status;
    status = cm_pg_migrate(&pg, config->schema, &done, error);
    *report = (cm_migrate_report){done.version_before, done.version};
    if (status == CM_OK && config->enforce_tenants)
        status = cm_pg_tenants_enforce(&pg, &config->teller, error);
    if (status == CM_OK && !config->leave_roles)
        status = cm_pg_roles_settle(&pg, &config->teller, error);
    if (status == CM_OK && config->optimize)
        status = cm_pg_optimize(&pg, config->schema, &config->listener, error);
    else if (status == CM_OK)
        status = cm_pg_optimize_plan(&pg, &config->listener, error);
    cm_pg_close(&pg);
    return status;
}

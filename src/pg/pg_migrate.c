#include "pg/pg_migrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pg/pg_wait.h"
#include "sql.h"

#define VERSION_TEXT_BYTES 12
#define NO_RIGHT "42501" /* SQLSTATE */

static const char *schema_name(const char *schema)
{
    return schema == NULL ? "public" : schema;
}

static int program_version(void)
{
    return (int)cm_sql_migration_count;
}

static cm_status too_new(int version, const char *schema, cm_error *error)
{
    return cm_error_set(error, CM_ERROR_DATABASE,
                        "schema %s is at version %d, this program knows versions up to %d only; "
                        "use a newer clickmatch",
                        schema_name(schema), version, program_version());
}

static cm_status read_version(cm_pg *pg, int *version, cm_error *error)
{
    cm_pg_answer answer = {NULL};
    cm_status status = cm_pg_run(pg, "read the schema's version", cm_sql_queries_migrate_version,
                                 NULL, &answer, error);
    if (status == CM_OK)
        *version = (int)strtol(cm_pg_answer_text(&answer, 0, 0), NULL, 10);
    cm_pg_answer_free(&answer);
    if (status == CM_ERROR_DATABASE && strcmp(pg->sqlstate, NO_RIGHT) == 0)
        return cm_error_set(error, CM_ERROR_DATABASE,
                            "cannot read the schema's version: this database user may not; GRANT "
                            "SELECT ON clickmatch_migrations, and what docs/registry.md and "
                            "docs/schema.md name besides");
    return status;
}

/* An applied version must be what the program has under that number. */
static cm_status check_applied(cm_pg *pg, const struct cm_sql_migration *migration, cm_error *error)
{
    char version[VERSION_TEXT_BYTES];
    const cm_pg_value values[] = {{"version", version}, {"text", migration->text}, {NULL, NULL}};
    cm_pg_answer answer = {NULL};
    (void)snprintf(version, sizeof version, "%d", migration->version);
    cm_status status = cm_pg_run(pg, "check the applied versions", cm_sql_queries_migrate_changed,
                                 values, &answer, error);
    if (status == CM_OK && cm_pg_answer_rows(&answer) > 0)
        status = cm_error_set(error, CM_ERROR_DATABASE,
                              "version %d (%s) was applied from another file than this program's: "
                              "its checksum differs; use the program that applied it, or restore "
                              "the row in clickmatch_migrations",
                              migration->version, cm_pg_answer_text(&answer, 0, 0));
    cm_pg_answer_free(&answer);
    return status;
}

static cm_status apply(cm_pg *pg, const struct cm_sql_migration *migration, cm_error *error)
{
    char version[VERSION_TEXT_BYTES], doing[96];
    const cm_pg_value values[] = {
        {"version", version}, {"name", migration->name}, {"text", migration->text}, {NULL, NULL}};
    (void)snprintf(version, sizeof version, "%d", migration->version);
    (void)snprintf(doing, sizeof doing, "migrate to version %d (%s)", migration->version,
                   migration->name);
    /* Whoever waits for a table makes all others wait, so that waiting is not long. */
    cm_status status =
        cm_pg_run(pg, doing, "BEGIN; SET LOCAL lock_timeout = '10s'", NULL, NULL, error);
    if (status == CM_OK)
        status = cm_pg_run(pg, doing, migration->text, NULL, NULL, error);
    if (status == CM_OK)
        status = cm_pg_run(pg, doing, cm_sql_queries_migrate_record, values, NULL, error);
    if (status == CM_OK)
        status = cm_pg_run(pg, doing, "COMMIT", NULL, NULL, error);
    status = cm_pg_busy(pg, doing, status, error);
    if (status != CM_OK)
        cm_pg_rollback(pg);
    return status;
}

cm_status cm_pg_migrate(cm_pg *pg, const char *schema, cm_pg_migration_report *report,
                        cm_error *error)
{
    const cm_pg_value values[] = {{"schema", schema_name(schema)}, {NULL, NULL}};
    *report = (cm_pg_migration_report){0};
    cm_status status =
        cm_pg_run(pg, "prepare the schema", cm_sql_queries_migrate_begin, values, NULL, error);
    if (status == CM_OK)
        status = read_version(pg, &report->version_before, error);
    if (status != CM_OK)
        return status;
    report->version = report->version_before;
    if (report->version > program_version())
        return too_new(report->version, schema, error);
    for (int i = 0; i < report->version && status == CM_OK; i++)
        status = check_applied(pg, &cm_sql_migrations[i], error);
    while (status == CM_OK && report->version < program_version()) {
        status = apply(pg, &cm_sql_migrations[report->version], error);
        report->version += status == CM_OK;
    }
    return status;
}

cm_status cm_pg_check_version(cm_pg *pg, const char *schema, cm_error *error)
{
    cm_pg_answer answer = {NULL};
    int version = 0;
    cm_status status =
        cm_pg_run(pg, "find the tables", cm_sql_queries_migrate_exists, NULL, &answer, error);
    bool exists = status == CM_OK && cm_pg_answer_text(&answer, 0, 0)[0] == 't';
    cm_pg_answer_free(&answer);
    if (exists)
        status = read_version(pg, &version, error);
    if (status != CM_OK || version == program_version())
        return status;
    if (version > program_version())
        return too_new(version, schema, error);
    return cm_error_set(error, CM_ERROR_DATABASE,
                        "schema %s is at version %d, not %d; run clickmatch migrate first",
                        schema_name(schema), version, program_version());
}

/* `migrate` without its command line: create or upgrade the tables, losing nothing. */
#ifndef CM_CMD_MIGRATE_RUN_H
#define CM_CMD_MIGRATE_RUN_H

#include <stdatomic.h>

#include "clickmatch.h"
#include "pg/pg_optimize.h"
#include "pg/pg_tenants.h"

/** What to migrate. Zero means the default. */
typedef struct cm_migrate_config {
    const char *conninfo;         /* NULL: libpq's environment */
    const char *database;         /* NULL: that of conninfo */
    const char *schema;           /* NULL: public */
    const atomic_bool *interrupt; /* raised: stop; may be NULL */
    bool optimize;                /* do what makes batch's updates cheap; else only tell it */
    cm_pg_step_listener listener; /* is told; the report is filled by then */
    bool enforce_tenants;
    bool leave_roles;    /* roles are the server's: make none */
    cm_pg_teller teller; /* is told of tenants and roles, likewise */
} cm_migrate_config;

typedef struct cm_migrate_report {
    int version_before; /* 0: none of ours */
    int version;        /* equal to version_before where there was nothing to do */
} cm_migrate_report;

/**
 * Bring the schema to the program's version; settle who may do what; then optimize, or tell what
 * that would do. The report is filled as far as the run got.
 *
 * @return CM_OK, CM_ERROR_DATABASE, CM_ERROR_USAGE (the connection string), CM_ERROR_INTERRUPTED or
 *         CM_ERROR_MEMORY
 */
cm_status cm_migrate_run(const cm_migrate_config *config, cm_migrate_report *report,
                         cm_error *error);

#endif

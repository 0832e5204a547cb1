/* The schema's versions: numbered SQL files, applied in order, each in a transaction of its own. */
#ifndef CM_PG_PG_MIGRATE_H
#define CM_PG_PG_MIGRATE_H

#include "pg/pg_conn.h"

/** What was done. */
typedef struct cm_pg_migration_report {
    int version_before; /* 0: none of ours */
    int version;
} cm_pg_migration_report;

/**
 * Bring the schema to the program's version, creating it where it is missing. Waits for another
 * migration of the same schema. On failure the versions before the one that failed stand.
 *
 * @param report  receives the versions; filled on failure, too, as far as known
 * @return CM_OK, CM_ERROR_DATABASE (also: an applied version was changed since, or the database is
 *         newer than the program), CM_ERROR_INTERRUPTED or CM_ERROR_MEMORY
 */
cm_status cm_pg_migrate(cm_pg *pg, const char *schema, cm_pg_migration_report *report,
                        cm_error *error);

/** CM_OK where the schema is at the program's version; else CM_ERROR_DATABASE, saying what to do.
 */
cm_status cm_pg_check_version(cm_pg *pg, const char *schema, cm_error *error);

#endif

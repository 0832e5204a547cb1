/*
 * Tenants kept apart (docs/tenants.md): the roles and their rights, what `migrate` does about them,
 * and whether a login may do the engine's work.
 */
#ifndef CM_PG_PG_TENANTS_H
#define CM_PG_PG_TENANTS_H

#include "pg/pg_conn.h"

/** Is told what people should know, a line each; it need not outlive the call. */
typedef struct cm_pg_teller {
    void (*tell)(void *context, const char *line);
    void *context;
} cm_pg_teller;

/**
 * Make the roles, rights and policies that are missing, as far as the login may, and tell what is
 * left to do. A schema at the program's version; as one transaction.
 *
 * @return CM_OK, CM_ERROR_DATABASE, CM_ERROR_INTERRUPTED or CM_ERROR_MEMORY
 */
cm_status cm_pg_roles_settle(cm_pg *pg, const cm_pg_teller *teller, cm_error *error);

/**
 * Keep tenants apart in a database that was adopted as found, too, where everyone saw all until
 * now, and tell who loses what. Nothing is done where it was done before; as one transaction.
 */
cm_status cm_pg_tenants_enforce(cm_pg *pg, const cm_pg_teller *teller, cm_error *error);

/**
 * May this session do the engine's work? The schema is at the program's version; the login is not
 * above row security, unless options->allow_superuser; and row security hides nothing from it, as
 * hidden clicks would make every conversion unattributed.
 *
 * @param options  what the connection was opened with
 * @return CM_OK, or CM_ERROR_DATABASE, saying what to do; and those of cm_pg_run
 */
cm_status cm_pg_engine_check(cm_pg *pg, const cm_pg_options *options, cm_error *error);

#endif

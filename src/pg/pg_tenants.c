#include "pg/pg_tenants.h"

#include <string.h>

#include "pg/pg_migrate.h"
#include "pg/pg_wait.h"
#include "sql.h"

#define SETTLING "settle the roles"
#define ENFORCING "keep tenants apart"
#define CHECKING "check the login's rights"

/* The columns of engine_check.sql. */
enum { ABOVE, LOGIN, HIDDEN };

static cm_status tell_rows(cm_pg *pg, const char *doing, const char *sql,
                           const cm_pg_teller *teller, cm_error *error)
{
    cm_pg_answer answer = {NULL};
    cm_status status = cm_pg_run(pg, doing, sql, NULL, &answer, error);
    for (size_t row = 0; status == CM_OK && row < cm_pg_answer_rows(&answer); row++)
        teller->tell(teller->context, cm_pg_answer_text(&answer, row, 0));
    cm_pg_answer_free(&answer);
    return status;
}

cm_status cm_pg_roles_settle(cm_pg *pg, const cm_pg_teller *teller, cm_error *error)
{
    cm_status status = cm_pg_run(pg, SETTLING, "BEGIN", NULL, NULL, error);
    if (status == CM_OK)
        status = cm_pg_run(pg, SETTLING, cm_sql_queries_roles_settle, NULL, NULL, error);
    if (status == CM_OK)
        status = tell_rows(pg, SETTLING, cm_sql_queries_roles_told, teller, error);
    if (status == CM_OK)
        status = cm_pg_run(pg, SETTLING, "COMMIT", NULL, NULL, error);
    if (status != CM_OK)
        cm_pg_rollback(pg);
    return status;
}

cm_status cm_pg_tenants_enforce(cm_pg *pg, const cm_pg_teller *teller, cm_error *error)
{
    cm_status status = cm_pg_run(pg, ENFORCING, "BEGIN", NULL, NULL, error);
    if (status == CM_OK)
        status = tell_rows(pg, ENFORCING, cm_sql_queries_tenants_losses, teller, error);
    if (status == CM_OK)
        status = cm_pg_run(pg, ENFORCING, cm_sql_queries_tenants_enforce, NULL, NULL, error);
    if (status == CM_OK)
        status = cm_pg_run(pg, ENFORCING, "COMMIT", NULL, NULL, error);
    if (status == CM_OK)
        return CM_OK;
    status = cm_pg_busy(pg, ENFORCING, status, error);
    cm_pg_rollback(pg);
    return status;
}

/* ---- the engine's login ---- */

static cm_status judge(const cm_pg_answer *answer, const cm_pg_options *options, cm_error *error)
{
    const char *above = cm_pg_answer_text(answer, 0, ABOVE);
    const char *login = cm_pg_answer_text(answer, 0, LOGIN);
    const char *hidden = cm_pg_answer_text(answer, 0, HIDDEN);
    if (above[0] != '\0' && !options->allow_superuser)
        return cm_error_set(error, CM_ERROR_DATABASE,
                            "login %s %s, for which row security does not hold; use one with the "
                            "role clickmatch_engine alone (CREATE ROLE engine LOGIN IN ROLE "
                            "clickmatch_engine), or say --allow-superuser",
                            login,
                            strcmp(above, "superuser") == 0 ? "is a superuser" : "has BYPASSRLS");
    if (hidden[0] != '\0')
        return cm_error_set(error, CM_ERROR_DATABASE,
                            "row security hides rows of %s from login %s; GRANT clickmatch_engine "
                            "TO it, then run clickmatch migrate as the owner if that is not enough",
                            hidden, login);
    return CM_OK;
}

cm_status cm_pg_engine_check(cm_pg *pg, const cm_pg_options *options, cm_error *error)
{
    cm_pg_answer answer = {NULL};
    cm_status status = cm_pg_check_version(pg, options->schema, error);
    if (status == CM_OK)
        status = cm_pg_run(pg, CHECKING, cm_sql_queries_engine_check, NULL, &answer, error);
    if (status == CM_OK)
        status = judge(&answer, options, error);
    cm_pg_answer_free(&answer);
    return status;
}

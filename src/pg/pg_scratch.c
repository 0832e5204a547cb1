#include "pg/pg_scratch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CHECKING "see whether databases may be made"

#define DUPLICATE_DATABASE "42P04"
#define INSUFFICIENT_PRIVILEGE "42501"
#define OBJECT_IN_USE "55006"

/* One statement, in a session of its own. */
static cm_status run(const cm_pg_options *options, const char *doing, const char *sql,
                     const cm_pg_value *values, char sqlstate[CM_PG_SQLSTATE_BYTES],
                     cm_error *error)
{
    cm_pg pg;
    sqlstate[0] = '\0';
    cm_status status = cm_pg_open(options, &pg, error);
    if (status != CM_OK)
        return status;
    status = cm_pg_run(&pg, doing, sql, values, NULL, error);
    memcpy(sqlstate, pg.sqlstate, sizeof pg.sqlstate);
    cm_pg_close(&pg);
    return status;
}

static cm_status check_right(const cm_pg_options *options, cm_error *error)
{
    static const char SQL[] =
        "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user";
    cm_pg_answer answer = {NULL};
    cm_pg pg;
    cm_status status = cm_pg_open(options, &pg, error);
    if (status != CM_OK)
        return status;
    status = cm_pg_run(&pg, CHECKING, SQL, NULL, &answer, error);
    if (status == CM_OK && cm_pg_answer_text(&answer, 0, 0)[0] != 't')
        status = cm_error_set(error, CM_ERROR_DATABASE,
                              "the role of --db may not make databases, and what is there is left "
                              "alone; ALTER ROLE ... CREATEDB, or name another role in --db");
    cm_pg_answer_free(&answer);
    cm_pg_close(&pg);
    return status;
}

cm_status cm_pg_scratch_init(const cm_pg_options *options, uint64_t token, cm_pg_scratch *scratch,
                             cm_error *error)
{
    static const char *const PARTS[CM_PG_SCRATCH_PART_COUNT] = {"found", "optimized", "round"};
    *scratch = (cm_pg_scratch){.options = *options};
    (void)snprintf(scratch->prefix, sizeof scratch->prefix, "clickmatch_bench_%016" PRIx64 "_",
                   token);
    for (size_t i = 0; i < CM_PG_SCRATCH_PART_COUNT; i++)
        (void)snprintf(scratch->names[i], sizeof scratch->names[i], "%s%s", scratch->prefix,
                       PARTS[i]);
    return check_right(options, error);
}

/* Also when its making is interrupted, a database may be there. */
static cm_status make(cm_pg_scratch *scratch, cm_pg_scratch_part part, const char *sql,
                      const char *from, cm_error *error)
{
    const cm_pg_value values[] = {{"name", scratch->names[part]}, {"from", from}, {NULL, NULL}};
    char sqlstate[CM_PG_SQLSTATE_BYTES];
    scratch->made[part] = true;
    cm_status status =
        run(&scratch->options, "make a database to measure in", sql, values, sqlstate, error);
    if (status != CM_OK && strcmp(sqlstate, DUPLICATE_DATABASE) == 0)
        scratch->made[part] = false; /* somebody else's */
    return status;
}

cm_status cm_pg_scratch_make(cm_pg_scratch *scratch, cm_pg_scratch_part part, cm_error *error)
{
    return make(scratch, part, "CREATE DATABASE :\"name\" TEMPLATE :\"from\" ENCODING 'UTF8'",
                "template0", error);
}

/* Without force first: it needs rights over whoever is connected, a vacuum of the server's own
 * included, which ends by itself when a database is dropped. */
static cm_status drop(cm_pg_scratch *scratch, cm_pg_scratch_part part, cm_error *error)
{
    static const char *const SQL[] = {"DROP DATABASE IF EXISTS :\"name\"",
                                      "DROP DATABASE IF EXISTS :\"name\" WITH (FORCE)"};
    const cm_pg_value values[] = {{"name", scratch->names[part]}, {NULL, NULL}};
    char sqlstate[CM_PG_SQLSTATE_BYTES];
    cm_status status = CM_OK;
    if (!scratch->made[part])
        return CM_OK;
    for (size_t i = 0; i < sizeof SQL / sizeof *SQL; i++) {
        status = run(&scratch->options, "drop a database", SQL[i], values, sqlstate, error);
        if (status == CM_OK || strcmp(sqlstate, OBJECT_IN_USE) != 0)
            break;
    }
    scratch->made[part] = status != CM_OK;
    return status;
}

/* STRATEGY file_copy: a checkpoint, a copy of the files, a checkpoint. */
cm_status cm_pg_scratch_copy(cm_pg_scratch *scratch, cm_pg_scratch_part from, cm_pg_scratch_part to,
                             cm_error *error)
{
    cm_status status = drop(scratch, to, error);
    if (status != CM_OK)
        return status;
    return make(scratch, to, "CREATE DATABASE :\"name\" TEMPLATE :\"from\" STRATEGY file_copy",
                scratch->names[from], error);
}

cm_pg_options cm_pg_scratch_options(const cm_pg_scratch *scratch, cm_pg_scratch_part part)
{
    cm_pg_options options = scratch->options;
    options.database = scratch->names[part];
    return options;
}

cm_status cm_pg_scratch_checkpoint(const cm_pg_scratch *scratch, bool *done, cm_error *error)
{
    char sqlstate[CM_PG_SQLSTATE_BYTES];
    cm_error refused = {0};
    cm_status status =
        run(&scratch->options, "bring all changes to disk", "CHECKPOINT", NULL, sqlstate, &refused);
    *done = status == CM_OK;
    if (status != CM_OK && strcmp(sqlstate, INSUFFICIENT_PRIVILEGE) == 0)
        return CM_OK;
    if (status != CM_OK && error != NULL)
        *error = refused;
    return status;
}

cm_status cm_pg_scratch_drop(cm_pg_scratch *scratch, cm_error *error)
{
    cm_status status = CM_OK;
    cm_error cause = {0};
    scratch->options.interrupt = NULL;
    for (int i = 0; i < CM_PG_SCRATCH_PART_COUNT; i++) {
        cm_status dropped = drop(scratch, (cm_pg_scratch_part)i, &cause);
        status = dropped == CM_OK ? status : dropped;
    }
    if (status == CM_OK)
        return CM_OK;
    return cm_error_set(error, status, "databases %s* are left on the server: %.300s; drop them",
                        scratch->prefix, cause.message);
}

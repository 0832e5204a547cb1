#include "pg/pg_conn.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pg/pg_wait.h"

#define SERVER_VERSION_MIN 150000

/* Whatever the database or role is set to: no time limits, each statement sees what is there, none
 * is compiled, which no statement of ours gains by, and row security hides rows, not errors: what
 * it hides is asked beforehand. */
static const char SESSION_SQL[] = "SET default_transaction_isolation = 'read committed';"
                                  "SET statement_timeout = 0;"
                                  "SET lock_timeout = 0;"
                                  "SET idle_in_transaction_session_timeout = 0;"
                                  "SET jit = off;"
                                  "SET row_security = on;"
                                  "SELECT set_config('search_path', quote_ident(:'schema')"
                                  " || ', pg_temp', false);";

/* A killed run's locks are to go soon. Not every server's system can tell that a client is gone. */
static const char WATCH_CLIENT_SQL[] = "SET client_connection_check_interval = 1000";

static void ignore_notice(void *context, const PGresult *notice)
{
    (void)context;
    (void)notice;
}

static bool holds_password(const PQconninfoOption *options)
{
    for (; options != NULL && options->keyword != NULL; options++)
        if (options->val != NULL && strstr(options->keyword, "password") != NULL)
            return true;
    return false;
}

/* libpq quotes parts of a connection string that it cannot read, the password perhaps: ask first.
 */
static cm_status check_conninfo(const char *conninfo, cm_error *error)
{
    bool is_name = conninfo == NULL ||
                   (strchr(conninfo, '=') == NULL && strncmp(conninfo, "postgresql://", 13) != 0 &&
                    strncmp(conninfo, "postgres://", 11) != 0);
    if (is_name)
        return CM_OK;
    char *said = NULL;
    PQconninfoOption *parsed = PQconninfoParse(conninfo, &said);
    /* libpq says so in words alone, or is too short of memory for them. */
    bool is_short = parsed == NULL && (said == NULL || strstr(said, "out of memory") != NULL);
    PQfreemem(said);
    bool is_readable = parsed != NULL, has_password = holds_password(parsed);
    PQconninfoFree(parsed);
    if (has_password) /* however it was written: others can see the command line */
        return cm_error_set(error, CM_ERROR_USAGE,
                            "the connection string holds a password; put it into a password file "
                            "(~/.pgpass) or PGPASSWORD");
    if (is_readable)
        return CM_OK;
    if (is_short)
        return cm_error_memory(error, "the connection string", strlen(conninfo));
    return cm_error_set(error, CM_ERROR_USAGE,
                        "the connection string cannot be read; write keyword=value pairs (values "
                        "with blanks in single quotes) or a postgresql:// URI");
}

/* libpq heeds connect_timeout only where it waits itself. 0: no limit. */
static time_t connect_deadline(PGconn *connection)
{
    long seconds = 0;
    PQconninfoOption *options = PQconninfo(connection);
    for (PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++)
        if (strcmp(o->keyword, "connect_timeout") == 0 && o->val != NULL)
            seconds = strtol(o->val, NULL, 10);
    PQconninfoFree(options);
    return seconds > 0 ? time(NULL) + (time_t)seconds : 0;
}

static cm_status refused(const cm_pg *pg, cm_error *error)
{
    char said[320];
    cm_pg_first_line(PQerrorMessage(pg->connection), said, sizeof said);
    return cm_error_set(
        error, CM_ERROR_DATABASE,
        "cannot connect to PostgreSQL: %s; check --db, PGHOST and the like, and the "
        "password file",
        said);
}

/* Wait for the socket, which may be another one after each step. */
static cm_status connect_step(cm_pg *pg, PostgresPollingStatusType want, time_t deadline,
                              cm_error *error)
{
    bool ready = false;
    cm_status status = CM_OK;
    while (status == CM_OK && !ready) {
        status = cm_pg_poll(pg, want == PGRES_POLLING_WRITING, &ready, error);
        if (status == CM_OK && !ready && deadline != 0 && time(NULL) >= deadline)
            status = cm_error_set(error, CM_ERROR_DATABASE,
                                  "cannot connect to PostgreSQL: no answer within connect_timeout; "
                                  "check the host and port");
    }
    return status;
}

static cm_status connect_wait(cm_pg *pg, cm_error *error)
{
    time_t deadline = connect_deadline(pg->connection);
    PostgresPollingStatusType want = PGRES_POLLING_WRITING;
    if (PQstatus(pg->connection) == CONNECTION_BAD)
        return refused(pg, error);
    while (want != PGRES_POLLING_OK) {
        cm_status status = connect_step(pg, want, deadline, error);
        if (status != CM_OK)
            return status;
        want = PQconnectPoll(pg->connection);
        if (want == PGRES_POLLING_FAILED)
            return refused(pg, error);
    }
    return CM_OK;
}

static cm_status check_server(const cm_pg *pg, cm_error *error)
{
    const char *encoding = PQparameterStatus(pg->connection, "server_encoding");
    if (PQserverVersion(pg->connection) < SERVER_VERSION_MIN)
        return cm_error_set(error, CM_ERROR_DATABASE,
                            "PostgreSQL %d is too old; use version 15 or later",
                            PQserverVersion(pg->connection) / 10000);
    if (encoding == NULL || strcmp(encoding, "UTF8") != 0)
        return cm_error_set(error, CM_ERROR_DATABASE,
                            "database %s has the encoding %s; use one whose encoding is UTF8",
                            PQdb(pg->connection), encoding == NULL ? "unknown" : encoding);
    return CM_OK;
}

static cm_status set_up(cm_pg *pg, const char *schema, cm_error *error)
{
    const cm_pg_value values[] = {{"schema", schema == NULL ? "public" : schema}, {NULL, NULL}};
    cm_status status = connect_wait(pg, error);
    if (status == CM_OK)
        status = check_server(pg, error);
    if (status == CM_OK && PQsetnonblocking(pg->connection, 1) != 0)
        status = cm_pg_lost(pg, "set up the session", error);
    if (status == CM_OK)
        status = cm_pg_run(pg, "set up the session", SESSION_SQL, values, NULL, error);
    if (status == CM_OK)
        (void)cm_pg_run(pg, "set up the session", WATCH_CLIENT_SQL, NULL, NULL, NULL);
    return status;
}

cm_status cm_pg_open(const cm_pg_options *options, cm_pg *pg, cm_error *error)
{
    /* What the second "dbname" says counts over what stands before it: a host that is gone is
     * noticed within a minute, unless it says otherwise. */
    static const char *const KEYWORDS[] = {"fallback_application_name",
                                           "keepalives_idle",
                                           "keepalives_interval",
                                           "keepalives_count",
                                           "tcp_user_timeout",
                                           "dbname",
                                           "dbname",
                                           "client_encoding",
                                           NULL};
    const char *values[] = {"clickmatch",      "30",   "10", "3", "60000", options->conninfo,
                            options->database, "UTF8", NULL};
    *pg = (cm_pg){.interrupt = options->interrupt, .is_abrupt = options->is_abrupt};
    cm_status status = check_conninfo(options->conninfo, error);
    if (status != CM_OK)
        return status;
    pg->connection = PQconnectStartParams(KEYWORDS, values, 1);
    if (pg->connection == NULL)
        return cm_error_memory(error, "a connection", 1);
    PQsetNoticeReceiver(pg->connection, ignore_notice, NULL);
    status = set_up(pg, options->schema, error);
    if (status != CM_OK)
        cm_pg_close(pg);
    return status;
}

void cm_pg_close(cm_pg *pg)
{
    PQfinish(pg->connection);
    pg->connection = NULL;
}

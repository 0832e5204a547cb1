#include "pg/pg_wait.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "util/error.h"
#include "util/slice.h"
#include "util/text.h"

#define POLL_MS 100

#define SQLSTATE_RAISED "P0001" /* by our own SQL: its text says it all */
#define SQLSTATE_BUSY "55P03"   /* lock_timeout has passed */

bool cm_pg_is_interrupted(const cm_pg *pg)
{
    return pg->interrupt != NULL && atomic_load(pg->interrupt);
}

void cm_pg_one_line(const char *text, char *line, size_t size)
{
    size_t used = 0;
    for (; *text != '\0' && used + 1 < size; text++) {
        bool is_blank = *text == ' ' || *text == '\n' || *text == '\t' || *text == '\r';
        if (!is_blank)
            line[used++] = *text;
        else if (used > 0 && line[used - 1] != ' ')
            line[used++] = ' ';
    }
    used = cm_utf8_whole(cm_slice_of(line, used));
    while (used > 0 && line[used - 1] == ' ')
        used--;
    line[used] = '\0';
}

void cm_pg_first_line(const char *text, char *line, size_t size)
{
    size_t used = strcspn(text, "\n");
    used = used < size ? used : size - 1;
    used = cm_utf8_whole(cm_slice_of(text, used));
    memcpy(line, text, used);
    line[used] = '\0';
}

cm_status cm_pg_poll(const cm_pg *pg, bool for_write, bool *ready, cm_error *error)
{
    struct pollfd socket = {.fd = PQsocket(pg->connection),
                            .events = (short)(for_write ? POLLIN | POLLOUT : POLLIN)};
    if (cm_pg_is_interrupted(pg))
        return cm_error_set(error, CM_ERROR_INTERRUPTED, "interrupted");
    int count = poll(&socket, 1, POLL_MS);
    *ready = count > 0;
    return count >= 0 || errno == EINTR ? CM_OK : cm_pg_lost(pg, "wait for PostgreSQL", error);
}

static cm_status wait_for(const cm_pg *pg, bool for_write, cm_error *error)
{
    bool ready = false;
    cm_status status = CM_OK;
    while (status == CM_OK && !ready)
        status = cm_pg_poll(pg, for_write, &ready, error);
    return status;
}

cm_status cm_pg_flush(const cm_pg *pg, const char *doing, cm_error *error)
{
    int left;
    while ((left = PQflush(pg->connection)) == 1) {
        cm_status status = wait_for(pg, true, error);
        if (status != CM_OK)
            return status;
        if (PQconsumeInput(pg->connection) != 1)
            return cm_pg_lost(pg, doing, error);
    }
    return left == 0 ? CM_OK : cm_pg_lost(pg, doing, error);
}

/* libpq 15 takes the beginning of a COPY that it has no memory for as one that is not all there,
 * and would wait for a server that has said it all. */
static bool has_memory(void)
{
    PGresult *probe = PQmakeEmptyPGresult(NULL, PGRES_EMPTY_QUERY);
    bool has = probe != NULL;
    PQclear(probe);
    return has;
}

cm_status cm_pg_read_more(const cm_pg *pg, const char *doing, cm_error *error)
{
    bool ready = false;
    cm_status status = cm_pg_poll(pg, false, &ready, error);
    if (status != CM_OK)
        return status;
    if (!ready)
        return has_memory() ? CM_OK : cm_error_memory(error, "an answer of PostgreSQL", 1);
    return PQconsumeInput(pg->connection) == 1 ? CM_OK : cm_pg_lost(pg, doing, error);
}

/* The same where an interrupt counts no more. False where nothing will come. */
static bool drain_more(const cm_pg *pg)
{
    struct pollfd socket = {.fd = PQsocket(pg->connection), .events = POLLIN};
    if (PQflush(pg->connection) == 1)
        socket.events = POLLIN | POLLOUT;
    int count = poll(&socket, 1, POLL_MS);
    if (count < 0)
        return errno == EINTR;
    return count == 0 ? has_memory() : PQconsumeInput(pg->connection) == 1;
}

static bool drain_to_result(const cm_pg *pg)
{
    while (PQisBusy(pg->connection))
        if (!drain_more(pg))
            return false;
    return true;
}

static bool drain_rows(const cm_pg *pg)
{
    char *row;
    int size;
    while ((size = PQgetCopyData(pg->connection, &row, 1)) >= 0) {
        if (size == 0 && !drain_more(pg))
            return false;
        if (size > 0)
            PQfreemem(row);
    }
    return true;
}

void cm_pg_drain(cm_pg *pg)
{
    PGresult *result;
    while (drain_to_result(pg) && (result = PQgetResult(pg->connection)) != NULL) {
        ExecStatusType status = PQresultStatus(result);
        PQclear(result);
        if (status == PGRES_COPY_OUT && !drain_rows(pg))
            break;
        if (status == PGRES_COPY_IN && PQputCopyEnd(pg->connection, "given up") != 1)
            break;
    }
}

void cm_pg_cancel(cm_pg *pg)
{
    char reason[256];
    PGcancel *cancel = PQgetCancel(pg->connection);
    if (cancel == NULL)
        return;
    if (PQcancel(cancel, reason, sizeof reason) == 1)
        cm_pg_drain(pg);
    PQfreeCancel(cancel);
}

cm_status cm_pg_next_result(cm_pg *pg, const char *doing, PGresult **result, cm_error *error)
{
    *result = NULL;
    while (PQisBusy(pg->connection)) {
        cm_status status = cm_pg_read_more(pg, doing, error);
        if (status != CM_OK)
            return status;
    }
    *result = PQgetResult(pg->connection);
    return CM_OK;
}

cm_status cm_pg_lost(const cm_pg *pg, const char *doing, cm_error *error)
{
    char said[256];
    cm_pg_first_line(PQerrorMessage(pg->connection), said, sizeof said);
    return cm_error_set(error, CM_ERROR_DATABASE,
                        "cannot %s: the connection to PostgreSQL was lost: %s; run the command "
                        "again when the server is back",
                        doing, said);
}

cm_status cm_pg_busy(const cm_pg *pg, const char *doing, cm_status status, cm_error *error)
{
    if (status != CM_ERROR_DATABASE || strcmp(pg->sqlstate, SQLSTATE_BUSY) != 0)
        return status;
    return cm_error_set(error, CM_ERROR_DATABASE,
                        "cannot %s: others use the tables; nothing was changed; run it again when "
                        "they are not in use",
                        doing);
}

/* What to do, where the server itself does not say. The first whose class begins the SQLSTATE. */
static const char *advice_on(const char *sqlstate)
{
    static const struct {
        const char *class, *advice;
    } KNOWN[] = {
        {"40", "another session was in the way; run the command again"},
        {"53", "give the server more memory, disk or connections, and run the command again"},
        {"55", "another session holds it; run the command again when that has ended"},
        {"57", "the server was told to stop this; run the command again"},
        {"42501", "GRANT this database user what docs/schema.md lists"},
        {"42", "have clickmatch migrate bring the tables to this version"},
    };
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++)
        if (strncmp(sqlstate, KNOWN[i].class, strlen(KNOWN[i].class)) == 0)
            return KNOWN[i].advice;
    return "the server's log says more";
}

cm_status cm_pg_fail(cm_pg *pg, const char *doing, const PGresult *result, cm_error *error)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    char said[384], advice[160];
    if (primary == NULL || PQstatus(pg->connection) == CONNECTION_BAD)
        return cm_pg_lost(pg, doing, error);
    memcpy(pg->sqlstate, sqlstate == NULL ? "" : sqlstate,
           sqlstate == NULL ? 1 : sizeof pg->sqlstate);
    cm_pg_one_line(primary, said, sizeof said);
    cm_pg_one_line(hint == NULL ? "" : hint, advice, sizeof advice);
    const char *separator = advice[0] == '\0' ? "" : "; ";
    if (strcmp(pg->sqlstate, SQLSTATE_RAISED) == 0)
        return cm_error_set(error, CM_ERROR_DATABASE, "cannot %s: %s%s%s", doing, said, separator,
                            advice);
    return cm_error_set(error, CM_ERROR_DATABASE, "cannot %s: %s (SQLSTATE %s); %s", doing, said,
                        pg->sqlstate, advice[0] == '\0' ? advice_on(pg->sqlstate) : advice);
}

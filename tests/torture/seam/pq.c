/*
 * libpq. Modes of the class pq: fail (the call says that it failed), cut (the connection is lost
 * before it), reply (after it: what was sent arrives, its answer does not), cancel (another session
 * cancels the statement). Modes of the classes sql and commit: statements.h.
 */
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "torture/seam/seam.h"
#include "torture/seam/statements.h"

static void lose(const PGconn *connection)
{
    int fd = PQsocket(connection);
    if (fd >= 0)
        (void)shutdown(fd, SHUT_RDWR);
}

static void cancel(PGconn *connection)
{
    char reason[256];
    PGcancel *handle = PQgetCancel(connection);
    if (handle != NULL)
        (void)PQcancel(handle, reason, sizeof reason);
    PQfreeCancel(handle);
}

/* What is done to a connection before a call. True where the call is not made at all. */
static bool before(PGconn *connection, const char *mode)
{
    if (mode == NULL || strcmp(mode, "reply") == 0)
        return false;
    if (strcmp(mode, "fail") == 0)
        return true;
    bool was_inside = seam_is_inside;
    seam_is_inside = true;
    if (strcmp(mode, "cancel") == 0)
        cancel(connection);
    else
        lose(connection);
    seam_is_inside = was_inside;
    return false;
}

static void after(const PGconn *connection, const char *mode)
{
    if (mode != NULL && strcmp(mode, "reply") == 0)
        lose(connection);
}

#define ON_CONNECTION(type, name, failure, parameters, ...)                                        \
    SEAM_SHOWN type name parameters                                                                \
    {                                                                                              \
        SEAM_REAL(name);                                                                           \
        const char *mode = seam_meets(SEAM_PQ, #name);                                             \
        if (before(connection, mode))                                                              \
            return failure;                                                                        \
        type outcome = real_##name(__VA_ARGS__);                                                   \
        after(connection, mode);                                                                   \
        return outcome;                                                                            \
    }

/* Pieces that nobody but libpq's memory can fail. */
#define ALLOCATING(type, name, parameters, ...)                                                    \
    SEAM_SHOWN type *name parameters                                                               \
    {                                                                                              \
        SEAM_REAL(name);                                                                           \
        const char *mode = seam_meets(SEAM_PQ, #name);                                             \
        return mode != NULL && strcmp(mode, "fail") == 0 ? NULL : real_##name(__VA_ARGS__);        \
    }

typedef char *text;

ON_CONNECTION(int, PQconsumeInput, 0, (PGconn * connection), connection)
ON_CONNECTION(int, PQflush, -1, (PGconn * connection), connection)
ON_CONNECTION(int, PQputCopyData, -1, (PGconn * connection, const char *bytes, int size),
              connection, bytes, size)
ON_CONNECTION(int, PQputCopyEnd, -1, (PGconn * connection, const char *reason), connection, reason)
ON_CONNECTION(int, PQgetCopyData, -2, (PGconn * connection, char **bytes, int is_async), connection,
              bytes, is_async)
ON_CONNECTION(int, PQsetnonblocking, -1, (PGconn * connection, int is_so), connection, is_so)
ON_CONNECTION(PostgresPollingStatusType, PQconnectPoll, PGRES_POLLING_FAILED, (PGconn * connection),
              connection)
ON_CONNECTION(text, PQescapeLiteral, NULL, (PGconn * connection, const char *value, size_t size),
              connection, value, size)
ON_CONNECTION(text, PQescapeIdentifier, NULL, (PGconn * connection, const char *value, size_t size),
              connection, value, size)
ALLOCATING(PGresult, PQmakeEmptyPGresult, (PGconn * connection, ExecStatusType status), connection,
           status)
ALLOCATING(unsigned char, PQunescapeBytea, (const unsigned char *escaped, size_t *size), escaped,
           size)
ALLOCATING(PGcancel, PQgetCancel, (PGconn * connection), connection)
ALLOCATING(PQconninfoOption, PQconninfo, (PGconn * connection), connection)
ALLOCATING(PQconninfoOption, PQconninfoParse, (const char *conninfo, char **said), conninfo, said)
ALLOCATING(PGconn, PQconnectStartParams,
           (const char *const *keywords, const char *const *values, int expand), keywords, values,
           expand)

SEAM_SHOWN int PQcancel(PGcancel *handle, char *reason, int size)
{
    SEAM_REAL(PQcancel);
    const char *mode = seam_meets(SEAM_PQ, "PQcancel");
    if (mode == NULL || strcmp(mode, "fail") != 0)
        return real_PQcancel(handle, reason, size);
    (void)snprintf(reason, (size_t)size, "injected");
    return 0;
}

/* As libpq does where memory is short: an error without a message of the server. */
SEAM_SHOWN PGresult *PQgetResult(PGconn *connection)
{
    SEAM_REAL(PQgetResult);
    const char *mode = seam_meets(SEAM_PQ, "PQgetResult");
    bool is_failure = before(connection, mode);
    PGresult *result = real_PQgetResult(connection);
    after(connection, mode);
    if (!is_failure || result == NULL)
        return result;
    PQclear(result);
    SEAM_REAL(PQmakeEmptyPGresult);
    return real_PQmakeEmptyPGresult(NULL, PGRES_FATAL_ERROR);
}

SEAM_SHOWN int PQsendQuery(PGconn *connection, const char *sql)
{
    SEAM_REAL(PQsendQuery);
    const char *mode = seam_meets(SEAM_PQ, "PQsendQuery");
    if (before(connection, mode))
        return 0;
    seam_text sent = seam_statements_meet(sql);
    int outcome = real_PQsendQuery(connection, sent.changed != NULL ? sent.changed : sql);
    seam_is_inside = true;
    free(sent.changed);
    seam_is_inside = false;
    after(connection, sent.is_lost ? "reply" : mode);
    return outcome;
}

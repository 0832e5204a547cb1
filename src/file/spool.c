#include "file/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "file/trouble.h"
#include "util/error.h"

/* What one write takes at most, well below the kernel's limit. */
#define WRITE_BYTES_MAX ((size_t)1 << 30)

#define WAIT_MS 50
#define FAREWELL_MS 10000 /* that a reader has after an interrupt */

static const char *folder(void)
{
    const char *named = getenv("TMPDIR");
    return named == NULL || named[0] == '\0' ? "/tmp" : named;
}

cm_status cm_spool_trouble(const char *verb, cm_error *error)
{
    int number = errno;
    char name[256];
    (void)snprintf(name, sizeof name, "%s/clickmatch.*.tmp", folder());
    return cm_trouble(error, name, verb, number, "TMPDIR");
}

cm_status cm_spool_open(int *fd, cm_error *error)
{
    char path[PATH_MAX];
    int size = snprintf(path, sizeof path, "%s/clickmatch.XXXXXX.tmp", folder());
    errno = ENAMETOOLONG;
    *fd = size < 0 || (size_t)size >= sizeof path ? -1 : mkostemps(path, 4, O_CLOEXEC);
    if (*fd < 0)
        return cm_spool_trouble("create", error);
    (void)unlink(path);
    return CM_OK;
}

/* Whoever shares a pipe with us may have set it not to wait: then we do. */
static bool can_go_on(int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    if (errno == EAGAIN)
        return poll(&ready, 1, -1) >= 0 || errno == EINTR;
    return errno == EINTR;
}

bool cm_write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t count = write(fd, bytes, size < WRITE_BYTES_MAX ? size : WRITE_BYTES_MAX);
        if (count < 0 && !can_go_on(fd))
            return false;
        if (count > 0) {
            bytes += count;
            size -= (size_t)count;
        }
    }
    return true;
}

/* Wait until a write of up to PIPE_BUF bytes would not wait. */
static bool wait_for_reader(int fd, const atomic_bool *interrupt, int *left_ms)
{
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    int found;
    while ((found = poll(&ready, 1, WAIT_MS)) <= 0) {
        if (found < 0 && errno != EINTR)
            return false;
        if (!atomic_load(interrupt))
            continue;
        errno = ETIMEDOUT;
        *left_ms -= WAIT_MS;
        if (*left_ms <= 0)
            return false;
    }
    return true;
}

bool cm_write_heeding(int fd, const char *bytes, size_t size, const atomic_bool *interrupt)
{
    int left_ms = FAREWELL_MS;
    while (size > 0) {
        if (!wait_for_reader(fd, interrupt, &left_ms))
            return false;
        ssize_t count = write(fd, bytes, size < PIPE_BUF ? size : PIPE_BUF);
        if (count < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        if (count > 0) {
            bytes += count;
            size -= (size_t)count;
        }
    }
    return true;
}

/* Files: what the program itself calls. */
/* The plain functions are defined here, so that none may be an inline one of libc's headers. */
#undef _FORTIFY_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "torture/seam/seam.h"

/* Of the calls of others (libpq's sockets, libc's own) none counts. */
static const char *meets(seam_class class, const char *name, const void *caller)
{
    return seam_is_program(caller) ? seam_meets(class, name) : NULL;
}

/* --- Opening ---------------------------------------------------------------------------------- */

static bool creates(int flags)
{
    return (flags & (O_CREAT | O_TMPFILE)) != 0;
}

SEAM_SHOWN int open(const char *path, int flags, ...)
{
    SEAM_REAL(open);
    va_list arguments;
    va_start(arguments, flags);
    mode_t bits = creates(flags) ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    const char *mode = meets(SEAM_OPEN, "open", SEAM_CALLER());
    return mode != NULL ? seam_fail(mode) : real_open(path, flags, bits);
}

int __open_2(const char *path, int flags);
SEAM_SHOWN int __open_2(const char *path, int flags)
{
    SEAM_REAL(__open_2);
    const char *mode = meets(SEAM_OPEN, "open", SEAM_CALLER());
    return mode != NULL ? seam_fail(mode) : real___open_2(path, flags);
}

SEAM_SHOWN int openat(int folder, const char *path, int flags, ...)
{
    SEAM_REAL(openat);
    va_list arguments;
    va_start(arguments, flags);
    mode_t bits = creates(flags) ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    const char *mode = meets(SEAM_OPEN, "openat", SEAM_CALLER());
    return mode != NULL ? seam_fail(mode) : real_openat(folder, path, flags, bits);
}

/* Calls that either fail with -1 or are as they are. */
#define PLAIN(class, type, name, parameters, arguments)                                            \
    SEAM_SHOWN type name parameters                                                                \
    {                                                                                              \
        SEAM_REAL(name);                                                                           \
        const char *mode = meets(class, #name, SEAM_CALLER());                                     \
        return mode != NULL ? seam_fail(mode) : real_##name arguments;                             \
    }

/* The same with NULL. */
#define POINTER(class, type, name, parameters, arguments)                                          \
    SEAM_SHOWN type *name parameters                                                               \
    {                                                                                              \
        SEAM_REAL(name);                                                                           \
        const char *mode = meets(class, #name, SEAM_CALLER());                                     \
        if (mode == NULL)                                                                          \
            return real_##name arguments;                                                          \
        (void)seam_fail(mode);                                                                     \
        return NULL;                                                                               \
    }

PLAIN(SEAM_OPEN, int, mkostemps, (char *path, int suffix, int flags), (path, suffix, flags))
PLAIN(SEAM_OPEN, int, pipe2, (int ends[2], int flags), (ends, flags))
PLAIN(SEAM_OPEN, int, mkdir, (const char *path, mode_t bits), (path, bits))
POINTER(SEAM_OPEN, char, mkdtemp, (char *path), (path))
POINTER(SEAM_OPEN, DIR, fdopendir, (int fd), (fd))
POINTER(SEAM_OPEN, FILE, fopen, (const char *path, const char *how), (path, how))

/* --- Reading and writing ---------------------------------------------------------------------- */

#define READ_SHORT_BYTES 7u
#define WRITE_SHORT_BYTES 3u

static size_t less(size_t size, size_t at_most)
{
    return size < at_most ? size : at_most;
}

/* Where a read is short, or stopped by a signal, what comes next is there still. */
#define READING(name, parameters, ...)                                                             \
    SEAM_SHOWN ssize_t name parameters                                                             \
    {                                                                                              \
        SEAM_REAL(name);                                                                           \
        const char *mode = meets(SEAM_READ, #name, SEAM_CALLER());                                 \
        if (mode != NULL && !seam_is_short(mode))                                                  \
            return seam_fail(mode);                                                                \
        if (mode != NULL)                                                                          \
            size = less(size, READ_SHORT_BYTES);                                                   \
        return real_##name(__VA_ARGS__);                                                           \
    }

ssize_t __read_chk(int fd, void *bytes, size_t size, size_t room);
ssize_t __pread_chk(int fd, void *bytes, size_t size, off_t at, size_t room);

READING(read, (int fd, void *bytes, size_t size), fd, bytes, size)
READING(pread, (int fd, void *bytes, size_t size, off_t at), fd, bytes, size, at)
READING(__read_chk, (int fd, void *bytes, size_t size, size_t room), fd, bytes, size, room)
READING(__pread_chk, (int fd, void *bytes, size_t size, off_t at, size_t room), fd, bytes, size, at,
        room)

#define WRITING(name, parameters, ...)                                                             \
    SEAM_SHOWN ssize_t name parameters                                                             \
    {                                                                                              \
        SEAM_REAL(name);                                                                           \
        const char *mode = meets(SEAM_WRITE, #name, SEAM_CALLER());                                \
        if (mode != NULL && !seam_is_short(mode))                                                  \
            return seam_fail(mode);                                                                \
        if (mode != NULL)                                                                          \
            size = less(size, WRITE_SHORT_BYTES);                                                  \
        return real_##name(__VA_ARGS__);                                                           \
    }

WRITING(write, (int fd, const void *bytes, size_t size), fd, bytes, size)
WRITING(pwrite, (int fd, const void *bytes, size_t size, off_t at), fd, bytes, size, at)

/* Standard output by way of stdio. Messages on standard error are what the test reads. */
SEAM_SHOWN size_t fwrite(const void *bytes, size_t size, size_t count, FILE *file)
{
    SEAM_REAL(fwrite);
    const char *mode = file == stderr ? NULL : meets(SEAM_WRITE, "fwrite", SEAM_CALLER());
    if (mode == NULL || seam_is_short(mode))
        return real_fwrite(bytes, size, count, file);
    (void)seam_fail(mode);
    return 0;
}

SEAM_SHOWN int fflush(FILE *file)
{
    SEAM_REAL(fflush);
    const char *mode = file == stderr ? NULL : meets(SEAM_WRITE, "fflush", SEAM_CALLER());
    return mode == NULL || seam_is_short(mode) ? real_fflush(file) : seam_fail(mode);
}

POINTER(SEAM_READ, char, fgets, (char *line, int size, FILE *file), (line, size, file))
POINTER(SEAM_READ, struct dirent, readdir, (DIR * folder), (folder))

/* --- Ending ----------------------------------------------------------------------------------- */

PLAIN(SEAM_SYNC, int, fsync, (int fd), (fd))
PLAIN(SEAM_SYNC, int, fdatasync, (int fd), (fd))
PLAIN(SEAM_SYNC, int, sync_file_range, (int fd, off_t from, off_t size, unsigned flags),
      (fd, from, size, flags))
PLAIN(SEAM_RENAME, int, rename, (const char *from, const char *to), (from, to))
PLAIN(SEAM_RENAME, int, renameat, (int a, const char *from, int b, const char *to),
      (a, from, b, to))
PLAIN(SEAM_REMOVE, int, unlink, (const char *path), (path))
PLAIN(SEAM_REMOVE, int, unlinkat, (int folder, const char *path, int flags), (folder, path, flags))
PLAIN(SEAM_REMOVE, int, rmdir, (const char *path), (path))

/* Linux has closed it, whatever it says. */
SEAM_SHOWN int close(int fd)
{
    SEAM_REAL(close);
    const char *mode = meets(SEAM_CLOSE, "close", SEAM_CALLER());
    int outcome = real_close(fd);
    return mode != NULL ? seam_fail(mode) : outcome;
}

/* --- Asking ----------------------------------------------------------------------------------- */

PLAIN(SEAM_META, int, ftruncate, (int fd, off_t size), (fd, size))
PLAIN(SEAM_META, off_t, lseek, (int fd, off_t at, int whence), (fd, at, whence))
PLAIN(SEAM_META, int, fstat, (int fd, struct stat *status), (fd, status))
PLAIN(SEAM_META, int, stat, (const char *path, struct stat *status), (path, status))
PLAIN(SEAM_META, int, lstat, (const char *path, struct stat *status), (path, status))
PLAIN(SEAM_META, int, fstatat, (int folder, const char *path, struct stat *status, int flags),
      (folder, path, status, flags))
PLAIN(SEAM_META, int, fchmod, (int fd, mode_t bits), (fd, bits))
PLAIN(SEAM_META, int, access, (const char *path, int how), (path, how))
PLAIN(SEAM_META, int, flock, (int fd, int how), (fd, how))
POINTER(SEAM_META, char, realpath, (const char *path, char *real), (path, real))

SEAM_SHOWN int fcntl(int fd, int command, ...)
{
    SEAM_REAL(fcntl);
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    const char *mode = meets(SEAM_META, "fcntl", SEAM_CALLER());
    return mode != NULL ? seam_fail(mode) : real_fcntl(fd, command, argument);
}

PLAIN(SEAM_WAIT, int, poll, (struct pollfd * fds, nfds_t count, int ms), (fds, count, ms))

SEAM_SHOWN int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                              void *(*start)(void *), void *context)
{
    SEAM_REAL(pthread_create);
    if (meets(SEAM_THREAD, "pthread_create", SEAM_CALLER()) != NULL)
        return EAGAIN;
    return real_pthread_create(thread, attributes, start, context);
}

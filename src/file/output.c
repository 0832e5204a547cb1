#include "file/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file/spool.h"
#include "file/trouble.h"
#include "util/error.h"

#define COPY_BYTES ((size_t)1 << 18)
#define BEHIND_BYTES ((off_t)8 << 20)
#define TEMPORARIES_MAX 100 /* left behind by killed runs, or by others with our number */

struct cm_output {
    cm_sink sink;
    cm_output_options options;
    int fd;          /* what the sink writes to */
    int target;      /* where a spool goes on commit; -1 if fd is no spool */
    bool has_reader; /* fd is a pipe or the like, which may be full */
    bool has_failed; /* a write failed: the output is not whole */
    off_t written;   /* bytes */
    off_t begun;     /* those the disk was told to begin with */
    char *place;     /* of a regular file, links followed; NULL for others */
    char *temporary; /* the file written beside it */
};

static cm_status trouble(const cm_output *output, const char *verb, cm_error *error)
{
    return cm_trouble(error, output->sink.name, verb, errno, output->options.option);
}

/* Let the disk begin with what is written while more is made: the end then waits for less. Where
 * that cannot be asked for, the end waits. */
static void write_behind(cm_output *output)
{
#ifdef SYNC_FILE_RANGE_WRITE
    if (output->place == NULL || output->written - output->begun < BEHIND_BYTES)
        return;
    (void)sync_file_range(output->fd, output->begun, output->written - output->begun,
                          SYNC_FILE_RANGE_WRITE);
    output->begun = output->written;
#else
    (void)output;
#endif
}

static bool write_bytes(cm_output *output, const char *bytes, size_t size)
{
    return output->has_reader ? cm_write_heeding(output->fd, bytes, size, output->options.interrupt)
                              : cm_write_all(output->fd, bytes, size);
}

static cm_status output_write(void *context, const char *bytes, size_t size, cm_error *error)
{
    cm_output *output = context;
    if (write_bytes(output, bytes, size)) {
        output->written += (off_t)size;
        write_behind(output);
        return CM_OK;
    }
    output->has_failed = true;
    if (output->has_reader && errno == ETIMEDOUT)
        return cm_error_set(error, CM_ERROR_IO,
                            "%s: interrupted while nobody read what was written; see that it is "
                            "read, and run again",
                            output->sink.name);
    return output->target >= 0 ? cm_spool_trouble("write", error) : trouble(output, "write", error);
}

cm_sink *cm_output_sink(cm_output *output)
{
    return &output->sink;
}

/* --- Open ------------------------------------------------------------------------------------- */

/* The descriptor that a path stands for; -1 if it is a path like any other. */
static int descriptor_of(const char *path)
{
    static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/"};
    if (strcmp(path, "-") == 0 || strcmp(path, "/dev/stdout") == 0)
        return STDOUT_FILENO;
    if (strcmp(path, "/dev/stderr") == 0)
        return STDERR_FILENO;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        size_t size = strlen(folders[i]);
        char *end;
        if (strncmp(path, folders[i], size) != 0 || path[size] < '0' || path[size] > '9')
            continue;
        long number = strtol(path + size, &end, 10);
        if (*end == '\0' && number <= INT_MAX)
            return (int)number;
    }
    return -1;
}

/* What cannot be taken back once written: through a spool, unless the caller wants it at once. */
static cm_status open_stream(cm_output *output, int target, cm_error *error)
{
    if (target < 0)
        return trouble(output, "open", error);
    if (output->options.is_direct || output->options.is_growing) {
        struct stat status;
        output->fd = target;
        output->has_reader = output->options.interrupt != NULL && fstat(target, &status) == 0 &&
                             (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
        return CM_OK;
    }
    output->target = target;
    return cm_spool_open(&output->fd, error);
}

/* Create the temporary file beside the place. */
static cm_status open_temporary(cm_output *output, cm_error *error)
{
    const char *slash = strrchr(output->place, '/');
    int folder = slash == NULL ? 0 : (int)(slash - output->place) + 1;
    size_t size = strlen(output->place) + 64;
    output->temporary = malloc(size);
    if (output->temporary == NULL)
        return cm_error_memory(error, "a file name", size);
    mode_t mode = output->options.is_private ? 0600 : 0666;
    for (int i = 0; i < TEMPORARIES_MAX; i++) {
        char again[16] = "";
        if (i > 0)
            (void)snprintf(again, sizeof again, ".%d", i);
        (void)snprintf(output->temporary, size, "%.*s.%.200s.%ld%s.tmp", folder, output->place,
                       output->place + folder, (long)getpid(), again);
        output->fd = open(output->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (output->fd >= 0)
            return CM_OK;
        if (errno != EEXIST)
            break;
    }
    cm_status status = trouble(output, "create", error);
    free(output->temporary);
    output->temporary = NULL;
    return status;
}

/* A regular file, there or not yet. */
static cm_status open_beside(cm_output *output, const char *path, bool exists, cm_error *error)
{
    struct stat status;
    if (exists && access(path, W_OK) != 0)
        return trouble(output, "write", error);
    bool is_link = lstat(path, &status) == 0 && S_ISLNK(status.st_mode);
    output->place = is_link ? realpath(path, NULL) : strdup(path);
    if (output->place == NULL)
        return trouble(output, "open", error);
    cm_status opened = open_temporary(output, error);
    if (opened != CM_OK || output->options.is_private)
        return opened;
    mode_t mode = 0644;
    if (!output->options.is_public) {
        /* A file that is replaced keeps its mode: who could not read it cannot now. */
        if (!exists || stat(path, &status) != 0)
            return CM_OK;
        mode = status.st_mode & 07777;
    }
    return fchmod(output->fd, mode) == 0 ? CM_OK : trouble(output, "create", error);
}

/* False, with errno, where they cannot all be had: a file may have become shorter meanwhile. */
static bool read_at(int fd, char *bytes, size_t size, off_t at)
{
    while (size > 0) {
        ssize_t got = pread(fd, bytes, size, at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0)
            errno = EIO;
        if (got <= 0)
            return false;
        bytes += got;
        size -= (size_t)got;
        at += got;
    }
    return true;
}

/* Where the last whole line of a file ends; -1, with errno, where it cannot be read. */
static off_t end_of_lines(int fd)
{
    char bytes[4096];
    off_t at = lseek(fd, 0, SEEK_END);
    while (at > 0) {
        size_t size = at < (off_t)sizeof bytes ? (size_t)at : sizeof bytes;
        if (!read_at(fd, bytes, size, at - (off_t)size))
            return -1;
        const char *last = memrchr(bytes, '\n', size);
        if (last != NULL)
            return at - (off_t)size + (last - bytes) + 1;
        at -= (off_t)size;
    }
    return at;
}

/* Whoever was killed in the middle of a line comes to it again. */
static bool cut_last_line(int fd)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return false;
    off_t end = end_of_lines(fd);
    return end >= 0 && (end == status.st_size || ftruncate(fd, end) == 0);
}

/* A file that grows where it is. */
static cm_status open_growing(cm_output *output, const char *path, cm_error *error)
{
    int flags = O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY;
    output->fd = open(path, flags | (output->options.is_fresh ? O_TRUNC : 0),
                      output->options.is_private ? 0600 : 0666);
    if (output->fd < 0 || !cut_last_line(output->fd))
        return trouble(output, "open", error);
    if (output->options.is_private && fchmod(output->fd, 0600) != 0)
        return trouble(output, "create", error);
    return CM_OK;
}

static cm_status open_path(cm_output *output, const char *path, cm_error *error)
{
    int descriptor = descriptor_of(path);
    if (descriptor >= 0)
        return open_stream(output, fcntl(descriptor, F_DUPFD_CLOEXEC, 3), error);
    struct stat status;
    size_t size = strlen(path);
    bool exists = stat(path, &status) == 0;
    if (!exists && (errno != ENOENT || size == 0 || path[size - 1] == '/'))
        return trouble(output, "open", error);
    if (!exists || S_ISREG(status.st_mode))
        return output->options.is_growing ? open_growing(output, path, error)
                                          : open_beside(output, path, exists, error);
    if (S_ISDIR(status.st_mode)) {
        errno = EISDIR;
        return trouble(output, "write", error);
    }
    return open_stream(output, open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY), error);
}

cm_status cm_output_open(const char *path, const cm_output_options *options, cm_output **output,
                         cm_error *error)
{
    cm_output *made = calloc(1, sizeof *made);
    if (made == NULL)
        return cm_error_memory(error, "an output", sizeof *made);
    if (options != NULL)
        made->options = *options;
    if (made->options.option == NULL)
        made->options.option = "--output";
    made->fd = made->target = -1;
    made->sink = (cm_sink){made, strcmp(path, "-") == 0 ? "standard output" : path, output_write};
    cm_status status = open_path(made, path, error);
    if (status == CM_OK)
        *output = made;
    else
        cm_output_abort(made);
    return status;
}

/* --- Extent ----------------------------------------------------------------------------------- */

cm_output_extent cm_output_extent_of(const cm_output *output)
{
    struct stat status;
    if (output == NULL || !output->options.is_growing || fstat(output->fd, &status) != 0 ||
        !S_ISREG(status.st_mode))
        return (cm_output_extent){0};
    return (cm_output_extent){status.st_dev, status.st_ino, (uint64_t)status.st_size};
}

cm_status cm_output_cut_back(cm_output *output, const cm_output_extent *extent, cm_error *error)
{
    cm_output_extent now = cm_output_extent_of(output);
    bool is_same = now.inode != 0 && now.inode == extent->inode && now.device == extent->device;
    if (!is_same || now.bytes <= extent->bytes)
        return CM_OK;
    return ftruncate(output->fd, (off_t)extent->bytes) == 0 ? CM_OK
                                                            : trouble(output, "write", error);
}

/* --- Commit and abort ------------------------------------------------------------------------- */

/* Copy a spool to where it goes. */
static cm_status copy_spool(cm_output *output, cm_error *error)
{
    char *bytes = malloc(COPY_BYTES);
    if (bytes == NULL)
        return cm_error_memory(error, "copying", COPY_BYTES);
    cm_status status = CM_OK;
    ssize_t count = 0;
    for (off_t at = 0; status == CM_OK; at += count) {
        do {
            count = pread(output->fd, bytes, COPY_BYTES, at);
        } while (count < 0 && errno == EINTR);
        if (count == 0)
            break;
        if (count < 0)
            status = cm_spool_trouble("read", error);
        else if (!cm_write_all(output->target, bytes, (size_t)count))
            status = trouble(output, "write", error);
    }
    free(bytes);
    return status;
}

/* A new name is safe once its directory is on disk. Not all file systems can do that: no error. */
static void sync_folder(const char *place)
{
    char *folder = strdup(place);
    if (folder == NULL)
        return;
    char *slash = strrchr(folder, '/');
    if (slash != NULL)
        slash[slash == folder] = '\0';
    int fd = open(slash == NULL ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(folder);
    if (fd < 0)
        return;
    (void)fsync(fd);
    (void)close(fd);
}

/* Close a descriptor once. False, with errno, where what was written is lost. */
static bool close_once(int *fd)
{
    int outcome = *fd < 0 ? 0 : close(*fd);
    *fd = -1;
    return outcome == 0 || errno == EINTR;
}

cm_status cm_output_settle(cm_output *output, cm_error *error)
{
    if (output->has_failed)
        return cm_error_set(error, CM_ERROR_IO,
                            "%s: left as it was, as not all could be written; run again",
                            output->sink.name);
    if (output->place == NULL || output->fd < 0)
        return CM_OK;
    if (!output->options.is_unsynced && fsync(output->fd) != 0 && errno != EINVAL)
        return trouble(output, "write", error);
    return close_once(&output->fd) ? CM_OK : trouble(output, "write", error);
}

static cm_status move_in_place(cm_output *output, cm_error *error)
{
    if (rename(output->temporary, output->place) != 0)
        return trouble(output, "replace", error);
    free(output->temporary);
    output->temporary = NULL;
    if (!output->options.is_unsynced)
        sync_folder(output->place);
    return CM_OK;
}

cm_status cm_output_commit(cm_output *output, cm_error *error)
{
    cm_status status = cm_output_settle(output, error);
    if (status == CM_OK && output->place != NULL)
        status = move_in_place(output, error);
    else if (status == CM_OK && output->target >= 0)
        status = copy_spool(output, error);
    int *last = output->target >= 0 ? &output->target : &output->fd;
    if (status == CM_OK && !close_once(last))
        status = trouble(output, "write", error);
    cm_output_abort(output);
    return status;
}

void cm_output_abort(cm_output *output)
{
    if (output == NULL)
        return;
    (void)close_once(&output->fd);
    (void)close_once(&output->target);
    if (output->temporary != NULL)
        (void)unlink(output->temporary);
    free(output->temporary);
    free(output->place);
    free(output);
}

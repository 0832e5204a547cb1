#include "file/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file/spool.h"
#include "file/trouble.h"
#include "util/error.h"
#include "util/hash.h"

#define PIECE_BYTES ((size_t)128 << 10) /* a kernel may let nobody in before a call has ended */
#define READ_BYTES                                                                                 \
    ((size_t)256 << 10) /* of which the checksum is made while they are in the cache */

static cm_status trouble(const cm_folder *folder, const char *name, const char *verb,
                         cm_error *error)
{
    int number = errno;
    char path[512];
    if (name == NULL)
        return cm_trouble(error, folder->path, verb, number, folder->option);
    (void)snprintf(path, sizeof path, "%s/%s", folder->path, name);
    return cm_trouble(error, path, verb, number, folder->option);
}

bool cm_folder_ends_with(const char *name, const char *ending)
{
    size_t size = strlen(name), end = strlen(ending);
    return size > end && strcmp(name + size - end, ending) == 0;
}

/* ---- open ---- */

/* The directory's own name is safe when the one above is on disk. Not all can be read: no error. */
static void sync_above(const cm_folder *folder)
{
    int fd = openat(folder->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd);
    (void)close(fd);
}

static cm_status open_directory(cm_folder *folder, cm_error *error)
{
    bool is_new = mkdir(folder->path, 0700) == 0;
    if (!is_new && errno != EEXIST)
        return trouble(folder, NULL, "create", error);
    folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder->fd < 0)
        return trouble(folder, NULL, "open", error);
    if (is_new)
        sync_above(folder);
    return CM_OK;
}

static void count(void *context, const char *name)
{
    (void)name;
    ++*(size_t *)context;
}

/* Where nothing was locked before, there must be nothing: it would be somebody else's. */
static cm_status check_empty(const cm_folder *folder, cm_error *error)
{
    size_t names = 0;
    cm_status status = cm_folder_walk(folder, count, &names, error);
    if (status == CM_OK && names > 0)
        return cm_error_set(error, CM_ERROR_IO,
                            "%s: holds files that are not of a checkpoint; give %s an empty "
                            "directory, or one that is not there yet",
                            folder->path, folder->option);
    return status;
}

static cm_status lock(cm_folder *folder, cm_error *error)
{
    folder->lock = openat(folder->fd, CM_FOLDER_LOCK, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (folder->lock < 0 && errno == ENOENT) {
        cm_status status = check_empty(folder, error);
        if (status != CM_OK)
            return status;
        folder->lock =
            openat(folder->fd, CM_FOLDER_LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    }
    if (folder->lock < 0)
        return trouble(folder, CM_FOLDER_LOCK, "open", error);
    if (flock(folder->lock, LOCK_EX | LOCK_NB) == 0)
        return CM_OK;
    if (errno != EWOULDBLOCK)
        return trouble(folder, CM_FOLDER_LOCK, "lock", error);
    return cm_error_set(error, CM_ERROR_IO,
                        "%s: another process uses it; end that one or choose another %s",
                        folder->path, folder->option);
}

cm_status cm_folder_open(cm_folder *folder, const char *path, const char *option, cm_error *error)
{
    *folder = (cm_folder){.path = strdup(path), .option = option, .fd = -1, .lock = -1};
    if (folder->path == NULL)
        return cm_error_memory(error, "a file name", strlen(path));
    cm_status status = open_directory(folder, error);
    return status == CM_OK ? lock(folder, error) : status;
}

void cm_folder_close(cm_folder *folder)
{
    if (folder->fd >= 0)
        (void)close(folder->fd);
    if (folder->lock >= 0)
        (void)close(folder->lock);
    free(folder->path);
    *folder = (cm_folder){.fd = -1, .lock = -1};
}

cm_status cm_folder_walk(const cm_folder *folder, void (*visit)(void *context, const char *name),
                         void *context, cm_error *error)
{
    int fd = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (directory == NULL) {
        cm_status status = trouble(folder, NULL, "read", error);
        if (fd >= 0)
            (void)close(fd);
        return status;
    }
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
        if (entry->d_type != DT_DIR && strcmp(entry->d_name, ".") != 0 &&
            strcmp(entry->d_name, "..") != 0)
            visit(context, entry->d_name);
    (void)closedir(directory);
    return CM_OK;
}

/* ---- write ---- */

/* Tell the disk to begin with a piece, and wait for the one before: it is never far behind, so that
 * the end has little to wait for, and nobody waits for all of this. */
static void write_behind(int fd, size_t at, size_t size)
{
#ifdef SYNC_FILE_RANGE_WRITE
    (void)sync_file_range(fd, (off_t)at, (off_t)size, SYNC_FILE_RANGE_WRITE);
    if (at >= PIECE_BYTES)
        (void)sync_file_range(fd, (off_t)(at - PIECE_BYTES), (off_t)PIECE_BYTES,
                              SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                                  SYNC_FILE_RANGE_WAIT_AFTER);
#else
    (void)fd;
    (void)at;
    (void)size;
#endif
}

/* False, with errno, where that fails. */
static bool write_pieces(int fd, cm_slice bytes, uint64_t *checksum)
{
    XXH3_state_t state;
    XXH3_64bits_reset(&state);
    for (size_t at = 0; at < bytes.size; at += PIECE_BYTES) {
        size_t left = bytes.size - at;
        size_t size = left < PIECE_BYTES ? left : PIECE_BYTES;
        (void)XXH3_64bits_update(&state, bytes.data + at, size);
        if (!cm_write_all(fd, bytes.data + at, size))
            return false;
        if (size == PIECE_BYTES)
            write_behind(fd, at, size);
    }
    if (checksum != NULL)
        *checksum = XXH3_64bits_digest(&state);
    return fsync(fd) == 0;
}

cm_status cm_folder_write(const cm_folder *folder, const char *name, cm_slice bytes,
                          uint64_t *checksum, cm_error *error)
{
    char temporary[CM_FOLDER_NAME_MAX + sizeof CM_FOLDER_TEMPORARY];
    (void)snprintf(temporary, sizeof temporary, "%s%s", name, CM_FOLDER_TEMPORARY);
    int fd =
        openat(folder->fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return trouble(folder, temporary, "create", error);
    bool written = write_pieces(fd, bytes, checksum);
    cm_status status = written ? CM_OK : trouble(folder, name, "write", error);
    if (close(fd) != 0 && status == CM_OK && errno != EINTR)
        status = trouble(folder, name, "write", error);
    if (status == CM_OK && renameat(folder->fd, temporary, folder->fd, name) != 0)
        status = trouble(folder, name, "replace", error);
    if (status != CM_OK)
        cm_folder_remove(folder, temporary);
    return status;
}

cm_status cm_folder_sync(const cm_folder *folder, cm_error *error)
{
    /* Not all file systems can do that. */
    if (fsync(folder->fd) == 0 || errno == EINVAL)
        return CM_OK;
    return trouble(folder, NULL, "write", error);
}

void cm_folder_remove(const cm_folder *folder, const char *name)
{
    (void)unlinkat(folder->fd, name, 0);
}

/* ---- read ---- */

/* False, with errno, where that fails; a file that ends early leaves fewer bytes. */
static bool read_pieces(int fd, cm_buffer *bytes, size_t size, uint64_t *checksum)
{
    XXH3_state_t state;
    XXH3_64bits_reset(&state);
    while (bytes->size < size) {
        size_t left = size - bytes->size;
        ssize_t got = pread(fd, bytes->data + bytes->size, left < READ_BYTES ? left : READ_BYTES,
                            (off_t)bytes->size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        if (got == 0)
            break;
        (void)XXH3_64bits_update(&state, bytes->data + bytes->size, (size_t)got);
        bytes->size += (size_t)got;
    }
    *checksum = XXH3_64bits_digest(&state);
    return true;
}

static cm_status read_open(const cm_folder *folder, const char *name, int fd, cm_buffer *bytes,
                           uint64_t *checksum, cm_error *error)
{
    struct stat file;
    bool is_known = fstat(fd, &file) == 0;
    if (is_known && !cm_buffer_reserve(bytes, (size_t)file.st_size))
        return cm_error_memory(error, "a file", (size_t)file.st_size);
    if (is_known && read_pieces(fd, bytes, (size_t)file.st_size, checksum))
        return CM_OK;
    return trouble(folder, name, "read", error);
}

cm_status cm_folder_read(const cm_folder *folder, const char *name, cm_buffer *bytes,
                         uint64_t *checksum, bool *found, cm_error *error)
{
    int fd = openat(folder->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bytes->size = 0;
    *found = fd >= 0;
    if (fd < 0)
        return errno == ENOENT ? CM_OK : trouble(folder, name, "open", error);
    cm_status status = read_open(folder, name, fd, bytes, checksum, error);
    (void)close(fd);
    return status;
}

cm_status cm_folder_size(const cm_folder *folder, const char *name, uint64_t *size, bool *found,
                         cm_error *error)
{
    struct stat file;
    *found = fstatat(folder->fd, name, &file, AT_SYMLINK_NOFOLLOW) == 0;
    if (!*found)
        return errno == ENOENT ? CM_OK : trouble(folder, name, "look at", error);
    *size = (uint64_t)file.st_size;
    return CM_OK;
}

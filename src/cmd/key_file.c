#include "cmd/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/error.h"

#define SECRET_MAX 4096 /* bytes */

static cm_status refuse(const char *path, const char *why, cm_error *error)
{
    return cm_error_set(error, CM_ERROR_USAGE, "--hash-pii: '%.200s' %s", path, why);
}

static cm_status failed(const char *path, const char *doing, cm_error *error)
{
    return cm_error_set(error, CM_ERROR_IO,
                        "--hash-pii: cannot %s '%.200s': %s; see that you may read the file, or "
                        "give another one",
                        doing, path, strerror(errno));
}

/* Of the open file, so that nobody can put another in its place. */
static cm_status check(int fd, const char *path, cm_error *error)
{
    struct stat file;
    if (fstat(fd, &file) != 0)
        return failed(path, "look at", error);
    if (!S_ISREG(file.st_mode))
        return refuse(path, "is no file; give a file that holds the secret", error);
    if (file.st_uid != geteuid() && file.st_uid != 0)
        return refuse(path, "belongs to another user; make it your own", error);
    if ((file.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return refuse(path, "can be read or written by others; chmod 600 it", error);
    if (file.st_size < CM_PII_SECRET_MIN || file.st_size > SECRET_MAX)
        return refuse(path,
                      "has less than 32 bytes, or more than 4096; make one by openssl rand -hex 32",
                      error);
    return CM_OK;
}

static cm_status read_all(int fd, const char *path, char *secret, size_t *size, cm_error *error)
{
    for (*size = 0; *size < SECRET_MAX;) {
        ssize_t got = read(fd, secret + *size, SECRET_MAX - *size);
        if (got == 0)
            break;
        if (got < 0 && errno != EINTR)
            return failed(path, "read", error);
        *size += got > 0 ? (size_t)got : 0;
    }
    return CM_OK;
}

cm_status cm_key_file_read(const char *path, cm_pii **pii, cm_error *error)
{
    char secret[SECRET_MAX];
    size_t size = 0;
    *pii = NULL;
    if (path == NULL)
        return CM_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return failed(path, "open", error);
    cm_status status = check(fd, path, error);
    if (status == CM_OK)
        status = read_all(fd, path, secret, &size, error);
    if (status == CM_OK && size < CM_PII_SECRET_MIN)
        status = refuse(path, "has less than 32 bytes", error);
    if (status == CM_OK)
        status = cm_pii_create(secret, size, pii, error);
    OPENSSL_cleanse(secret, sizeof secret);
    (void)close(fd);
    return status;
}

#include "file/input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file/trouble.h"
#include "util/error.h"

/* What one read takes at most, well below the kernel's limit. */
#define READ_BYTES_MAX ((size_t)1 << 30)

static cm_status input_read(void *context, char *buffer, size_t size, size_t *got, cm_error *error)
{
    cm_input *input = context;
    *got = 0;
    ssize_t count;
    do {
        count = read(input->fd, buffer, size < READ_BYTES_MAX ? size : READ_BYTES_MAX);
    } while (count < 0 && errno == EINTR);
    if (count < 0)
        return cm_trouble(error, input->source.name, "read", errno, "input");
    *got = (size_t)count;
    input->done += *got;
    return CM_OK;
}

static void input_progress(void *context, uint64_t *done, uint64_t *total)
{
    const cm_input *input = context;
    *done = input->done;
    *total = input->total;
}

/* A named pipe is there before its writer is; once open, reading waits as usual. */
static int open_to_read(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0)
        (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    return fd;
}

cm_status cm_input_open(const char *path, cm_input *input, cm_error *error)
{
    bool is_standard = strcmp(path, "-") == 0;
    *input = (cm_input){.fd = STDIN_FILENO};
    input->source =
        (cm_source){input, is_standard ? "standard input" : path, input_read, input_progress};
    if (!is_standard)
        input->fd = open_to_read(path);
    struct stat status;
    if (input->fd < 0 || fstat(input->fd, &status) != 0) {
        int number = errno;
        cm_input_close(input);
        return cm_trouble(error, input->source.name, "open", number, "input");
    }
    if (S_ISDIR(status.st_mode)) {
        cm_input_close(input);
        return cm_error_set(error, CM_ERROR_IO, "%s: is a directory; name the files in it",
                            input->source.name);
    }
    if (S_ISREG(status.st_mode)) {
        input->total = (uint64_t)status.st_size;
        (void)posix_fadvise(input->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    }
    return CM_OK;
}

void cm_input_close(cm_input *input)
{
    if (input->fd > STDIN_FILENO)
        (void)close(input->fd);
    input->fd = -1;
}

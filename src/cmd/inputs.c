#include "cmd/inputs.h"

#include <string.h>
#include <sys/stat.h>

#include "cmd/interrupt.h"
#include "io/unpack.h"
#include "util/error.h"

#define READ_BYTES ((size_t)64 << 10)

static cm_status interrupted(const char *name, cm_error *error)
{
    return cm_error_set(error, CM_ERROR_INTERRUPTED, "interrupted while reading %.300s", name);
}

static cm_status read_guarded(void *context, char *buffer, size_t size, size_t *got,
                              cm_error *error)
{
    cm_opened *opened = context;
    cm_source *file = &opened->file.source;
    if (!cm_interrupt_wait(opened->file.fd))
        return interrupted(file->name, error);
    cm_status status = file->read(file->context, buffer, size, got, error);
    if (status == CM_OK)
        atomic_fetch_add(&opened->done, *got);
    return status;
}

static void progress_guarded(void *context, uint64_t *done, uint64_t *total)
{
    cm_opened *opened = context;
    *done = atomic_load(&opened->done);
    *total = opened->file.total;
}

cm_status cm_opened_open(const char *path, cm_opened *opened, cm_error *error)
{
    memset(opened, 0, sizeof *opened);
    cm_status status = cm_input_open(path, &opened->file, error);
    if (status != CM_OK)
        return status;
    opened->guarded = (cm_source){opened, opened->file.source.name, read_guarded, progress_guarded};
    status = cm_unpack_create(&opened->guarded, &opened->unpacked, error);
    if (status != CM_OK)
        cm_input_close(&opened->file);
    return status;
}

void cm_opened_close(cm_opened *opened)
{
    cm_unpack_destroy(&opened->unpacked);
    cm_input_close(&opened->file);
}

/* A pipe that is opened and closed again would let its writer in, to nobody: those are opened when
 * their turn comes. */
static bool is_plain(const char *path)
{
    struct stat status;
    return strcmp(path, "-") != 0 &&
           (stat(path, &status) != 0 || S_ISREG(status.st_mode) || S_ISDIR(status.st_mode));
}

bool cm_inputs_is_file(const char *path)
{
    struct stat status;
    return strcmp(path, "-") != 0 && stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

cm_status cm_inputs_check(const char *const *paths, size_t count, uint64_t *bytes, cm_error *error)
{
    bool known = true;
    *bytes = 0;
    for (size_t i = 0; i < count; i++) {
        cm_input input;
        if (!is_plain(paths[i])) {
            known = false;
            continue;
        }
        cm_status status = cm_input_open(paths[i], &input, error);
        if (status != CM_OK)
            return status;
        *bytes += input.total;
        cm_input_close(&input);
    }
    if (!known)
        *bytes = 0;
    return CM_OK;
}

static cm_status read_all(cm_source *source, size_t bytes_max, cm_buffer *text, cm_error *error)
{
    for (;;) {
        size_t got;
        if (!cm_buffer_reserve(text, READ_BYTES))
            return cm_error_memory(error, source->name, READ_BYTES);
        cm_status status =
            source->read(source->context, text->data + text->size, READ_BYTES, &got, error);
        if (status != CM_OK || got == 0)
            return status;
        text->size += got;
        if (text->size > bytes_max)
            return cm_error_set(error, CM_ERROR_IO,
                                "%.300s: longer than %zu bytes; is it the "
                                "right file?",
                                source->name, bytes_max);
    }
}

cm_status cm_inputs_read(const char *path, size_t bytes_max, cm_buffer *text, cm_error *error)
{
    cm_opened opened;
    cm_status status = cm_opened_open(path, &opened, error);
    if (status != CM_OK)
        return status;
    status = read_all(&opened.unpacked, bytes_max, text, error);
    cm_opened_close(&opened);
    return status;
}

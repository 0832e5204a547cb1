/* A directory of parts is opened, read and closed. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "file/parts_state.h"
#include "util/check.h"

static cm_status damaged(const cm_parts *parts, const char *file, const char *what, cm_error *error)
{
    return cm_error_set(error, CM_ERROR_FORMAT,
                        "%s/%s: %s; restore the directory from a copy, or remove it to begin "
                        "without a checkpoint",
                        parts->folder.path, file, what);
}

bool cm_parts_exist(const char *path)
{
    char file[PATH_MAX];
    int size = snprintf(file, sizeof file, "%s/%s", path, CM_MANIFEST);
    return size > 0 && size < (int)sizeof file && access(file, F_OK) == 0;
}

static cm_status read_manifest(cm_parts *parts, cm_error *error)
{
    uint64_t ignored;
    bool found;
    const char *what;
    cm_status status =
        cm_folder_read(&parts->folder, CM_MANIFEST, &parts->manifest, &ignored, &found, error);
    if (status != CM_OK || !found)
        return status;
    status = cm_manifest_read(cm_slice_of(parts->manifest.data, parts->manifest.size),
                              &parts->table, &parts->found, &what);
    if (status == CM_ERROR_MEMORY)
        return cm_error_memory(error, "a manifest", parts->manifest.size);
    return status == CM_OK ? CM_OK : damaged(parts, CM_MANIFEST, what, error);
}

/* What was being written when a process ended, and parts of no commit. */
static void see_file(void *context, const char *name)
{
    const cm_parts *parts = context;
    char part_name[CM_PART_NAME_MAX + 1];
    size_t size = strlen(name);
    if (cm_folder_ends_with(name, CM_FOLDER_TEMPORARY)) {
        cm_folder_remove(&parts->folder, name);
        return;
    }
    if (!cm_folder_ends_with(name, CM_PART_ENDING))
        return;
    size -= strlen(CM_PART_ENDING);
    if (size <= CM_PART_NAME_MAX) {
        memcpy(part_name, name, size);
        part_name[size] = '\0';
        if (cm_part_find(&parts->table, part_name) != NULL)
            return;
    }
    cm_folder_remove(&parts->folder, name);
}

static cm_status check_parts(const cm_parts *parts, cm_error *error)
{
    char file[CM_FOLDER_NAME_MAX];
    for (const cm_part *part = parts->table.parts; part != NULL; part = part->hh.next) {
        uint64_t size;
        bool found;
        cm_part_file(part, file);
        cm_status status = cm_folder_size(&parts->folder, file, &size, &found, error);
        if (status != CM_OK)
            return status;
        if (!found)
            return damaged(parts, file, "missing", error);
        if (size != part->size)
            return damaged(parts, file, "its size is another", error);
    }
    return CM_OK;
}

static cm_status open_parts(cm_parts *parts, const char *path, const char *option, cm_error *error)
{
    cm_status status = cm_folder_open(&parts->folder, path, option, error);
    if (status == CM_OK)
        status = read_manifest(parts, error);
    if (status == CM_OK)
        status = check_parts(parts, error);
    if (status == CM_OK)
        status = cm_folder_walk(&parts->folder, see_file, parts, error);
    if (status != CM_OK)
        return status;
    parts->last = parts->committed = parts->found.number;
    parts->has_thread = pthread_create(&parts->thread, NULL, cm_parts_work, parts) == 0;
    return parts->has_thread ? CM_OK : cm_error_memory(error, "a thread", sizeof *parts);
}

cm_status cm_parts_open(const char *path, const char *option, cm_parts **parts, cm_error *error)
{
    cm_parts *made = calloc(1, sizeof *made);
    if (made == NULL)
        return cm_error_memory(error, "a checkpoint", sizeof *made);
    made->end = &made->first;
    CM_CHECK(pthread_mutex_init(&made->mutex, NULL) == 0);
    CM_CHECK(pthread_cond_init(&made->work, NULL) == 0);
    CM_CHECK(pthread_cond_init(&made->rest, NULL) == 0);
    cm_status status = open_parts(made, path, option, error);
    if (status == CM_OK)
        *parts = made;
    else
        cm_parts_close(made);
    return status;
}

void cm_parts_close(cm_parts *parts)
{
    if (parts == NULL)
        return;
    pthread_mutex_lock(&parts->mutex);
    parts->is_closing = true;
    pthread_cond_signal(&parts->work);
    pthread_mutex_unlock(&parts->mutex);
    if (parts->has_thread)
        (void)pthread_join(parts->thread, NULL);
    for (size_t i = 0; i < CM_PARTS_SPARES; i++)
        cm_buffer_destroy(&parts->spares[i]);
    cm_part_table_destroy(&parts->table);
    cm_buffer_destroy(&parts->manifest);
    cm_folder_close(&parts->folder);
    (void)pthread_cond_destroy(&parts->rest);
    (void)pthread_cond_destroy(&parts->work);
    (void)pthread_mutex_destroy(&parts->mutex);
    free(parts);
}

uint64_t cm_parts_found(const cm_parts *parts, cm_slice *manifest)
{
    *manifest = parts->found.bytes;
    return parts->found.number;
}

cm_status cm_parts_read(cm_parts *parts, const char *name, cm_buffer *bytes, cm_error *error)
{
    char file[CM_FOLDER_NAME_MAX];
    uint64_t checksum = 0;
    bool found = false;
    const cm_part *part = cm_part_find(&parts->table, name);
    if (part == NULL)
        return damaged(parts, CM_MANIFEST, "does not name all that it should", error);
    cm_part_file(part, file);
    cm_status status = cm_folder_read(&parts->folder, file, bytes, &checksum, &found, error);
    if (status != CM_OK)
        return status;
    if (!found)
        return damaged(parts, file, "missing", error);
    if (bytes->size != part->size || checksum != part->checksum)
        return damaged(parts, file, "its checksum is another", error);
    return CM_OK;
}

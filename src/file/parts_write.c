/* The thread that writes parts and makes commits. */
#include <stdio.h>

#include "file/parts_state.h"
#include "util/turns.h"

void cm_part_file(const cm_part *part, char file[CM_FOLDER_NAME_MAX])
{
    (void)snprintf(file, CM_FOLDER_NAME_MAX, "%s%s", part->name, CM_PART_ENDING);
}

static void fail(cm_parts *parts, const cm_error *error)
{
    if (parts->error.code == CM_OK)
        parts->error = *error;
}

static void keep_spare(cm_parts *parts, cm_buffer *bytes)
{
    for (size_t i = 0; i < CM_PARTS_SPARES && bytes->data != NULL; i++) {
        if (parts->spares[i].data != NULL)
            continue;
        parts->spares[i] = *bytes;
        parts->spares[i].size = 0;
        *bytes = (cm_buffer){0};
    }
}

static void write_part(cm_parts *parts, cm_parts_job *job)
{
    cm_error error;
    uint64_t checksum = 0;
    char file[CM_FOLDER_NAME_MAX];
    cm_part_file(job->part, file);
    cm_status status = cm_folder_write(
        &parts->folder, file, cm_slice_of(job->bytes.data, job->bytes.size), &checksum, &error);
    pthread_mutex_lock(&parts->mutex);
    job->part->size = job->bytes.size;
    job->part->checksum = checksum;
    job->part->state = status == CM_OK ? CM_PART_WRITTEN : CM_PART_FAILED;
    parts->waiting--;
    if (status != CM_OK)
        fail(parts, &error);
    keep_spare(parts, &job->bytes);
    pthread_mutex_unlock(&parts->mutex);
}

/* The part that could not be written, if any. */
static const cm_part *missing_part(cm_parts *parts, const cm_parts_job *job)
{
    const cm_part *missing = NULL;
    pthread_mutex_lock(&parts->mutex);
    for (size_t i = 0; i < job->count && missing == NULL; i++)
        if (job->needs[i]->state != CM_PART_WRITTEN)
            missing = job->needs[i];
    pthread_mutex_unlock(&parts->mutex);
    return missing;
}

/* Names of parts must be safe before the manifest's is. */
static cm_status write_manifest(cm_parts *parts, const cm_parts_job *job, cm_error *error)
{
    cm_buffer file = {0};
    const cm_manifest manifest = {job->number, cm_slice_of(job->bytes.data, job->bytes.size)};
    cm_status status = CM_OK;
    const cm_part *missing = missing_part(parts, job);
    if (missing != NULL)
        status = cm_error_set(error, CM_ERROR_IO,
                              "%s: commit %llu is left out, as its part %s could not be written; "
                              "the one before it stays, and the next is tried",
                              parts->folder.path, (unsigned long long)job->number, missing->name);
    else if (!cm_manifest_write(&manifest, job->needs, job->count, &file))
        status = cm_error_memory(error, "a manifest", file.size);
    if (status == CM_OK)
        status = cm_folder_sync(&parts->folder, error);
    if (status == CM_OK)
        status = cm_folder_write(&parts->folder, CM_MANIFEST, cm_slice_of(file.data, file.size),
                                 NULL, error);
    if (status == CM_OK)
        status = cm_folder_sync(&parts->folder, error);
    cm_buffer_destroy(&file);
    return status;
}

/* Take parts that neither this commit nor a later one names out of the table; those put after it
 * wait in the queue. Where memory is short they stay until the next commit. */
static size_t forget_others(cm_parts *parts, uint64_t number, cm_part ***others)
{
    cm_part *part, *next;
    size_t count = 0;
    pthread_mutex_lock(&parts->mutex);
    *others = calloc(HASH_COUNT(parts->table.parts) + 1, sizeof(cm_part *));
    HASH_ITER(hh, parts->table.parts, part, next)
    {
        if (*others == NULL || part->needed >= number || part->state == CM_PART_QUEUED)
            continue;
        HASH_DEL(parts->table.parts, part);
        (*others)[count++] = part;
    }
    pthread_mutex_unlock(&parts->mutex);
    return count;
}

static void drop_others(cm_parts *parts, uint64_t number)
{
    char file[CM_FOLDER_NAME_MAX];
    cm_part **others;
    size_t count = forget_others(parts, number, &others);
    for (size_t i = 0; i < count; i++) {
        cm_part_file(others[i], file);
        cm_folder_remove(&parts->folder, file);
        free(others[i]);
    }
    free(others);
}

static void make_commit(cm_parts *parts, const cm_parts_job *job)
{
    cm_error error;
    cm_status status = write_manifest(parts, job, &error);
    bool is_made = status == CM_OK;
    if (is_made && job->text_name != NULL)
        status = cm_folder_write(&parts->folder, job->text_name,
                                 cm_slice_of(job->text.data, job->text.size), NULL, &error);
    pthread_mutex_lock(&parts->mutex);
    if (is_made)
        parts->committed = job->number;
    if (status != CM_OK)
        fail(parts, &error);
    pthread_mutex_unlock(&parts->mutex);
    if (is_made)
        drop_others(parts, job->number);
}

void cm_parts_job_free(cm_parts_job *job)
{
    if (job == NULL)
        return;
    cm_buffer_destroy(&job->bytes);
    cm_buffer_destroy(&job->text);
    free(job->text_name);
    free(job->needs);
    free(job);
}

/* The next job; NULL at the end. The mutex is held. */
static cm_parts_job *take_job(cm_parts *parts)
{
    while (parts->first == NULL && !parts->is_closing)
        pthread_cond_wait(&parts->work, &parts->mutex);
    cm_parts_job *job = parts->first;
    if (job != NULL) {
        parts->first = job->next;
        if (parts->first == NULL)
            parts->end = &parts->first;
    }
    parts->is_busy = job != NULL;
    return job;
}

void *cm_parts_work(void *context)
{
    cm_parts *parts = context;
    cm_turns_step_back(); /* who puts parts has other things to do */
    for (;;) {
        pthread_mutex_lock(&parts->mutex);
        cm_parts_job *job = take_job(parts);
        pthread_mutex_unlock(&parts->mutex);
        if (job == NULL)
            return NULL;
        if (job->part != NULL)
            write_part(parts, job);
        else
            make_commit(parts, job);
        cm_parts_job_free(job);
        pthread_mutex_lock(&parts->mutex);
        parts->is_busy = false;
        pthread_cond_broadcast(&parts->rest);
        pthread_mutex_unlock(&parts->mutex);
    }
}

#include "file/parts.h"

#include <string.h>

#include "file/parts_state.h"

static void put_job(cm_parts *parts, cm_parts_job *job)
{
    *parts->end = job;
    parts->end = &job->next;
    pthread_cond_signal(&parts->work);
}

bool cm_parts_has(cm_parts *parts, const char *name)
{
    pthread_mutex_lock(&parts->mutex);
    const cm_part *part = cm_part_find(&parts->table, name);
    bool has = part != NULL && part->state != CM_PART_FAILED;
    pthread_mutex_unlock(&parts->mutex);
    return has;
}

bool cm_parts_has_room(cm_parts *parts)
{
    pthread_mutex_lock(&parts->mutex);
    bool has_room = parts->waiting < CM_PARTS_WAITING_MAX;
    pthread_mutex_unlock(&parts->mutex);
    return has_room;
}

/* A part of a name that is free, or whose writing failed. The mutex is held. */
static cm_status queue_part(cm_parts *parts, const char *name, cm_parts_job *job, cm_error *error)
{
    job->part = cm_part_find(&parts->table, name);
    if (job->part != NULL && job->part->state != CM_PART_FAILED)
        return cm_error_set(error, CM_ERROR_ARGUMENT, "there is a part %s already", name);
    if (job->part == NULL)
        job->part = cm_part_add(&parts->table, name);
    if (job->part == NULL)
        return cm_error_memory(error, "a part", sizeof *job->part);
    job->part->state = CM_PART_QUEUED;
    parts->waiting++;
    put_job(parts, job);
    return CM_OK;
}

static cm_status put_bytes(cm_parts *parts, const char *name, cm_buffer *bytes, cm_error *error)
{
    if (!cm_part_name_is_good(name))
        return cm_error_set(error, CM_ERROR_ARGUMENT, "%s is no name of a part", name);
    cm_parts_job *job = calloc(1, sizeof *job);
    if (job == NULL)
        return cm_error_memory(error, "a part", sizeof *job);
    job->bytes = *bytes;
    *bytes = (cm_buffer){0};
    pthread_mutex_lock(&parts->mutex);
    cm_status status = queue_part(parts, name, job, error);
    pthread_mutex_unlock(&parts->mutex);
    if (status != CM_OK)
        cm_parts_job_free(job);
    return status;
}

cm_status cm_parts_put(cm_parts *parts, const char *name, cm_buffer *bytes, cm_error *error)
{
    cm_status status = put_bytes(parts, name, bytes, error);
    cm_buffer_destroy(bytes);
    return status;
}

cm_buffer cm_parts_take_spare(cm_parts *parts)
{
    cm_buffer spare = {0};
    pthread_mutex_lock(&parts->mutex);
    for (size_t i = 0; i < CM_PARTS_SPARES && spare.data == NULL; i++) {
        spare = parts->spares[i];
        parts->spares[i] = (cm_buffer){0};
    }
    pthread_mutex_unlock(&parts->mutex);
    return spare;
}

/* ---- commit ---- */

static cm_parts_job *create_commit(const cm_commit *commit)
{
    cm_parts_job *job = calloc(1, sizeof *job);
    if (job == NULL)
        return NULL;
    job->count = commit->count;
    job->needs = calloc(commit->count + 1, sizeof(cm_part *));
    cm_buffer_append_slice(&job->bytes, commit->manifest);
    cm_buffer_append_slice(&job->text, commit->text);
    if (commit->text_name != NULL)
        job->text_name = strdup(commit->text_name);
    if (job->needs != NULL && !job->bytes.failed && !job->text.failed &&
        (commit->text_name == NULL || job->text_name != NULL))
        return job;
    cm_parts_job_free(job);
    return NULL;
}

/* The mutex is held. */
static cm_status queue_commit(cm_parts *parts, const cm_commit *commit, cm_parts_job *job,
                              cm_error *error)
{
    for (size_t i = 0; i < commit->count; i++) {
        job->needs[i] = cm_part_find(&parts->table, commit->names[i]);
        if (job->needs[i] == NULL || job->needs[i]->state == CM_PART_FAILED)
            return cm_error_set(error, CM_ERROR_ARGUMENT, "there is no part %s", commit->names[i]);
    }
    job->number = ++parts->last;
    for (size_t i = 0; i < commit->count; i++)
        job->needs[i]->needed = job->number;
    put_job(parts, job);
    return CM_OK;
}

static bool is_text_name(const char *name)
{
    return name == NULL ||
           (strlen(name) < CM_FOLDER_NAME_MAX && strchr(name, '/') == NULL && name[0] != '.' &&
            strcmp(name, CM_MANIFEST) != 0 && strcmp(name, CM_FOLDER_LOCK) != 0 &&
            !cm_folder_ends_with(name, CM_PART_ENDING) &&
            !cm_folder_ends_with(name, CM_FOLDER_TEMPORARY));
}

cm_status cm_parts_commit(cm_parts *parts, const cm_commit *commit, uint64_t *number,
                          cm_error *error)
{
    if (!is_text_name(commit->text_name))
        return cm_error_set(error, CM_ERROR_ARGUMENT, "%s is no name of a text", commit->text_name);
    cm_parts_job *job = create_commit(commit);
    if (job == NULL)
        return cm_error_memory(error, "a commit", commit->manifest.size);
    pthread_mutex_lock(&parts->mutex);
    cm_status status = queue_commit(parts, commit, job, error);
    if (status == CM_OK && number != NULL)
        *number = parts->last;
    pthread_mutex_unlock(&parts->mutex);
    if (status != CM_OK)
        cm_parts_job_free(job);
    return status;
}

uint64_t cm_parts_committed(cm_parts *parts)
{
    pthread_mutex_lock(&parts->mutex);
    uint64_t committed = parts->committed;
    pthread_mutex_unlock(&parts->mutex);
    return committed;
}

static bool is_idle(const cm_parts *parts)
{
    return parts->first == NULL && !parts->is_busy;
}

bool cm_parts_is_idle(cm_parts *parts)
{
    pthread_mutex_lock(&parts->mutex);
    bool idle = is_idle(parts);
    pthread_mutex_unlock(&parts->mutex);
    return idle;
}

/* The mutex is held. */
static cm_status tell(cm_parts *parts, cm_error *error)
{
    cm_status status = parts->error.code;
    if (status != CM_OK && error != NULL)
        *error = parts->error;
    parts->error.code = CM_OK;
    return status;
}

cm_status cm_parts_trouble(cm_parts *parts, cm_error *error)
{
    pthread_mutex_lock(&parts->mutex);
    cm_status status = tell(parts, error);
    pthread_mutex_unlock(&parts->mutex);
    return status;
}

cm_status cm_parts_wait(cm_parts *parts, cm_error *error)
{
    pthread_mutex_lock(&parts->mutex);
    while (!is_idle(parts))
        pthread_cond_wait(&parts->rest, &parts->mutex);
    cm_status status = tell(parts, error);
    pthread_mutex_unlock(&parts->mutex);
    return status;
}

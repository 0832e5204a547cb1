#include "cmd/metrics_file.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "file/output.h"
#include "util/error.h"

struct cm_metrics_file {
    const char *path;
    cm_metrics_render render;
    void *context;
    pthread_t thread;
    pthread_mutex_t mutex; /* of what follows */
    pthread_cond_t changed;
    bool is_stopping;
    bool is_due;     /* there is something newer than the file */
    bool is_failing; /* the last write failed */
    bool is_told;    /* and the caller knows */
    cm_error trouble;
};

/* Replace the file. */
static cm_status put(cm_metrics_file *file, cm_error *error)
{
    static const cm_output_options options = {
        .option = "--metrics", .is_public = true, .is_unsynced = true};
    cm_output *output;
    cm_buffer text = {0};
    cm_status status = cm_output_open(file->path, &options, &output, error);
    if (status != CM_OK)
        return status;
    file->render(file->context, &text);
    cm_sink *sink = cm_output_sink(output);
    status = text.failed ? cm_error_memory(error, "metrics", text.size)
                         : sink->write(sink->context, text.data, text.size, error);
    cm_buffer_destroy(&text);
    if (status == CM_OK)
        return cm_output_commit(output, error);
    cm_output_abort(output);
    return status;
}

/* Wait a second, or until the end. The mutex is held. */
static void pause_between(cm_metrics_file *file)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec++;
    int outcome = 0;
    while (!file->is_stopping && outcome == 0)
        outcome = pthread_cond_timedwait(&file->changed, &file->mutex, &until);
}

static void *run(void *context)
{
    cm_metrics_file *file = context;
    (void)pthread_mutex_lock(&file->mutex);
    for (;;) {
        pause_between(file);
        while (!file->is_stopping && !file->is_due)
            (void)pthread_cond_wait(&file->changed, &file->mutex);
        if (!file->is_due)
            break;
        file->is_due = false;
        (void)pthread_mutex_unlock(&file->mutex);
        cm_error trouble;
        cm_status status = put(file, &trouble);
        (void)pthread_mutex_lock(&file->mutex);
        if (status != CM_OK && !file->is_failing)
            file->trouble = trouble;
        file->is_failing = status != CM_OK;
        file->is_told &= file->is_failing;
    }
    (void)pthread_mutex_unlock(&file->mutex);
    return NULL;
}

/* Signals are for the thread that began. */
static int start(cm_metrics_file *file)
{
    sigset_t all, before;
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int number = pthread_create(&file->thread, NULL, run, file);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return number;
}

/* A file that is replaced; a pipe or device would not be. */
static cm_status check_kind(const char *path, cm_error *error)
{
    struct stat status;
    if (stat(path, &status) != 0 || S_ISREG(status.st_mode))
        return CM_OK;
    return cm_error_set(error, CM_ERROR_IO,
                        "%s: is no regular file; give --metrics a file that may be replaced, or "
                        ":PORT",
                        path);
}

static cm_status init_lock(cm_metrics_file *file, cm_error *error)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0)
        return cm_error_memory(error, "a lock", sizeof file->changed);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    int number = pthread_cond_init(&file->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    if (number == 0 && (number = pthread_mutex_init(&file->mutex, NULL)) != 0)
        (void)pthread_cond_destroy(&file->changed);
    return number == 0 ? CM_OK : cm_error_memory(error, "a lock", sizeof file->changed);
}

static void destroy(cm_metrics_file *file)
{
    (void)pthread_cond_destroy(&file->changed);
    (void)pthread_mutex_destroy(&file->mutex);
    free(file);
}

cm_status cm_metrics_file_open(const char *path, cm_metrics_render render, void *context,
                               cm_metrics_file **file, cm_error *error)
{
    cm_status status = check_kind(path, error);
    if (status != CM_OK)
        return status;
    cm_metrics_file *made = calloc(1, sizeof *made);
    if (made == NULL)
        return cm_error_memory(error, "metrics", sizeof *made);
    made->path = path;
    made->render = render;
    made->context = context;
    status = init_lock(made, error);
    if (status != CM_OK) {
        free(made);
        return status;
    }
    status = put(made, error);
    if (status == CM_OK && start(made) != 0)
        status = cm_error_memory(error, "a thread for metrics", sizeof *made);
    if (status != CM_OK) {
        destroy(made);
        return status;
    }
    *file = made;
    return CM_OK;
}

cm_status cm_metrics_file_wake(cm_metrics_file *file, cm_error *error)
{
    cm_status status = CM_OK;
    (void)pthread_mutex_lock(&file->mutex);
    file->is_due = true;
    (void)pthread_cond_signal(&file->changed);
    if (file->is_failing && !file->is_told) {
        file->is_told = true;
        status = file->trouble.code;
        if (error != NULL)
            *error = file->trouble;
    }
    (void)pthread_mutex_unlock(&file->mutex);
    return status;
}

void cm_metrics_file_close(cm_metrics_file *file)
{
    if (file == NULL)
        return;
    (void)pthread_mutex_lock(&file->mutex);
    file->is_stopping = true;
    (void)pthread_cond_signal(&file->changed);
    (void)pthread_mutex_unlock(&file->mutex);
    (void)pthread_join(file->thread, NULL);
    destroy(file);
}

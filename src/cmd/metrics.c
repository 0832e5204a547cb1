#include "cmd/metrics.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/clock.h"
#include "cmd/metrics_file.h"
#include "cmd/metrics_http.h"
#include "cmd/metrics_text.h"
#include "util/error.h"

#define PORT_DIGITS_MAX 5
#define HOST_BYTES 256
#define PLACE_BYTES (HOST_BYTES + 32)

struct cm_metrics {
    char *target;
    char place[PLACE_BYTES]; /* of HTTP */
    int64_t started_us;
    cm_metrics_file *file; /* this or the other */
    cm_metrics_http *http;
    pthread_mutex_t mutex; /* of the snapshot */
    cm_metrics_snapshot snapshot;
};

/* --- Rendering -------------------------------------------------------------------------------- */

/* Memory of the process; 0 where the system does not say. */
static uint64_t resident_bytes(void)
{
    unsigned long long total, resident;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return 0;
    bool is_read = fscanf(file, "%llu %llu", &total, &resident) == 2;
    (void)fclose(file);
    return is_read ? resident * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static void render(void *context, cm_buffer *text)
{
    cm_metrics *metrics = context;
    cm_metrics_process process = {.now_us = cm_clock_now_us(),
                                  .started_us = metrics->started_us,
                                  .rss_bytes = resident_bytes(),
                                  .core_seconds = cm_clock_core_seconds()};
    (void)pthread_mutex_lock(&metrics->mutex);
    cm_metrics_snapshot snapshot = metrics->snapshot;
    (void)pthread_mutex_unlock(&metrics->mutex);
    cm_metrics_text(&snapshot, &process, text);
}

/* --- Targets ---------------------------------------------------------------------------------- */

/* What a target names. */
typedef struct target_parts {
    bool is_port;
    uint16_t port;
    char host[HOST_BYTES]; /* "" for this machine */
} target_parts;

static cm_status refuse(const char *target, cm_error *error)
{
    return cm_error_set(
        error, CM_ERROR_USAGE,
        "--metrics '%.200s': neither a file nor a port; give FILE, :PORT, HOST:PORT or "
        "[ADDRESS]:PORT",
        target);
}

/* The digits of a port, at least one. */
static bool read_port(const char *digits, uint16_t *port)
{
    size_t size = strspn(digits, "0123456789");
    unsigned long number = strtoul(digits, NULL, 10);
    *port = (uint16_t)number;
    return size > 0 && size <= PORT_DIGITS_MAX && digits[size] == '\0' && number <= UINT16_MAX;
}

static cm_status read_target(const char *target, target_parts *parts, cm_error *error)
{
    const char *colon = strrchr(target, ':');
    *parts = (target_parts){0};
    if (target[0] == '\0' || strcmp(target, "-") == 0)
        return refuse(target, error);
    if (colon == NULL || strchr(target, '/') != NULL ||
        colon[1 + strspn(colon + 1, "0123456789")] != '\0')
        return CM_OK; /* a file */
    size_t size = (size_t)(colon - target);
    const char *host = target;
    bool is_bracketed = size >= 2 && target[0] == '[' && colon[-1] == ']';
    if (is_bracketed) {
        host++;
        size -= 2;
    }
    if (size >= sizeof parts->host || !read_port(colon + 1, &parts->port) ||
        (is_bracketed && size == 0) || (!is_bracketed && memchr(host, ':', size) != NULL))
        return refuse(target, error);
    memcpy(parts->host, host, size);
    parts->is_port = true;
    return CM_OK;
}

static cm_status open_http(cm_metrics *metrics, const target_parts *parts, cm_error *error)
{
    bool is_local = parts->host[0] == '\0';
    cm_status status = cm_metrics_http_open(is_local ? NULL : parts->host, parts->port, render,
                                            metrics, &metrics->http, error);
    if (status == CM_OK)
        (void)snprintf(metrics->place, sizeof metrics->place,
                       strchr(parts->host, ':') == NULL ? "http://%s:%u/metrics"
                                                        : "http://[%s]:%u/metrics",
                       is_local ? "127.0.0.1" : parts->host, cm_metrics_http_port(metrics->http));
    return status;
}

/* --- Public ----------------------------------------------------------------------------------- */

cm_status cm_metrics_open(const char *target, cm_metrics **metrics, cm_error *error)
{
    target_parts parts;
    cm_status status = read_target(target, &parts, error);
    if (status != CM_OK)
        return status;
    cm_metrics *made = calloc(1, sizeof *made);
    if (made == NULL)
        return cm_error_memory(error, "metrics", sizeof *made);
    made->started_us = cm_clock_now_us();
    made->target = strdup(target);
    if (made->target == NULL || pthread_mutex_init(&made->mutex, NULL) != 0) {
        free(made->target);
        free(made);
        return cm_error_memory(error, "metrics", sizeof *made);
    }
    status = parts.is_port ? open_http(made, &parts, error)
                           : cm_metrics_file_open(made->target, render, made, &made->file, error);
    if (status == CM_OK)
        *metrics = made;
    else
        cm_metrics_close(made);
    return status;
}

cm_status cm_metrics_publish(cm_metrics *metrics, const cm_stream_figures *figures, cm_error *error)
{
    cm_metrics_snapshot taken;
    cm_metrics_snapshot_take(&taken, figures);
    (void)pthread_mutex_lock(&metrics->mutex);
    metrics->snapshot = taken;
    (void)pthread_mutex_unlock(&metrics->mutex);
    if (metrics->http != NULL)
        cm_metrics_http_tend(metrics->http);
    return metrics->file == NULL ? CM_OK : cm_metrics_file_wake(metrics->file, error);
}

const char *cm_metrics_place(const cm_metrics *metrics)
{
    return metrics->http == NULL ? metrics->target : metrics->place;
}

uint16_t cm_metrics_port(const cm_metrics *metrics)
{
    return metrics->http == NULL ? 0 : cm_metrics_http_port(metrics->http);
}

void cm_metrics_close(cm_metrics *metrics)
{
    if (metrics == NULL)
        return;
    cm_metrics_file_close(metrics->file);
    cm_metrics_http_close(metrics->http);
    (void)pthread_mutex_destroy(&metrics->mutex);
    free(metrics->target);
    free(metrics);
}

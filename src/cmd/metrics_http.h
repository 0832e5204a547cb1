/*
 * Metrics over HTTP, by libmicrohttpd, in a thread of its own for each address. One answer a
 * connection, few connections, little patience: who scrapes can do no harm.
 */
#ifndef CM_CMD_METRICS_HTTP_H
#define CM_CMD_METRICS_HTTP_H

#include "cmd/metrics_file.h"

typedef struct cm_metrics_http cm_metrics_http;

/**
 * Listen.
 *
 * @param host     a name or an address; NULL for this machine only (127.0.0.1, and ::1 where there
 *                 is one)
 * @param port     0: any that is free
 * @param context  of render; borrowed until close
 * @param http     receives it; ended by cm_metrics_http_close
 * @return CM_OK, CM_ERROR_IO (the port is busy, no such address) or CM_ERROR_MEMORY
 */
cm_status cm_metrics_http_open(const char *host, uint16_t port, cm_metrics_render render,
                               void *context, cm_metrics_http **http, cm_error *error);

/** The port that is listened on. */
uint16_t cm_metrics_http_port(const cm_metrics_http *http);

/** End connections that have lasted too long, however busy. Called now and then, by one thread. */
void cm_metrics_http_tend(cm_metrics_http *http);

/** Stop listening; connections end. NULL is allowed. */
void cm_metrics_http_close(cm_metrics_http *http);

#endif

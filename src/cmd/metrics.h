/*
 * --metrics: the figures of a stream for Prometheus, as a file for node_exporter's textfile
 * collector, or over HTTP. The stream publishes them; other threads render, write and answer, so
 * that publishing never waits for a disk or a network.
 */
#ifndef CM_CMD_METRICS_H
#define CM_CMD_METRICS_H

#include "cmd/stream_figures.h"

typedef struct cm_metrics cm_metrics;

/**
 * Begin: write the file for the first time, or listen. Signals stay blocked in the threads that
 * this starts. The program ignores SIGPIPE.
 *
 * @param target   `FILE`, `:PORT` (this machine only), `HOST:PORT`, `[ADDRESS]:PORT`; what ends
 *                 with a colon and digits and has no slash is a port, 0 picks one. Copied.
 * @param metrics  receives it; ended by cm_metrics_close
 * @return CM_OK; CM_ERROR_USAGE (neither file nor port); CM_ERROR_IO (the file cannot be written,
 * the port is busy); CM_ERROR_MEMORY
 */
cm_status cm_metrics_open(const char *target, cm_metrics **metrics, cm_error *error);

/**
 * Take the figures of this moment: a copy, some microseconds. Call it a few times a second, also
 * when nothing happens: it ends connections that hang, too. The file is written by another thread,
 * at most once a second.
 *
 * @param figures  copied, with what they borrow
 * @return CM_OK, or CM_ERROR_IO or CM_ERROR_MEMORY where the file could not be written: told once,
 * until it is written again; no reason to stop
 * Threads: one at a time, the one that owns the histogram.
 */
cm_status cm_metrics_publish(cm_metrics *metrics, const cm_stream_figures *figures,
                             cm_error *error);

/** Where they are, for the log: "http://127.0.0.1:9464/metrics", or the file. */
const char *cm_metrics_place(const cm_metrics *metrics);

/** The port that is listened on; 0 for a file. */
uint16_t cm_metrics_port(const cm_metrics *metrics);

/** End: write what was published last, or stop listening. The file stays. NULL is allowed. */
void cm_metrics_close(cm_metrics *metrics);

#endif

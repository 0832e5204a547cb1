/*
 * Metrics as a file for node_exporter's textfile collector: replaced whole, at most once a second,
 * by a thread of its own, so that a slow disk holds nobody up.
 */
#ifndef CM_CMD_METRICS_FILE_H
#define CM_CMD_METRICS_FILE_H

#include "util/buffer.h"

typedef struct cm_metrics_file cm_metrics_file;

/** Append the text of the moment; called by any thread. The buffer says if memory was short. */
typedef void (*cm_metrics_render)(void *context, cm_buffer *text);

/**
 * Write the file for the first time and start the thread.
 *
 * @param path     borrowed until close
 * @param context  of render; borrowed until close
 * @param file     receives it; ended by cm_metrics_file_close
 * @return CM_OK, CM_ERROR_IO (it cannot be written, or is no regular file) or CM_ERROR_MEMORY
 */
cm_status cm_metrics_file_open(const char *path, cm_metrics_render render, void *context,
                               cm_metrics_file **file, cm_error *error);

/**
 * Have it written when a second has passed since the last time. Does not wait.
 *
 * @return CM_OK, or why it could not be written last time: told once, until it is written again
 */
cm_status cm_metrics_file_wake(cm_metrics_file *file, cm_error *error);

/** Write what there is a last time, and end. The file stays. NULL is allowed. */
void cm_metrics_file_close(cm_metrics_file *file);

#endif

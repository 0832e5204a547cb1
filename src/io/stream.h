/* Where bytes come from and go to: the seam between codecs and files, sockets or memory. */
#ifndef CM_IO_STREAM_H
#define CM_IO_STREAM_H

#include "clickmatch.h"

/** A source of bytes. */
typedef struct cm_source {
    void *context;
    const char *name; /* for messages: a file name, "standard input" */
    /**
     * Read up to size bytes.
     *
     * @param got  receives the number read; 0 only at the end
     * @return CM_OK, CM_ERROR_IO or CM_ERROR_FORMAT (damaged compression), error filled
     */
    cm_status (*read)(void *context, char *buffer, size_t size, size_t *got, cm_error *error);
    /** Bytes taken from the underlying file so far, and its size (0 if unknown): for progress. May
     * be NULL. */
    void (*progress)(void *context, uint64_t *done, uint64_t *total);
} cm_source;

/** A sink of bytes. */
typedef struct cm_sink {
    void *context;
    const char *name;
    cm_status (*write)(void *context, const char *bytes, size_t size, cm_error *error);
} cm_sink;

#endif

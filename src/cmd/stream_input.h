/* The events of a stream as blocks of whole lines, as soon as they are there. */
#ifndef CM_CMD_STREAM_INPUT_H
#define CM_CMD_STREAM_INPUT_H

#include "file/input.h"
#include "io/blocks.h"

/** What is done while nothing is there to read. */
typedef struct cm_stream_pause {
    /**
     * Called before waiting, and again each time that something ends it.
     *
     * @param timeout_ms  receives how long to wait at most; negative: for ever
     * @return a failure ends the reading
     */
    cm_status (*wait)(void *context, int *timeout_ms, cm_error *error);
    void *context;
} cm_stream_pause;

/** Its address must not change while it is open. */
typedef struct cm_stream_input {
    cm_input file;
    cm_source guarded, unpacked;
    cm_stream_pause pause;
    bool pause_failed; /* it was not the reading */
    cm_block_reader reader;
    cm_block block;   /* the last one */
    uint64_t line;    /* of its first line; the taker moves it on */
    uint64_t read_ns; /* cm_clock_ns when its last bytes came, */
    size_t got;       /* and how many those were */
} cm_stream_input;

/** Open a file, a pipe, or - for standard input. The writer of a named pipe may come later. */
cm_status cm_stream_input_open(const char *path, const cm_stream_pause *pause,
                               cm_stream_input *input, cm_error *error);

/**
 * The next block; of size 0 at the end.
 *
 * @return CM_OK, CM_ERROR_INTERRUPTED (what came whole before was handed out), CM_ERROR_IO,
 * CM_ERROR_FORMAT, CM_ERROR_MEMORY or what the pause returned
 */
cm_status cm_stream_input_next(cm_stream_input *input, cm_error *error);

/** Zero-initialised is allowed. */
void cm_stream_input_close(cm_stream_input *input);

#endif

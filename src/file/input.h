/* Files and standard input as sources of bytes. */
#ifndef CM_FILE_INPUT_H
#define CM_FILE_INPUT_H

#include "io/stream.h"

/** An open input. Its address must not change while the source is in use. */
typedef struct cm_input {
    cm_source source; /* give it to cm_unpack_create or read it as it is */
    int fd;
    uint64_t done, total; /* bytes read so far; size of the file, 0 if unknown */
} cm_input;

/**
 * Open a file, or standard input for "-". A named pipe is not waited for: it is ready to read, as
 * poll(2) says, when its writer has come, and reading it before that is its end.
 *
 * @param path   borrowed until close; names the source in messages ("-" is "standard input")
 * @param input  receives the input; closed with cm_input_close
 * @return CM_OK or CM_ERROR_IO: what is wrong with which file and what to do
 */
cm_status cm_input_open(const char *path, cm_input *input, cm_error *error);

/** Close; standard input stays open. */
void cm_input_close(cm_input *input);

#endif

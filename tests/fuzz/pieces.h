/* Bytes as a source that gives them out in pieces. */
#ifndef FUZZ_PIECES_H
#define FUZZ_PIECES_H

#include <string.h>

#include "io/stream.h"
#include "util/slice.h"

typedef struct fuzz_pieces {
    cm_slice left;
    size_t piece_bytes; /* at most */
} fuzz_pieces;

/* For cm_source.read; context: a fuzz_pieces. */
static inline cm_status fuzz_pieces_read(void *context, char *buffer, size_t size, size_t *got,
                                         cm_error *error)
{
    (void)error;
    fuzz_pieces *p = context;
    *got = p->piece_bytes < p->left.size ? p->piece_bytes : p->left.size;
    *got = *got < size ? *got : size;
    if (*got == 0) /* of nothing there is no data either */
        return CM_OK;
    memcpy(buffer, p->left.data, *got);
    p->left = cm_slice_of(p->left.data + *got, p->left.size - *got);
    return CM_OK;
}

#endif

/* Rows of bytes in memory, read in any way that a run may come to read them. */
#ifndef FUZZ_ROWS_H
#define FUZZ_ROWS_H

#include "io/blocks.h"
#include "util/buffer.h"

/** How to read. */
typedef struct fuzz_reading {
    cm_row_kind kind;
    cm_block_options options;
    size_t piece_bytes;           /* that the source gives at a time */
    const cm_mark_kernel *kernel; /* NULL: the best there is */
    /** Is shown each row; NULL. */
    void (*visit)(void *context, const cm_layout *layout, const char *block, const cm_row *row);
    void *context;
} fuzz_reading;

/**
 * Read all, and append what each row is: its place, and its values or what is wrong.
 *
 * @return what opening gave
 */
cm_status fuzz_rows_read(cm_slice bytes, const fuzz_reading *how, cm_buffer *said);

/** Fails where bytes are not the same rows at a level of vectors and cut in some way, both of which
 * the choice chooses. said receives what they are. */
cm_status fuzz_rows_try(cm_slice bytes, const fuzz_reading *how, unsigned choice, cm_buffer *said);

/** Fails where the record that is made of a row breaks a rule. */
void fuzz_rows_build(cm_row_kind kind, const cm_value *values, cm_arena *arena);

#endif

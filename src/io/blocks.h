/*
 * A stream of bytes as blocks of whole rows, in bounded memory. Reading is serial (callers hold a
 * lock around cm_block_reader_next); the blocks are then split into rows side by side.
 */
#ifndef CM_IO_BLOCKS_H
#define CM_IO_BLOCKS_H

#include "io/rows.h"
#include "io/stream.h"

#define CM_BLOCK_BYTES ((size_t)2 << 20)

/**
 * Whole rows. Zero-initialised is empty and ready; used again for each block, freed with
 * cm_block_destroy.
 *
 * Of a row that does not fit a block only the first CM_ROW_BYTES_MAX + 1 bytes are here, as a block
 * of its own, which the row reader finds longer than a row may be; the rest was skipped.
 */
typedef struct cm_block {
    char *data;
    size_t size;            /* bytes of data; 0 at the end of the input */
    size_t capacity;        /* bytes allocated */
    uint64_t offset;        /* of data[0] in the unpacked input */
    uint64_t lines_skipped; /* line ends between this block and the next: add to the lines the row
                               reader counts */
} cm_block;

void cm_block_destroy(cm_block *block);

/** How to read. Zero means the default. */
typedef struct cm_block_options {
    size_t block_bytes; /* default CM_BLOCK_BYTES; a block grows beyond where a row needs it, to a
                           fixed bound */
    bool
        eager; /* hand out rows as soon as they are there, not only full blocks: for live streams */
    bool is_ndjson; /* known to be: opening reads nothing, and an empty input has no rows */
} cm_block_options;

/** Opaque in use: go through the functions. One per source; one thread at a time. */
typedef struct cm_block_reader {
    cm_source *source;
    cm_block_options options;
    cm_layout layout; /* of the input, after open; blocks' row readers use it */
    uint64_t
        first_line; /* line number of the first row's line, counted from 1: 2 after a CSV header */
    cm_cutter cutter;
    char *rest; /* read, but not yet handed out; begins at a row's first byte */
    size_t rest_size, rest_capacity;
    uint64_t offset; /* of the rest's first byte in the unpacked input */
    bool ended;      /* the source has no more */
} cm_block_reader;

/**
 * Read the start of a source and recognise its layout.
 *
 * @param source   borrowed until close
 * @param options  copied; NULL for the defaults
 * @param reader   receives the reader; freed with cm_block_reader_close
 * @param error    names the source
 * @return CM_OK, CM_ERROR_FORMAT (see cm_layout_read), CM_ERROR_MEMORY or what the source returned;
 * needs no close on failure
 */
cm_status cm_block_reader_open(cm_source *source, cm_row_kind kind, const cm_block_options *options,
                               cm_block_reader *reader, cm_error *error);
void cm_block_reader_close(cm_block_reader *reader);

/**
 * The next block.
 *
 * @param block  receives it; size 0 at the end
 * @return CM_OK, CM_ERROR_MEMORY or what the source returned
 */
cm_status cm_block_reader_next(cm_block_reader *reader, cm_block *block, cm_error *error);

#endif

/*
 * Progress on a terminal, for work that takes over two seconds:
 * `load clicks  43 %  1,234,567 rows/s  12 s left`.
 */
#ifndef CM_CMD_PROGRESS_H
#define CM_CMD_PROGRESS_H

#include "cmd/log.h"
#include "io/stream.h"

#define CM_COUNT_BYTES 32 /* a 64-bit number with separators, and a NUL */

/** One thread at a time. */
typedef struct cm_progress {
    cm_log *log;
    double started_seconds; /* of the whole work */
    double drawn_seconds;
    const char *phase;
    double phase_seconds;    /* when it began */
    uint64_t phase_total;    /* bytes; 0 if unknown */
    uint64_t sources_done;   /* bytes of the phase's earlier sources */
    uint64_t rows_done;      /* rows of them */
    const cm_source *source; /* the one that is read; NULL for none */
} cm_progress;

void cm_progress_init(cm_progress *progress, cm_log *log);

/**
 * Begin a phase.
 *
 * @param name         static
 * @param bytes_total  of its sources; 0 if unknown
 */
void cm_progress_phase(cm_progress *progress, const char *name, uint64_t bytes_total);

/** Begin a source of the phase; it is borrowed until cm_progress_source_end. */
void cm_progress_source(cm_progress *progress, const cm_source *source);
void cm_progress_source_end(cm_progress *progress, uint64_t rows);

/** Draw, if it is time to. @param rows  of the source so far */
void cm_progress_update(cm_progress *progress, uint64_t rows);

/** Write a number with separators: 1,234,567. Returns room. */
const char *cm_count_text(uint64_t number, char room[CM_COUNT_BYTES]);

#endif

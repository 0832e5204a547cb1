/* Conversions from memory through an engine, by threads. Results stay in memory, a block at a time
 * for each thread, as whoever writes them would find them. */
#ifndef CM_CMD_BENCH_PASS_H
#define CM_CMD_BENCH_PASS_H

#include "clickmatch.h"

/** What a pass took. */
typedef struct cm_bench_pass_times {
    double seconds;
    double core_seconds; /* of all threads */
} cm_bench_pass_times;

/**
 * Match conversions once.
 *
 * @param threads   at least 1
 * @param outcomes  receives the method of each conversion; may be NULL
 * @param times     receives what it took
 * @return CM_OK, CM_ERROR_MEMORY or CM_ERROR_INTERRUPTED
 */
cm_status cm_bench_pass(const cm_engine *engine, const cm_conversion *conversions, size_t count,
                        unsigned threads, uint8_t *outcomes, cm_bench_pass_times *times,
                        cm_error *error);

#endif

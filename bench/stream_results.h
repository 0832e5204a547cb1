/*
 * What comes back: a line of a result for each conversion, in their order, with the conversion's
 * "seq". Each is looked for among those that are awaited, and may be timed.
 */
#ifndef STREAM_RESULTS_H
#define STREAM_RESULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/histogram.h"

#define STREAM_AWAITED_MAX ((uint64_t)1 << 22) /* a power of two */

/** Events that were due at fixed times. Zero-initialised: none was. */
typedef struct stream_schedule {
    uint64_t first_seq;
    uint64_t count;
    uint64_t start_ns; /* when the first was due */
    double step_ns;    /* from one to the next */
} stream_schedule;

/** Zero-initialised, then stream_results_init. */
typedef struct stream_results {
    int file; /* borrowed; does not block */
    bool ended;
    char *bytes; /* read, and not yet looked at */
    size_t size;
    uint64_t *awaited; /* seqs of conversions sent, a ring */
    uint64_t awaited_first, awaited_end;
    uint64_t right;     /* results that came when it was their turn */
    uint64_t missing;   /* passed over by a later one */
    uint64_t unordered; /* of an event that was not awaited: late, twice, of a click */
    uint64_t foreign;   /* lines without a seq */
    stream_schedule schedule;
    cm_histogram latency; /* in ns, of the schedule's events, from when they were due */
} stream_results;

void stream_results_init(stream_results *results, int file);
void stream_results_destroy(stream_results *results);

/** Await the results of these, in this order; to be called before they are sent. */
void stream_results_await(stream_results *results, const uint64_t *seqs, size_t count);

/** Read what is there. False where nothing was: nothing came, or (ended) nothing will. */
bool stream_results_read(stream_results *results);

/** How many are still to come. */
static inline uint64_t stream_results_awaited(const stream_results *results)
{
    return results->awaited_end - results->awaited_first;
}

/** When an event is due, by its place in the schedule, on the clock of cm_clock_ns. */
static inline uint64_t stream_due_ns(const stream_schedule *schedule, uint64_t place)
{
    return schedule->start_ns + (uint64_t)((double)place * schedule->step_ns);
}

#endif

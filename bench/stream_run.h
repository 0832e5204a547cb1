/*
 * Sending and reading, in one thread: whatever the pipe takes is written, whatever has come is
 * read, neither ever waits for the other. On two cores a thread for each would only take the core
 * from the other when it matters.
 */
#ifndef STREAM_RUN_H
#define STREAM_RUN_H

#include "stream_child.h"
#include "stream_results.h"
#include "stream_source.h"

/** Once a second. */
typedef struct stream_sample {
    double seconds;  /* since measuring began */
    uint64_t events; /* sent since then */
    stream_memory memory;
} stream_sample;

/** Zero-initialised, then stream_run_start. */
typedef struct stream_run {
    stream_child child;
    stream_source source;
    stream_results results;
    stream_chunk chunk;
    uint64_t sent; /* events, since the beginning */
    bool refused;  /* the pipe was full, and what was due then is not all sent */
    double pushed; /* seconds of the clock when the pipe last took something */
    stream_sample *samples;
    size_t sample_count, sample_capacity;
    double sample_start; /* seconds of the clock */
    uint64_t sample_sent;
    cm_histogram late; /* ns from due to sent, where the pipe was not full: our own doing */
} stream_run;

/** What a stretch of sending took. */
typedef struct stream_stretch {
    uint64_t events;
    double seconds;
    double core_seconds; /* of the command, all its threads */
    double own_core_seconds;
    double days; /* of event time */
} stream_stretch;

/** Start the command; to be done before a world is made: see stream_child_start. */
void stream_run_start(stream_run *run, char *const *command, int core);

/** What will be sent; borrowed for good. */
void stream_run_feed(stream_run *run, const stream_world *world);
void stream_run_destroy(stream_run *run);

/** Send as fast as the command takes it: at most so many events, for at most so many seconds. */
stream_stretch stream_run_full(stream_run *run, uint64_t events_max, double seconds_max);

/**
 * Send each event when it is due, or as soon after as the pipe takes it; wait for the results.
 *
 * @param rate      events a second
 * @param batch_us  how often those that are due are written, at most
 */
stream_stretch stream_run_at_rate(stream_run *run, uint64_t events, uint64_t rate,
                                  uint64_t batch_us);

/** Read until nothing is awaited any more, or nothing has come for a second. */
void stream_run_settle(stream_run *run);

/** End the command's input and read to the end. True where the command succeeded. */
bool stream_run_finish(stream_run *run);

#endif

/* What bench_stream is asked for. */
#ifndef STREAM_OPTIONS_H
#define STREAM_OPTIONS_H

#include <stdint.h>

#include "stream_world.h"

#define STREAM_COMMAND_WORDS_MAX 64

typedef enum stream_mode {
    STREAM_THROUGHPUT = 0,
    STREAM_LATENCY,
    STREAM_SLIDE,
    STREAM_GENERATOR,
    STREAM_STAND_IN,
} stream_mode;

typedef struct stream_options {
    stream_mode mode;
    stream_world_sizes sizes;
    uint64_t seconds; /* of measuring; 0: as many as the mode needs */
    uint64_t events;  /* of measuring, at most; 0: as many as come */
    uint64_t rate;    /* events a second, of latency */
    uint64_t batch_us;
    uint64_t event_ns; /* of a stand-in */
    int core;
    const char *json; /* a file; NULL: none */
    char *command[STREAM_COMMAND_WORDS_MAX + 1];
} stream_options;

extern const char *const stream_mode_names[];

/** Read them; ends the program where they make no sense, or ask for help. */
void stream_options_read(stream_options *options, int argc, char **argv);

#endif

/*
 * `clickmatch stream` from outside: what a window full of clicks costs in time and memory while
 * events go through it without end (docs/benchmark.md, "stream").
 */
#include <stdio.h>
#include <stdlib.h>

#include "cmd/clock.h"
#include "harness.h"
#include "stream_options.h"
#include "stream_report.h"
#include "stream_run.h"
#include "stream_stand_in.h"

#define SECONDS_MAX 1e9

/* The window, and a day more: what is forgotten from then on makes room for what comes. */
static uint64_t events_to_fill(const stream_world *world)
{
    uint64_t turn = world->clicks + world->conversions;
    return turn + turn / world->turn_days;
}

static stream_stretch measure(stream_run *run, const stream_options *options)
{
    uint64_t events = options->events > 0 ? options->events : UINT64_MAX;
    if (options->mode != STREAM_LATENCY)
        return stream_run_full(run, events, (double)options->seconds);
    if (events > options->rate * options->seconds)
        events = options->rate * options->seconds;
    return stream_run_at_rate(run, events, options->rate, options->batch_us);
}

static void make_world(stream_world *world, const stream_options *options)
{
    double start = cm_clock_seconds();
    stream_world_make(world, &options->sizes);
    (void)fprintf(stderr, "bench_stream: a world of %llu clicks and %llu conversions, in %.1f s\n",
                  (unsigned long long)world->clicks, (unsigned long long)world->conversions,
                  cm_clock_seconds() - start);
}

static bool run_it(stream_run *run, const stream_options *options, const stream_world *world)
{
    stream_outcome outcome;
    stream_run_feed(run, world);
    outcome.warm_up = stream_run_full(run, events_to_fill(world), SECONDS_MAX);
    if (options->mode == STREAM_LATENCY)
        stream_run_settle(run);
    outcome.measured = measure(run, options);
    if (options->mode != STREAM_GENERATOR)
        stream_run_settle(run);
    uint64_t right = run->results.right;
    outcome.succeeded = stream_run_finish(run);
    outcome.late_results = run->results.right - right;
    stream_report(run, options, &outcome);
    bool is_complete = stream_report_is_complete(run, options, &outcome);
    if (!is_complete)
        (void)fprintf(stderr, "bench_stream: the results are not those of the conversions\n");
    return is_complete;
}

int main(int argc, char **argv)
{
    stream_options options;
    stream_world world;
    stream_options_read(&options, argc, argv);
    if (options.mode == STREAM_STAND_IN) {
        stream_stand_in(options.event_ns);
        return EXIT_SUCCESS;
    }
    stream_run *run = bench_allocate(1, sizeof *run);
    stream_run_start(run, options.command, options.core);
    make_world(&world, &options);
    stream_child_leave_core(options.core);
    bool is_complete = run_it(run, &options, &world);
    stream_run_destroy(run);
    free(run);
    stream_world_destroy(&world);
    return is_complete ? EXIT_SUCCESS : EXIT_FAILURE;
}

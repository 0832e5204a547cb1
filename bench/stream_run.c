#include "stream_run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cmd/clock.h"
#include "harness.h"
#include "util/grow.h"

#define NAP_NS 200000   /* of a full pipe, what a fast command reads in it is a part */
#define QUIET_SECONDS 1 /* without a result: none comes before more is sent */
#define PATIENCE_SECONDS 60

void stream_run_start(stream_run *run, char *const *command, int core)
{
    stream_child_start(&run->child, command, core);
    stream_results_init(&run->results, run->child.output);
}

void stream_run_feed(stream_run *run, const stream_world *world)
{
    stream_source_init(&run->source, world);
}

void stream_run_destroy(stream_run *run)
{
    stream_results_destroy(&run->results);
    free(run->samples);
    run->samples = NULL;
}

static void nap(void)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, NULL);
}

/* --- Parts of a turn of the loop -------------------------------------------------------------- */

static void make(stream_run *run, uint64_t events_max)
{
    stream_source_fill(&run->source, &run->chunk, events_max);
    stream_results_await(&run->results, run->chunk.conversion_seqs, run->chunk.conversions);
    run->sent += run->chunk.events;
}

static bool is_sent(const stream_run *run)
{
    return run->chunk.at == run->chunk.size;
}

/* Write what the pipe takes of the chunk. False where it takes nothing. */
static bool push(stream_run *run)
{
    stream_chunk *chunk = &run->chunk;
    if (is_sent(run))
        return false;
    ssize_t size = write(run->child.input, chunk->bytes + chunk->at, chunk->size - chunk->at);
    if (size < 0 && errno != EAGAIN && errno != EINTR) {
        (void)stream_child_wait(&run->child);
        bench_fail("the command does not read to the end");
    }
    if (size > 0) {
        chunk->at += (size_t)size;
        run->pushed = cm_clock_seconds();
    } else if (cm_clock_seconds() - run->pushed > PATIENCE_SECONDS) {
        bench_fail("the command has read nothing for a minute");
    }
    if (!is_sent(run))
        run->refused = true;
    return size > 0;
}

static void sample(stream_run *run, double now)
{
    double seconds = now - run->sample_start;
    if (seconds < (double)run->sample_count)
        return;
    stream_sample *samples =
        cm_grow(run->samples, &run->sample_capacity, run->sample_count + 1, sizeof *samples);
    if (samples != NULL)
        samples[run->sample_count++] = (stream_sample){seconds, run->sent - run->sample_sent,
                                                       stream_child_memory(&run->child)};
    else
        bench_fail("memory is short");
    run->samples = samples;
}

/* --- Stretches -------------------------------------------------------------------------------- */

typedef struct mark {
    uint64_t sent;
    double seconds, own, days;
    uint64_t core_ns;
} mark;

static mark mark_now(const stream_run *run)
{
    return (mark){.sent = run->sent,
                  .seconds = cm_clock_seconds(),
                  .own = cm_clock_core_seconds(),
                  .days = stream_source_days(&run->source),
                  .core_ns = stream_child_core_ns(&run->child)};
}

/* Samples are those of the last stretch. */
static mark begin(stream_run *run)
{
    mark start = mark_now(run);
    run->pushed = start.seconds;
    run->sample_count = 0;
    run->sample_start = start.seconds;
    run->sample_sent = start.sent;
    return start;
}

static stream_stretch end(const stream_run *run, const mark *start)
{
    mark now = mark_now(run);
    return (stream_stretch){.events = now.sent - start->sent,
                            .seconds = now.seconds - start->seconds,
                            .core_seconds = (double)(now.core_ns - start->core_ns) / 1e9,
                            .own_core_seconds = now.own - start->own,
                            .days = now.days - start->days};
}

stream_stretch stream_run_full(stream_run *run, uint64_t events_max, double seconds_max)
{
    mark start = begin(run);
    for (;;) {
        uint64_t events = run->sent - start.sent;
        double now = cm_clock_seconds();
        sample(run, now);
        if (is_sent(run) && (events == events_max || now - start.seconds >= seconds_max))
            return end(run, &start);
        if (is_sent(run))
            make(run, events_max - events);
        bool moved = push(run);
        if (stream_results_read(&run->results))
            moved = true;
        if (!moved)
            nap();
    }
}

/* What is due now, made; once in a batch, and again while there is more than a chunk holds. */
static void make_due(stream_run *run, uint64_t first, uint64_t now_ns)
{
    const stream_schedule *schedule = &run->results.schedule;
    uint64_t sent = run->sent - first;
    uint64_t due = (uint64_t)((double)(now_ns - schedule->start_ns) / schedule->step_ns) + 1;
    if (due > schedule->count)
        due = schedule->count;
    if (due <= sent)
        return;
    if (!run->refused)
        cm_histogram_record(&run->late, now_ns - stream_due_ns(schedule, sent));
    make(run, due - sent);
    if (run->sent - first == due)
        run->refused = false;
}

stream_stretch stream_run_at_rate(stream_run *run, uint64_t events, uint64_t rate,
                                  uint64_t batch_us)
{
    mark start = begin(run);
    uint64_t batch_end_ns = 0;
    run->refused = false;
    run->results.schedule = (stream_schedule){.first_seq = run->source.seq,
                                              .count = events,
                                              .start_ns = cm_clock_ns(),
                                              .step_ns = 1e9 / (double)rate};
    while (run->sent - start.sent < events || !is_sent(run)) {
        uint64_t now_ns = cm_clock_ns();
        if (is_sent(run) && (run->refused || now_ns >= batch_end_ns)) {
            make_due(run, start.sent, now_ns);
            batch_end_ns = now_ns + batch_us * 1000;
        }
        (void)push(run);
        (void)stream_results_read(&run->results);
        sample(run, (double)now_ns / 1e9);
    }
    stream_stretch stretch = end(run, &start);
    stream_run_settle(run);
    return stretch;
}

void stream_run_settle(stream_run *run)
{
    double last = cm_clock_seconds();
    while (stream_results_awaited(&run->results) > 0 && !run->results.ended) {
        double now = cm_clock_seconds();
        if (stream_results_read(&run->results))
            last = now;
        else if (now - last > QUIET_SECONDS)
            break;
    }
}

bool stream_run_finish(stream_run *run)
{
    double last = cm_clock_seconds();
    stream_child_close_input(&run->child);
    while (!run->results.ended) {
        double now = cm_clock_seconds();
        if (stream_results_read(&run->results))
            last = now;
        else if (now - last > PATIENCE_SECONDS)
            break;
        else
            nap();
    }
    if (!run->results.ended) {
        (void)fprintf(stderr, "bench_stream: the command does not end after its input\n");
        (void)kill(run->child.process, SIGKILL);
    }
    run->results.missing += stream_results_awaited(&run->results);
    return stream_child_wait(&run->child);
}

#include "stream_results.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/clock.h"
#include "harness.h"

#define READ_BYTES ((size_t)1 << 20)

void stream_results_init(stream_results *results, int file)
{
    *results = (stream_results){.file = file};
    results->bytes = bench_allocate(READ_BYTES, 1);
    results->awaited = bench_allocate(STREAM_AWAITED_MAX, sizeof *results->awaited);
}

void stream_results_destroy(stream_results *results)
{
    free(results->bytes);
    free(results->awaited);
    results->bytes = NULL;
    results->awaited = NULL;
}

void stream_results_await(stream_results *results, const uint64_t *seqs, size_t count)
{
    if (stream_results_awaited(results) + count > STREAM_AWAITED_MAX)
        bench_fail("millions of conversions have had no result");
    for (size_t i = 0; i < count; i++)
        results->awaited[results->awaited_end++ % STREAM_AWAITED_MAX] = seqs[i];
}

static void record(stream_results *results, uint64_t seq, uint64_t now_ns)
{
    const stream_schedule *schedule = &results->schedule;
    uint64_t place = seq - schedule->first_seq;
    if (seq < schedule->first_seq || place >= schedule->count)
        return;
    uint64_t due_ns = stream_due_ns(schedule, place);
    cm_histogram_record(&results->latency, now_ns > due_ns ? now_ns - due_ns : 0);
}

static void take_seq(stream_results *results, uint64_t seq, uint64_t now_ns)
{
    const uint64_t *awaited = results->awaited;
    while (stream_results_awaited(results) > 0 &&
           awaited[results->awaited_first % STREAM_AWAITED_MAX] < seq) {
        results->awaited_first++;
        results->missing++;
    }
    if (stream_results_awaited(results) == 0 ||
        awaited[results->awaited_first % STREAM_AWAITED_MAX] != seq) {
        results->unordered++;
        return;
    }
    results->awaited_first++;
    results->right++;
    record(results, seq, now_ns);
}

static void take_line(stream_results *results, const char *line, size_t size, uint64_t now_ns)
{
    const char *at = memmem(line, size, "\"seq\":", 6);
    if (at == NULL) {
        results->foreign++;
        return;
    }
    uint64_t seq = 0;
    for (at += 6; *at == ' '; at++)
        ;
    for (; *at >= '0' && *at <= '9'; at++)
        seq = seq * 10 + (uint64_t)(*at - '0');
    take_seq(results, seq, now_ns);
}

bool stream_results_read(stream_results *results)
{
    if (results->ended)
        return false;
    ssize_t got = read(results->file, results->bytes + results->size, READ_BYTES - results->size);
    if (got < 0 && errno != EAGAIN && errno != EINTR)
        bench_fail("the results cannot be read");
    results->ended = got == 0;
    if (got <= 0)
        return false;
    uint64_t now_ns = cm_clock_ns();
    const char *at = results->bytes;
    const char *end = at + results->size + got;
    const char *line_end;
    while ((line_end = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        take_line(results, at, (size_t)(line_end - at), now_ns);
        at = line_end + 1;
    }
    results->size = (size_t)(end - at);
    memmove(results->bytes, at, results->size);
    if (results->size == READ_BYTES)
        bench_fail("a line of the results is longer than a mebibyte");
    return true;
}

#include "stream_stand_in.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/clock.h"
#include "harness.h"

#define BLOCK_BYTES ((size_t)256 << 10)

static void answer(const char *line, size_t size)
{
    static const char seq[] = "\"seq\":", conversion[] = "\"event\":\"conversion\"";
    const char *at = memmem(line, size, seq, sizeof seq - 1);
    if (at == NULL || memmem(line, size, conversion, sizeof conversion - 1) == NULL)
        return;
    at += sizeof seq - 1;
    size_t digits = strspn(at, "0123456789");
    if (printf("{\"seq\":%.*s}\n", (int)digits, at) < 0)
        bench_fail("the answers cannot be written");
}

static void work_until(uint64_t end_ns)
{
    while (cm_clock_ns() < end_ns)
        ;
}

/* Returns the bytes of lines that are whole. */
static size_t take_lines(const char *block, size_t size, uint64_t event_ns)
{
    const char *at = block, *end = block + size, *line_end;
    uint64_t time_ns = cm_clock_ns();
    while ((line_end = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        answer(at, (size_t)(line_end - at));
        at = line_end + 1;
        time_ns += event_ns;
        work_until(time_ns);
    }
    return (size_t)(at - block);
}

void stream_stand_in(uint64_t event_ns)
{
    static char block[BLOCK_BYTES];
    size_t size = 0;
    ssize_t got;
    while ((got = read(STDIN_FILENO, block + size, BLOCK_BYTES - size)) > 0) {
        size += (size_t)got;
        size_t taken = take_lines(block, size, event_ns);
        size -= taken;
        memmove(block, block + taken, size);
        if (fflush(stdout) != 0)
            bench_fail("the answers cannot be written");
    }
}

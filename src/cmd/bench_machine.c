#include "cmd/bench_machine.h"

#include <malloc.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#ifndef CM_BUILD_FLAGS /* given by the Makefile */
#define CM_BUILD_FLAGS "unknown"
#endif

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

#define LINE_BYTES 512
#define VALUE_BYTES 128

/* The value of a line "name : value" of a file of /proc; false where there is none. */
static bool read_value(const char *path, const char *name, char value[VALUE_BYTES])
{
    char line[LINE_BYTES];
    bool found = false;
    FILE *file = fopen(path, "r");
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
        size_t size = strlen(name);
        char *colon = strchr(line, ':');
        found = colon != NULL && strncmp(line, name, size) == 0 &&
                strspn(line + size, " \t") == (size_t)(colon - line) - size;
        if (found) {
            const char *text = colon + 1 + strspn(colon + 1, " \t");
            snprintf(value, VALUE_BYTES, "%.*s", (int)strcspn(text, "\n"), text);
        }
    }
    if (file != NULL)
        fclose(file);
    return found;
}

static uint64_t read_kib(const char *path, const char *name)
{
    char value[VALUE_BYTES];
    return read_value(path, name, value) ? strtoull(value, NULL, 10) * 1024 : 0;
}

static void read_processor(char value[VALUE_BYTES])
{
    if (!read_value("/proc/cpuinfo", "model name", value))
        snprintf(value, VALUE_BYTES, "unknown");
}

static void read_kernel(char value[VALUE_BYTES])
{
    struct utsname names;
    if (uname(&names) != 0)
        snprintf(value, VALUE_BYTES, "unknown");
    else
        snprintf(value, VALUE_BYTES, "%.40s %.60s %.20s", names.sysname, names.release,
                 names.machine);
}

static int cores(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

static uint64_t memory_bytes(void)
{
    return read_kib("/proc/meminfo", "MemTotal");
}

uint64_t cm_bench_memory_at_hand(void)
{
    return read_kib("/proc/meminfo", "MemAvailable");
}

uint64_t cm_bench_resident(void)
{
    malloc_trim(0);
    return read_kib("/proc/self/status", "VmRSS");
}

uint64_t cm_bench_heap(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

json_t *cm_bench_machine_json(void)
{
    char processor[VALUE_BYTES];
    char kernel[VALUE_BYTES];
    read_processor(processor);
    read_kernel(kernel);
    return json_pack("{s:s,s:i,s:I,s:s}", "processor", processor, "cores", cores(), "memory_bytes",
                     (json_int_t)memory_bytes(), "kernel", kernel);
}

json_t *cm_bench_build_json(void)
{
    return json_pack("{s:s,s:s,s:s}", "version", CM_VERSION, "compiler", COMPILER, "flags",
                     CM_BUILD_FLAGS);
}

void cm_bench_machine_text(cm_buffer *text)
{
    char processor[VALUE_BYTES];
    char kernel[VALUE_BYTES];
    char line[LINE_BYTES];
    read_processor(processor);
    read_kernel(kernel);
    snprintf(line, sizeof line, "machine  %s, %d cores, %.1f GiB, %s\n", processor, cores(),
             (double)memory_bytes() / (1 << 30), kernel);
    cm_buffer_append_text(text, line);
    cm_buffer_append_text(text, "build    clickmatch " CM_VERSION ", " COMPILER "\n");
    cm_buffer_append_text(text, "flags    " CM_BUILD_FLAGS "\n");
}

#include "stream_child.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"

#define PIPE_BYTES (1 << 20)

static void make_pipe(int *ends, int ours)
{
    if (pipe2(ends, O_CLOEXEC) != 0 || fcntl(ends[0], F_SETPIPE_SZ, PIPE_BYTES) < PIPE_BYTES ||
        fcntl(ends[ours], F_SETFL, O_NONBLOCK) != 0)
        bench_fail("there is no pipe of a mebibyte");
}

/* Of this thread, and of those and the processes that it starts. */
static void stay_on(const cpu_set_t *cores)
{
    if (sched_setaffinity(0, sizeof *cores, cores) != 0)
        bench_fail("the core is not to be had");
}

static _Noreturn void become(char *const *command, int input, int output, const cpu_set_t *core)
{
    if (core != NULL)
        stay_on(core);
    (void)signal(SIGPIPE, SIG_DFL);
    if (dup2(input, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0)
        (void)execvp(command[0], command);
    (void)fprintf(stderr, "bench_stream: %s cannot be started: %s\n", command[0], strerror(errno));
    _exit(127);
}

void stream_child_leave_core(int core)
{
    cpu_set_t others;
    if (core == STREAM_NO_CORE)
        return;
    if (sched_getaffinity(0, sizeof others, &others) != 0)
        bench_fail("the cores are not told");
    CPU_CLR((size_t)core, &others);
    if (CPU_COUNT(&others) > 0)
        stay_on(&others);
}

void stream_child_start(stream_child *child, char *const *command, int core)
{
    int input[2], output[2];
    cpu_set_t one;
    make_pipe(input, 1);
    make_pipe(output, 0);
    if (core != STREAM_NO_CORE) {
        CPU_ZERO(&one);
        CPU_SET((size_t)core, &one);
    }
    (void)signal(SIGPIPE, SIG_IGN);
    (void)fflush(NULL);
    child->process = fork();
    if (child->process < 0)
        bench_fail("no process can be started");
    if (child->process == 0)
        become(command, input[0], output[1], core == STREAM_NO_CORE ? NULL : &one);
    (void)close(input[0]);
    (void)close(output[1]);
    child->input = input[1];
    child->output = output[0];
    if (clock_getcpuclockid(child->process, &child->clock) != 0)
        bench_fail("the command's core time is not told");
    /* Naps end when they should. */
    (void)prctl(PR_SET_TIMERSLACK, 1UL);
}

void stream_child_close_input(stream_child *child)
{
    if (child->input >= 0)
        (void)close(child->input);
    child->input = -1;
}

bool stream_child_wait(stream_child *child)
{
    int status;
    stream_child_close_input(child);
    while (waitpid(child->process, &status, 0) < 0)
        if (errno != EINTR)
            bench_fail("the command is lost");
    (void)close(child->output);
    if (WIFSIGNALED(status))
        (void)fprintf(stderr, "bench_stream: the command was ended by signal %d\n",
                      WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0)
        (void)fprintf(stderr, "bench_stream: the command ended with status %d\n",
                      WEXITSTATUS(status));
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

uint64_t stream_child_core_ns(const stream_child *child)
{
    struct timespec now = {0};
    (void)clock_gettime(child->clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t kib_after(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    return at == NULL ? 0 : strtoull(at + strlen(name), NULL, 10) << 10;
}

stream_memory stream_child_memory(const stream_child *child)
{
    char path[64], text[4096];
    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)child->process);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = file < 0 ? 0 : read(file, text, sizeof text - 1);
    if (file >= 0)
        (void)close(file);
    text[size > 0 ? size : 0] = '\0';
    return (stream_memory){.resident = kib_after(text, "VmRSS:"),
                           .resident_peak = kib_after(text, "VmHWM:")};
}

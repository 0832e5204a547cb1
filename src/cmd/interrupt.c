#include "cmd/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "util/error.h"

/* A signal has nowhere else to leave its mark. The pipe wakes whoever waits for input: the signal
 * may have come to another thread. */
static atomic_bool raised;
static int wake[2] = {-1, -1};

static atomic_bool requests[CM_REQUEST_COUNT];

static void wake_all(void)
{
    ssize_t ignored = write(wake[1], "", 1);
    (void)ignored;
}

static void handle(int number)
{
    int saved = errno;
    atomic_bool *flag = &raised;
    if (number == SIGUSR1)
        flag = &requests[CM_REQUEST_STATUS];
    else if (number == SIGHUP)
        flag = &requests[CM_REQUEST_RELOAD];
    if (!atomic_exchange(flag, true) && wake[1] >= 0)
        wake_all();
    errno = saved;
}

static cm_status unprepared(cm_error *error)
{
    return cm_error_set(error, CM_ERROR_IO,
                        "cannot prepare for signals: %s; raise the limit of open files (ulimit -n) "
                        "or see what else limits the process",
                        strerror(errno));
}

cm_status cm_interrupt_install_live(cm_error *error)
{
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGUSR1, &action, NULL) != 0 || sigaction(SIGHUP, &action, NULL) != 0)
        return unprepared(error);
    return CM_OK;
}

bool cm_interrupt_take(cm_request request)
{
    return atomic_exchange(&requests[request], false);
}

cm_status cm_interrupt_install(cm_error *error)
{
    struct sigaction action = {.sa_handler = handle};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigemptyset(&action.sa_mask);
    sigemptyset(&ignore.sa_mask);
    if (pipe2(wake, O_CLOEXEC | O_NONBLOCK) != 0 || sigaction(SIGINT, &action, NULL) != 0 ||
        sigaction(SIGTERM, &action, NULL) != 0 || sigaction(SIGPIPE, &ignore, NULL) != 0 ||
        sigaction(SIGXFSZ, &ignore, NULL) != 0)
        return unprepared(error);
    return CM_OK;
}

const atomic_bool *cm_interrupt_flag(void)
{
    return &raised;
}

/* Requests are in their flags: the pipe is emptied, so that the next wait waits. But an interrupt
 * stays there, for all threads that wait. */
static void drain(void)
{
    char bytes[16];
    while (!atomic_load(&raised) && read(wake[0], bytes, sizeof bytes) > 0)
        ;
    if (atomic_load(&raised))
        wake_all();
}

bool cm_interrupt_wait_for(int fd, int timeout_ms)
{
    struct pollfd ready[] = {{.fd = fd, .events = POLLIN}, {.fd = wake[0], .events = POLLIN}};
    int count = poll(ready, 2, timeout_ms);
    if (count < 0)
        return errno != EINTR; /* reading will say what is wrong */
    if (ready[1].revents != 0)
        drain();
    return ready[0].revents != 0;
}

bool cm_interrupt_wait(int fd)
{
    while (!atomic_load(&raised))
        if (cm_interrupt_wait_for(fd, -1))
            return !atomic_load(&raised);
    return false;
}

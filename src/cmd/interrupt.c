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

static void handle(int number)
{
    int saved = errno;
    (void)number;
    if (!atomic_exchange(&raised, true) && wake[1] >= 0) {
        ssize_t ignored = write(wake[1], "", 1);
        (void)ignored;
    }
    errno = saved;
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
        return cm_error_set(error, CM_ERROR_IO, "cannot prepare for signals: %s", strerror(errno));
    return CM_OK;
}

const atomic_bool *cm_interrupt_flag(void)
{
    return &raised;
}

bool cm_interrupt_wait(int fd)
{
    struct pollfd ready[] = {{.fd = fd, .events = POLLIN}, {.fd = wake[0], .events = POLLIN}};
    while (!atomic_load(&raised)) {
        int count = poll(ready, 2, -1);
        if (count > 0 && ready[0].revents != 0 && ready[1].revents == 0)
            return true;
        if (count < 0 && errno != EINTR)
            return true; /* reading will say what is wrong */
    }
    return false;
}

/* SIGINT and SIGTERM as a flag, SIGUSR1 and SIGHUP as requests; SIGPIPE as an error of the write.
 */
#ifndef CM_CMD_INTERRUPT_H
#define CM_CMD_INTERRUPT_H

#include <stdatomic.h>

#include "clickmatch.h"

/** Install the handlers; once, before threads start. */
cm_status cm_interrupt_install(cm_error *error);

/** Handle SIGUSR1 and SIGHUP, too: once, by commands that have an answer to them. */
cm_status cm_interrupt_install_live(cm_error *error);

/** What signals ask of a command that lives long. */
typedef enum cm_request {
    CM_REQUEST_STATUS, /* SIGUSR1 */
    CM_REQUEST_RELOAD, /* SIGHUP */
} cm_request;
#define CM_REQUEST_COUNT 2

/** Has it been asked since the last time? */
bool cm_interrupt_take(cm_request request);

/** Raised by the first SIGINT or SIGTERM, for good. */
const atomic_bool *cm_interrupt_flag(void);

/**
 * Wait until a file has something to read (or has ended), or the flag is raised.
 *
 * @return false when the flag is raised
 */
bool cm_interrupt_wait(int fd);

/**
 * The same for at most so long, and a request ends it, too.
 *
 * @param timeout_ms  0: only look; negative: for ever
 * @return whether the file has something to read
 */
bool cm_interrupt_wait_for(int fd, int timeout_ms);

#endif

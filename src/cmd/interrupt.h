/* SIGINT and SIGTERM as a flag; SIGPIPE as an error of the write. */
#ifndef CM_CMD_INTERRUPT_H
#define CM_CMD_INTERRUPT_H

#include <stdatomic.h>

#include "clickmatch.h"

/** Install the handlers; once, before threads start. */
cm_status cm_interrupt_install(cm_error *error);

/** Raised by the first signal, for good. */
const atomic_bool *cm_interrupt_flag(void);

/**
 * Wait until a file has something to read (or has ended), or the flag is raised.
 *
 * @return false when the flag is raised
 */
bool cm_interrupt_wait(int fd);

#endif

/* From a cm_status to the exit status of the program: README, "Exit status". */
#ifndef CM_CMD_REPORT_H
#define CM_CMD_REPORT_H

#include "cmd/log.h"
#include "util/buffer.h"

/** What the program's exit status means. */
typedef enum cm_exit {
    CM_EXIT_DONE = 0,
    CM_EXIT_FAILED = 1,
    CM_EXIT_USAGE = 2,
    CM_EXIT_REJECTS = 3,     /* too many rejected rows */
    CM_EXIT_DATABASE = 4,    /* refused or lost */
    CM_EXIT_INTERRUPTED = 5, /* state consistent */
} cm_exit;

cm_exit cm_exit_of(cm_status status);

/** Tell the error, if the status is one. @return the exit status, a cm_exit */
int cm_report(cm_log *log, cm_status status, const cm_error *error);

/** Write a text to standard output, and free it. A text that has failed is not written:
 * CM_ERROR_MEMORY. */
cm_status cm_print(cm_buffer *text, cm_error *error);

#endif

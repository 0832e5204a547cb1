#include "cmd/report.h"

#include <errno.h>
#include <unistd.h>

#include "file/spool.h"
#include "file/trouble.h"
#include "util/error.h"

cm_exit cm_exit_of(cm_status status)
{
    switch (status) {
    case CM_OK:
        return CM_EXIT_DONE;
    case CM_ERROR_USAGE:
        return CM_EXIT_USAGE;
    case CM_ERROR_REJECTS:
        return CM_EXIT_REJECTS;
    case CM_ERROR_DATABASE:
        return CM_EXIT_DATABASE;
    case CM_ERROR_INTERRUPTED:
        return CM_EXIT_INTERRUPTED;
    case CM_ERROR_MEMORY:
    case CM_ERROR_ARGUMENT:
    case CM_ERROR_MODEL:
    case CM_ERROR_CAPACITY:
    case CM_ERROR_FORMAT:
    case CM_ERROR_IO:
        break;
    }
    return CM_EXIT_FAILED;
}

int cm_report(cm_log *log, cm_status status, const cm_error *error)
{
    if (status != CM_OK)
        cm_log_error(log, error);
    return (int)cm_exit_of(status);
}

cm_status cm_print(cm_buffer *text, cm_error *error)
{
    cm_status status = CM_OK;
    if (text->failed)
        status = cm_error_memory(error, "a text", text->size);
    else if (!cm_write_all(STDOUT_FILENO, text->data, text->size))
        status = cm_trouble(error, "standard output", "write", errno, "output");
    cm_buffer_destroy(text);
    return status;
}

#include "file/trouble.h"

#include <errno.h>
#include <string.h>

#include "util/error.h"

static const char *remedy(int number)
{
    switch (number) {
    case ENOENT:
        return "check the name and that its directory exists, or choose another";
    case EACCES:
    case EPERM:
        return "ask for permission or choose another";
    case EROFS:
    case EISDIR:
    case ENOTDIR:
    case ENAMETOOLONG:
        return "choose another";
    case ENOSPC:
    case EDQUOT:
        return "free space or choose another";
    case EFBIG:
        return "raise the file size limit (ulimit -f) or choose another";
    case EMFILE:
    case ENFILE:
        return "raise the limit of open files (ulimit -n) or give fewer of";
    case EPIPE:
        return "the program that reads it has ended; start it again or choose another";
    default:
        return "check the device or choose another";
    }
}

cm_status cm_trouble(cm_error *error, const char *name, const char *verb, int number,
                     const char *option)
{
    char text[128];
    /* A named pipe may wait for its other end. */
    if (number == EINTR)
        return cm_error_set(error, CM_ERROR_INTERRUPTED, "interrupted while trying to %s %s", verb,
                            name);
    const char *what = strerror_r(number, text, sizeof text);
    return cm_error_set(error, CM_ERROR_IO, "%s: cannot %s: %s; %s %s", name, verb, what,
                        remedy(number), option);
}

#include "util/error.h"

#include <stdarg.h>
#include <stdio.h>

#include "util/slice.h"
#include "util/text.h"

static void fill(cm_error *error, cm_status code, uint64_t line, uint64_t byte, const char *format,
                 va_list arguments) __attribute__((format(printf, 5, 0)));

static void fill(cm_error *error, cm_status code, uint64_t line, uint64_t byte, const char *format,
                 va_list arguments)
{
    error->code = code;
    error->line = line;
    error->byte = byte;
    int size = vsnprintf(error->message, sizeof error->message, format, arguments);
    if (size >= (int)sizeof error->message)
        error->message[cm_utf8_whole(cm_slice_of_text(error->message))] = '\0';
}

cm_status cm_error_set(cm_error *error, cm_status code, const char *format, ...)
{
    if (error == NULL)
        return code;
    va_list arguments;
    va_start(arguments, format);
    fill(error, code, 0, 0, format, arguments);
    va_end(arguments);
    return code;
}

cm_status cm_error_set_at(cm_error *error, cm_status code, uint64_t line, uint64_t byte,
                          const char *format, ...)
{
    if (error == NULL)
        return code;
    va_list arguments;
    va_start(arguments, format);
    fill(error, code, line, byte, format, arguments);
    va_end(arguments);
    return code;
}

cm_status cm_error_memory(cm_error *error, const char *what, size_t bytes)
{
    return cm_error_set(error, CM_ERROR_MEMORY,
                        "out of memory: %zu bytes for %s; use a smaller period or a larger machine",
                        bytes, what);
}

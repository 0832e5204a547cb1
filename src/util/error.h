/* Errors: a status for the program, one line for the person. */
#ifndef CM_UTIL_ERROR_H
#define CM_UTIL_ERROR_H

#include "clickmatch.h"

/**
 * Fill an error and return its code, so that a caller can write `return cm_error_set(error,
 * CM_ERROR_IO, "...")`.
 *
 * @param error   may be NULL; then only the code is returned. Line and byte become 0.
 * @param format  printf; one line, no newline; says what, where and what to do
 */
cm_status cm_error_set(cm_error *error, cm_status code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** The same with a place: line counted from 1, byte offset counted from 0. */
cm_status cm_error_set_at(cm_error *error, cm_status code, uint64_t line, uint64_t byte,
                          const char *format, ...) __attribute__((format(printf, 5, 6)));

/** The usual message for an allocation that failed. Returns CM_ERROR_MEMORY. */
cm_status cm_error_memory(cm_error *error, const char *what, size_t bytes);

#endif

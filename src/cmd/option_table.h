/* The table of options.def as data. Internal to options.c, option_value.c and option_help.c. */
#ifndef CM_CMD_OPTION_TABLE_H
#define CM_CMD_OPTION_TABLE_H

#include "cmd/options.h"

typedef enum cm_option_kind {
    CM_KIND_FLAG,
    CM_KIND_TEXT,
    CM_KIND_COUNT,
    CM_KIND_COUNT_OR_NONE,
    CM_KIND_SHARE,
    CM_KIND_DURATION, /* low and high in microseconds */
    CM_KIND_SIZE,     /* in bytes */
    CM_KIND_TIME,
    CM_KIND_DATE,
    CM_KIND_CHOICE,
} cm_option_kind;

#define CM_OPTION_NONE 0u
#define CM_OPTION_LIST 1u     /* may be given again */
#define CM_OPTION_REQUIRED 2u /* the command cannot do without */
#define CM_OPTION_OPERAND 4u  /* no option: what stands alone on the command line */

typedef struct cm_option_row {
    const char *name;
    cm_option_kind kind;
    const char *value; /* NULL for a flag */
    const char *fallback;
    uint64_t low, high;
    unsigned flags;
    unsigned commands; /* cm_command_bit */
    const char *help;
} cm_option_row;

extern const cm_option_row cm_option_rows[CM_OPTION_COUNT];

/**
 * Read one value.
 *
 * @param shown  what the person wrote to give it: "--threads", "CLICKMATCH_THREADS"
 * @param text   borrowed; NULL for a flag on the command line
 * @param value  receives it; a LIST grows
 * @return CM_OK, CM_ERROR_USAGE or CM_ERROR_MEMORY
 */
cm_status cm_option_read(const cm_option_row *row, const char *shown, const char *text,
                         cm_option_value *value, cm_error *error);

#endif

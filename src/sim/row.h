/* Rows of CSV or NDJSON in a growing buffer. */
#ifndef CM_SIM_ROW_H
#define CM_SIM_ROW_H

#include <stdbool.h>
#include <stddef.h>

#include "sim/sim.h"

#define CM_SIM_ROW_MAX 4096 /* bytes; twice the longest */

/* One thread's output. Zeroed is empty; free `data` at the end. */
typedef struct cm_sim_rows {
    cm_sim_format format;
    char *data;
    size_t size, capacity;
    bool first; /* no field of the row is written yet */
} cm_sim_rows;

/** Begin a row; false where memory is out. `event`: NDJSON's first field; NULL for none. */
bool cm_sim_row_begin(cm_sim_rows *rows, const char *event);

/**
 * Add a field; empty is missing. In CSV fields must come in the order of the header, missing ones
 * included. The value must hold no quote, backslash or control byte; a comma is allowed in text.
 */
void cm_sim_row_text(cm_sim_rows *rows, const char *name, cm_slice value);

/** The same for a value that NDJSON has without quotes: a number, true or false. No comma. */
void cm_sim_row_bare(cm_sim_rows *rows, const char *name, cm_slice value);

void cm_sim_row_end(cm_sim_rows *rows);

#endif

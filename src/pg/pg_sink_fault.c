#include "pg/pg_sink_fault.h"

#include <stdbool.h>
#include <string.h>

/* The class of an SQLSTATE, its first two characters, is among these. */
static bool is_of_class(const char *sqlstate, const char *const *classes)
{
    for (; *classes != NULL; classes++)
        if (strncmp(sqlstate, *classes, strlen(*classes)) == 0)
            return true;
    return false;
}

cm_pg_sink_fault_class cm_pg_sink_fault_class_of(const char *sqlstate)
{
    static const char *const LOST[] = {"08",    /* connection */
                                       "25006", /* read-only: a standby now */
                                       "53",    /* out of memory, disk, connections */
                                       "55",    /* in use */
                                       "57",    /* shut down, cancelled */
                                       "58",    /* of the system */
                                       NULL};
    static const char *const AGAIN[] = {"40", /* serialization, deadlock */ NULL};
    static const char *const ROW[] = {"21", "22", /* data */
                                      "23",       /* constraints */
                                      "44",       /* of views */
                                      "54",       /* limits, as of an index entry's size */
                                      "P0",       /* raised by a trigger */
                                      NULL};
    if (is_of_class(sqlstate, LOST))
        return CM_PG_SINK_FAULT_LOST;
    if (is_of_class(sqlstate, AGAIN))
        return CM_PG_SINK_FAULT_AGAIN;
    return is_of_class(sqlstate, ROW) ? CM_PG_SINK_FAULT_ROW : CM_PG_SINK_FAULT_OTHER;
}

/* What a failed statement means for rows on their way into the tables, by its SQLSTATE. */
#ifndef CM_PG_PG_SINK_FAULT_H
#define CM_PG_PG_SINK_FAULT_H

typedef enum cm_pg_sink_fault_class {
    CM_PG_SINK_FAULT_LOST,  /* a new session may do better */
    CM_PG_SINK_FAULT_AGAIN, /* so may a new transaction */
    CM_PG_SINK_FAULT_ROW,   /* a row cannot be written */
    CM_PG_SINK_FAULT_OTHER, /* rights, a missing table, a mistake of ours */
} cm_pg_sink_fault_class;

/** @param sqlstate  of cm_pg; "": not PostgreSQL's own, and OTHER */
cm_pg_sink_fault_class cm_pg_sink_fault_class_of(const char *sqlstate);

#endif

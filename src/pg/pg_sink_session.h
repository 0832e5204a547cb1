/* A session that can write events: the staging tables in it, and what the tables behind them take.
 * Internal to the sink and to pg_retry. */
#ifndef CM_PG_PG_SINK_SESSION_H
#define CM_PG_PG_SINK_SESSION_H

#include "pg/pg_sink_row.h"

/** Make the staging tables, after cm_pg_engine_check. The errors of cm_pg_run. */
cm_status cm_pg_sink_session_begin(cm_pg *pg, cm_error *error);

/** Read how long the tables' columns are. */
cm_status cm_pg_sink_session_limits(cm_pg *pg, cm_pg_sink_shape *shape, cm_error *error);

#endif

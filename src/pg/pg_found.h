/* The platform's tables as found, and a world in them: what `bench` measures `batch` on. */
#ifndef CM_PG_PG_FOUND_H
#define CM_PG_PG_FOUND_H

#include "io/rows.h"
#include "pg/pg_copy.h"

/** Make the tables, empty, in a schema that is made, too, where it is missing. NULL: public. */
cm_status cm_pg_found_create(cm_pg *pg, const char *schema, cm_error *error);

/**
 * Load rows of a simulated world: clicks, then conversions.
 *
 * @param make     writes the rows, CSV with a header, by cm_pg_found_write
 * @param context  handed to it
 */
cm_status cm_pg_found_load(cm_pg *pg, cm_row_kind kind,
                           cm_status (*make)(void *context, cm_error *error), void *context,
                           cm_error *error);

/** Bytes of rows, of any size. */
cm_status cm_pg_found_write(cm_pg *pg, const char *bytes, size_t size, cm_error *error);

/** Make conversions such as the platform has of those that were loaded. */
cm_status cm_pg_found_settle(cm_pg *pg, cm_error *error);

#define CM_PG_FOUND_SERVER_BYTES 200

/** Which PostgreSQL this is, and the settings that its times depend on most: one line. */
cm_status cm_pg_found_server(cm_pg *pg, char line[CM_PG_FOUND_SERVER_BYTES], cm_error *error);

/** Bring the table statistics and the maps of visible rows up to date. */
cm_status cm_pg_found_vacuum(cm_pg *pg, cm_error *error);

#endif

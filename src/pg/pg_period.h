/* Which rows a run is about, and the values that say so in SQL. */
#ifndef CM_PG_PG_PERIOD_H
#define CM_PG_PG_PERIOD_H

#include "pg/pg_conn.h"
#include "util/buffer.h"

#define CM_PG_TIME_BYTES 40 /* "2026-03-01 00:00:00.000000+00", years before 1970 included */

/** Conversions of [from, to), and the clicks they can find. */
typedef struct cm_pg_period {
    int64_t from_us, to_us;     /* microseconds since 1970 UTC */
    const char *const *tenants; /* none: all */
    size_t tenant_count;
    bool only_unattributed;
    bool with_campaigns; /* clicks carry campaign, ad set, ad and creative */
    /* Of the model: how long after it was clicked a click matters, its own expires_at aside, and
     * how long after its expires_at. */
    int64_t reach_us, retention_us;
} cm_pg_period;

/** A period's values for SQL texts, and their memory. */
typedef struct cm_pg_period_values {
    char from[CM_PG_TIME_BYTES], to[CM_PG_TIME_BYTES];
    char clicks_after[CM_PG_TIME_BYTES], window_after[CM_PG_TIME_BYTES],
        expiry_after[CM_PG_TIME_BYTES];
    cm_buffer tenants; /* an array literal, NUL-terminated */
    const char *only, *campaigns;
} cm_pg_period_values;

/** A time as PostgreSQL reads it. */
void cm_pg_time_text(int64_t time_us, char text[CM_PG_TIME_BYTES]);

/** Append an element to an array literal, which begins as "{" and ends with cm_pg_array_end. */
void cm_pg_array_add(cm_buffer *array, const char *element, size_t size);
void cm_pg_array_end(cm_buffer *array);

/** Make the values; freed with cm_pg_period_values_destroy, after a failure, too. CM_OK or
 * CM_ERROR_MEMORY. */
cm_status cm_pg_period_values_make(const cm_pg_period *period, cm_pg_period_values *values,
                                   cm_error *error);
void cm_pg_period_values_destroy(cm_pg_period_values *values);

#endif

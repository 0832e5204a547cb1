/*
 * Events as rows of the sink's staging tables, checked so that no COPY fails for a row: what the
 * tables cannot hold is encoded as a dead event instead. Internal to the sink.
 */
#ifndef CM_PG_PG_SINK_ROW_H
#define CM_PG_PG_SINK_ROW_H

#include "pg/pg_result.h"
#include "pg/pg_sink_batch.h"

/** Where the type stands among the limits of a conversion's columns: after the fields that matching
 * reads. */
#define CM_PG_SINK_CONVERSION_TYPE CM_CONVERSION_FIELD_COUNT

#define CM_PG_NOT_STORABLE "not_storable" /* the error_type of a row with a fault */

/** How rows are encoded. */
typedef struct cm_pg_sink_shape {
    uint32_t characters_max[2][CM_FIELD_COUNT_MAX]; /* of click_tracking, conversion_tracking, by
                                                       field; 0: any number */
    int64_t click_window_us;                        /* see cm_pg_sink_config */
    cm_pg_encoder encoder;
} cm_pg_sink_shape;

/** The name of a column among the limits; NULL where there is none. */
const char *cm_pg_sink_column_name(cm_row_kind kind, size_t field);

/** Why the tables cannot hold a row. */
typedef struct cm_pg_sink_fault {
    const char *field, *reason; /* static text; NULL: there is none */
} cm_pg_sink_fault;

/** Append a row to the batch, unless it has a fault, which is then told. CM_OK or CM_ERROR_MEMORY:
 * then the batch is as it was. */
cm_status cm_pg_sink_encode_click(cm_pg_sink_shape *shape, cm_pg_sink_batch *batch,
                                  const cm_click *click, const cm_pg_sink_origin *origin,
                                  cm_pg_sink_fault *fault, cm_error *error);
cm_status cm_pg_sink_encode_result(cm_pg_sink_shape *shape, cm_pg_sink_batch *batch,
                                   const cm_pg_sink_result *result, const cm_pg_sink_origin *origin,
                                   cm_pg_sink_fault *fault, cm_error *error);

/** The same; one with a fault becomes a dead event. CM_OK or CM_ERROR_MEMORY: then the batch is as
 * it was. */
cm_status cm_pg_sink_put_click(cm_pg_sink_shape *shape, cm_pg_sink_batch *batch,
                               const cm_click *click, const cm_pg_sink_origin *origin,
                               cm_error *error);
cm_status cm_pg_sink_put_result(cm_pg_sink_shape *shape, cm_pg_sink_batch *batch,
                                const cm_pg_sink_result *result, const cm_pg_sink_origin *origin,
                                cm_error *error);
cm_status cm_pg_sink_put_rejected(cm_pg_sink_batch *batch, const cm_pg_sink_dead *dead,
                                  const cm_pg_sink_origin *origin, cm_error *error);

#endif

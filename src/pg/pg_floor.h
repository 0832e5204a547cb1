/*
 * The floor of `batch`: the least that any program would do, by the plainest statements that do it,
 * one after the other over one connection. The results it writes are those of a run of `batch`.
 */
#ifndef CM_PG_PG_FLOOR_H
#define CM_PG_PG_FLOOR_H

#include "pg/pg_copy.h"
#include "util/buffer.h"

/** In order. */
typedef enum cm_pg_floor_step {
    CM_PG_FLOOR_CLICKS, /* COPY out of what `batch` reads */
    CM_PG_FLOOR_CONVERSIONS,
    CM_PG_FLOOR_RESULTS, /* COPY in to an unlogged table */
    CM_PG_FLOOR_UPDATE,
    CM_PG_FLOOR_LOG, /* INSERT */
} cm_pg_floor_step;
#define CM_PG_FLOOR_STEP_COUNT 5
#define CM_PG_FLOOR_OUT_COUNT 2 /* the first steps only read */

/** The platform's views. */
#define CM_PG_FLOOR_VIEW_COUNT 4

/** Make the table of results: empty where `batch` has not run, else of what it has written. */
cm_status cm_pg_floor_results(cm_pg *pg, cm_error *error);

/** Read that table into memory; appended. */
cm_status cm_pg_floor_fetch(cm_pg *pg, cm_buffer *results, cm_error *error);

/**
 * Take a step.
 *
 * @param results  as fetched; not needed by steps that only read
 * @param rows     receives how many an UPDATE or INSERT has written, else 0
 */
cm_status cm_pg_floor_take(cm_pg *pg, cm_pg_floor_step step, const cm_buffer *results,
                           uint64_t *rows, cm_error *error);

/** Read all of a view. @param view  less than CM_PG_FLOOR_VIEW_COUNT */
cm_status cm_pg_floor_view(cm_pg *pg, size_t view, cm_error *error);

#endif

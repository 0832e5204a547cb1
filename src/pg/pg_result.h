/*
 * A result as columns of conversion_tracking: docs/schema.md, "How a result maps to columns". It is
 * encoded as PostgreSQL would send the columns, so that whether a result has changed is a
 * comparison of bytes, exact on what is stored.
 */
#ifndef CM_PG_PG_RESULT_H
#define CM_PG_PG_RESULT_H

#include "util/buffer.h"

/**
 * The columns that a result consists of, in the order of load_conversions.sql and the staging
 * table: attributed_click_id, attribution_method, attribution_confidence, attribution_window_hours,
 * fingerprint_match_score, probabilistic_candidates, match_probability, attribution_model, and
 * whether there is an attributed_at.
 */
#define CM_PG_STORED_COLUMNS 9

/** Those of the staging table: the row's id, the above, the three layers' results. */
#define CM_PG_STAGING_COLUMNS (1 + CM_PG_STORED_COLUMNS + CM_LAYER_COUNT)

/** What encoding needs to keep between results. Zero-initialised is ready; one per thread. */
typedef struct cm_pg_encoder {
    cm_buffer columns;    /* of the last result */
    cm_buffer candidates; /* the same, as JSON */
} cm_pg_encoder;

/**
 * Append a row for the staging table, unless the result is the one stored.
 *
 * @param id      16 bytes: the conversion's key
 * @param stored  the result stored with it, encoded; see cm_pg_row
 * @param result  its click's reference must be the click's key, 16 bytes
 * @param model   "name@version"
 * @param rows    receives the row
 * @return whether the result has changed. Failure: rows->failed.
 */
bool cm_pg_result_encode(cm_pg_encoder *encoder, const char *id, cm_slice stored,
                         const cm_result *result, const char *model, cm_buffer *rows);

/** Append the columns after attributed_click_id, which is for the caller to say. Failure:
 * columns->failed. */
void cm_pg_result_put(cm_pg_encoder *encoder, const cm_result *result, const char *model,
                      cm_buffer *columns);

/** Append the layers' results. */
void cm_pg_result_put_layers(const cm_result *result, cm_buffer *columns);

void cm_pg_encoder_destroy(cm_pg_encoder *encoder);

#endif

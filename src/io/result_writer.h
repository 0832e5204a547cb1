/* Results as CSV or NDJSON rows: docs/matching.md, section 6. */
#ifndef CM_IO_RESULT_WRITER_H
#define CM_IO_RESULT_WRITER_H

#include "io/rows.h"
#include "util/buffer.h"

/** Append the CSV header; nothing for NDJSON. */
void cm_result_write_header(cm_format format, cm_buffer *buffer);

/**
 * Append one row, line end included.
 *
 * @param conversion_id, tenant_id  as in the input
 * @param model_label               NUL-terminated "name@version"
 * Failure: buffer->failed.
 */
void cm_result_write(cm_format format, cm_buffer *buffer, cm_slice conversion_id,
                     cm_slice tenant_id, const cm_result *result, const char *model_label);

/** What a stream adds to a result. */
typedef struct cm_result_mark {
    bool has_seq, is_late;
    uint64_t seq; /* of the event */
} cm_result_mark;

/** The same for streams: two more columns in CSV, `seq` and `late`; in NDJSON members that are
 * there where they apply: `"seq":7`, `"late":true`. */
void cm_result_write_marked_header(cm_format format, cm_buffer *buffer);
void cm_result_write_marked(cm_format format, cm_buffer *buffer, cm_slice conversion_id,
                            cm_slice tenant_id, const cm_result *result, const char *model_label,
                            const cm_result_mark *mark);

/** Append the candidates as JSON text: `[{"click_id":"k1","probability":0.990763}]`. Valid JSON
 * whatever the ids hold. */
void cm_candidates_write(cm_buffer *buffer, const cm_result *result);

#endif

/* Reports of an evaluation: pure functions, appended to a buffer whose `failed` says whether memory
 * was short. */
#ifndef CM_EVAL_REPORT_H
#define CM_EVAL_REPORT_H

#include "eval/evaluation.h"
#include "eval/paired.h"
#include "util/buffer.h"

/** Aligned tables for people; of tenants only the largest. */
void cm_report_text(const cm_evaluation *evaluation, cm_buffer *text);

/** One JSON object with everything. */
void cm_report_json(const cm_evaluation *evaluation, cm_buffer *text);

/** One HTML page with diagrams as SVG; it refers to nothing outside itself. */
void cm_report_html(const cm_evaluation *evaluation, cm_buffer *text);

/** Two models' answers compared, as a table; first and second are what the models are called. */
void cm_paired_text(const cm_paired *paired, const char *first, const char *second,
                    cm_buffer *text);

#endif

/* The diagrams of a report, each one <svg> element. Internal to src/eval. Colours are classes that
 * the page's style gives. */
#ifndef CM_EVAL_SVG_H
#define CM_EVAL_SVG_H

#include "eval/evaluation.h"
#include "util/buffer.h"

/** Probability against how often it came true, by bins of both layers, with intervals. */
void cm_svg_reliability(const cm_curves *curves, cm_buffer *text);

/** Precision against recall; the dot is where the model stands. */
void cm_svg_precision_recall(const cm_curves *curves, const cm_figures *both, cm_buffer *text);

/** How sure it was how often, and how often it was right. */
void cm_svg_histogram(const cm_curves *curves, cm_buffer *text);

/** What each layer attributes, and what of that is right. */
void cm_svg_recovery(const cm_evaluation *evaluation, const cm_judgement *judgement,
                     cm_buffer *text);

#endif

/*
 * The sentences of an explanation, for text and page alike: a line each, ended by a newline. All
 * append; failure: buffer->failed. A layer is a place in cm_trace.layers, from 0.
 */
#ifndef CM_EXPLAIN_SAY_H
#define CM_EXPLAIN_SAY_H

#include "explain/explanation.h"

/** What a layer is called: "Layer 2, fingerprint". Static. */
const char *cm_say_layer_name(size_t layer);

/** What came of it all: one line. */
void cm_say_result(const cm_explanation *explanation, cm_buffer *lines);

/** What a layer found: which clicks, or why none. */
void cm_say_found(const cm_explanation *explanation, size_t layer, cm_buffer *lines);

/** How the weights of a layer's candidates become a probability, and what that is enough for.
 * Nothing where there are no candidates. */
void cm_say_competition(const cm_explanation *explanation, size_t layer, cm_buffer *lines);

/** Of a layer whose best candidate was not enough: by how much, and what would have been. */
void cm_say_enough(const cm_explanation *explanation, size_t layer, cm_buffer *lines);

/** The clicks that would have mattered to a layer but for one thing. */
void cm_say_misses(const cm_explanation *explanation, size_t layer, cm_buffer *lines);

/** Whether the stored result is the same, and why not. */
void cm_say_stored(const cm_explanation *explanation, cm_buffer *lines);

/** A delay bin: "10 min to 1 h". */
void cm_say_bin(const cm_model *model, size_t bin, cm_buffer *words);

/** What a factor is, in a few words: "equal", "1 h to 6 h". No newline. */
void cm_say_factor(const cm_explanation *explanation, const cm_trace_candidate *candidate,
                   const cm_trace_factor *factor, cm_buffer *words);

/** The same factor as a quotient: "0.9 / 0.15"; where it is none, "0.5". */
void cm_say_quotient(const cm_trace_factor *factor, cm_buffer *words);

#endif

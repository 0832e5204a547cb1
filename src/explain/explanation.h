/*
 * What there is to tell about one conversion, and the three forms it is told in. Pure: a trace and
 * what belongs to it in, bytes out.
 */
#ifndef CM_EXPLAIN_EXPLANATION_H
#define CM_EXPLAIN_EXPLANATION_H

#include "model/model.h"
#include "util/buffer.h"

/** A field of a result that is stored in one way and would be written in another now. Texts are
 * NUL-terminated. */
typedef struct cm_stored_difference {
    const char *field, *stored, *now;
} cm_stored_difference;

/** The result that is stored with a conversion, beside the one that is explained. */
typedef struct cm_stored_view {
    bool is_stored;    /* there is one */
    bool agrees;       /* the explained one is the same, byte for byte */
    const char *model; /* that it came of; NULL: none is named */
    const char *when;  /* it was stored, as far as is known; NULL: not */
    const cm_stored_difference *differences;
    size_t difference_count;
    const char *const *reasons; /* whole sentences */
    size_t reason_count;
} cm_stored_view;

/** All borrowed. */
typedef struct cm_explanation {
    const cm_conversion *conversion;
    const cm_model *model;
    const cm_trace *trace;
    const cm_misses *misses;
    const cm_stored_view *stored; /* NULL: there is no database to compare with */
    bool show_pii;                /* addresses and user agents */
} cm_explanation;

/** Append the explanation as text for a terminal: lines of at most 100 columns where names allow.
 * Failure: buffer->failed. */
void cm_explain_text(const cm_explanation *explanation, cm_buffer *buffer);

/** The same as JSON, numbers to the last bit. */
void cm_explain_json(const cm_explanation *explanation, cm_buffer *buffer);

/** The same as an HTML page that needs nothing else. */
void cm_explain_html(const cm_explanation *explanation, cm_buffer *buffer);

/** What a conversion's layers 2 and 3 go by. layer: 1 or 2, as a place in cm_trace.layers. */
static inline const cm_layer_model *cm_explained_model(const cm_explanation *explanation,
                                                       size_t layer)
{
    const cm_model *model = explanation->model;
    const cm_parameters *parameters = &model->parameters[cm_model_parameters_of(
        model, explanation->conversion->tenant_id, explanation->trace->device.device_type)];
    return layer == 1 ? &parameters->fingerprint : &parameters->probabilistic;
}

#endif

/*
 * What the layers see of a conversion, for learning: the comparisons of every candidate, before any
 * weight. It depends on a model's windows, edges, prefixes and limits alone, so that one pass over
 * the data serves all steps of an estimation.
 */
#ifndef CM_MATCH_SAMPLE_H
#define CM_MATCH_SAMPLE_H

#include "match/matcher.h"

/** What one layer saw. */
typedef struct cm_layer_sample {
    bool is_attempted;              /* the conversion has what the layer needs */
    bool is_accepted;               /* the best candidate is sure enough for the engine's model */
    const cm_candidate_look *looks; /* of the candidates, newest first; borrowed */
    size_t count;                   /* 0: there is none */
    uint64_t left;                  /* clicks of the key that are no candidates */
    double u;                       /* of layer 2, where a candidate is on the address; else 1 */
    double probability;             /* of the best one by the engine's model, where there is any */
    const cm_candidate_look *newer; /* of layer 2: what may share that one's weight; borrowed */
    size_t newer_count;             /* 0 where the model has no repeat in layer 3 */
} cm_layer_sample;

/** One conversion. */
typedef struct cm_sample {
    uint32_t label;      /* the click of layer 1; CM_NUMBER_NONE: it found none */
    uint32_t parameters; /* place in the model's */
    /* How the label compares; where there is one: */
    cm_candidate_look by_address;     /* evidence: of addresses */
    cm_candidate_look by_fingerprint; /* evidence: of fingerprints */
    cm_layer_sample layers[CM_WEIGHED_LAYER_COUNT];
} cm_sample;

/** Receives a conversion's sample, borrowed for the call. number: its place among those given. */
typedef void cm_sample_visitor(void *context, size_t number, const cm_conversion *conversion,
                               const cm_sample *sample);

/**
 * Look at conversions through all layers, whatever an earlier one found: labelled conversions as if
 * they had carried no click id.
 *
 * @return CM_OK or CM_ERROR_MEMORY
 * Threads: a matcher serves one at a time.
 */
cm_status cm_matcher_sample(cm_matcher *matcher, const cm_conversion *conversions, size_t count,
                            cm_sample_visitor *visit, void *context, cm_error *error);

#endif

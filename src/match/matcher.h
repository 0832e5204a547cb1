/*
 * Conversions through the three layers, a batch at a time: all of a batch through layer 1, what is
 * left through 2, then 3, so that the memory a layer will need is asked for while others are worked
 * on.
 */
#ifndef CM_MATCH_MATCHER_H
#define CM_MATCH_MATCHER_H

#include "match/layers.h"

#define CM_MATCH_BATCH 64

/** The clicks of a result, by number, until the result is filled in. */
typedef struct cm_outcome {
    uint32_t winner; /* CM_NUMBER_NONE: unattributed */
    uint32_t candidates[CM_RESULT_CANDIDATES_MAX];
} cm_outcome;

/** One thread's matcher. */
struct cm_matcher {
    cm_layer_context context;
    cm_key_scratch keys;
    cm_query queries[CM_MATCH_BATCH];
    cm_outcome outcomes[CM_MATCH_BATCH];
    cm_who_cache whos;
    cm_layer_scratch layers;
};

/** Ready a matcher; both borrowed, must outlive it and not change while it works. */
void cm_matcher_init(cm_matcher *matcher, const cm_click_index *index, const cm_scoring *scoring);

/** Free what a matcher took, but not itself. */
void cm_matcher_release(cm_matcher *matcher);

/**
 * Match checked conversions.
 *
 * @param results  receives one per conversion; their slices point into the index
 * @return CM_OK or CM_ERROR_MEMORY
 */
cm_status cm_matcher_run(cm_matcher *matcher, const cm_conversion *conversions, size_t count,
                         cm_result *results, cm_error *error);

/**
 * Bring conversions to where layers 2 and 3 begin, whatever layer 1 finds: matcher->queries.
 *
 * @param count   at most CM_MATCH_BATCH
 * @param labels  receives what layer 1 found, or CM_NUMBER_NONE
 * @return CM_OK or CM_ERROR_MEMORY
 */
cm_status cm_matcher_prepare(cm_matcher *matcher, const cm_conversion *conversions, size_t count,
                             uint32_t *labels, cm_error *error);

#endif

/*
 * The three layers. Each looks at one conversion and gives a word; after a success it also says
 * which click and how sure: docs/matching.md, sections 4 and 5.
 */
#ifndef CM_MATCH_LAYERS_H
#define CM_MATCH_LAYERS_H

#include "match/query.h"
#include "match/scorer.h"
#include "match/weights.h"

/* Layer 2 may add the first K of the addresses' list to the first K of the fingerprint's. */
#define CM_CANDIDATES_MAX (2 * CM_MAX_CANDIDATES_LIMIT)
#define CM_DEVICE_SLOTS (4 * CM_CANDIDATES_MAX)

/** How two values compare: which factor is theirs. */
enum cm_comparison { CM_COMPARE_MISSING, CM_COMPARE_EQUAL, CM_COMPARE_DIFFERENT };
#define CM_COMPARISONS 3

/** What tells two candidates' devices apart; each layer has its own. */
typedef struct cm_device_key {
    uint64_t first, second;
} cm_device_key;

/** A candidate, as far as its weight needs to know. */
typedef struct cm_candidate_look {
    uint32_t click;
    uint8_t evidence, user_agent; /* enum cm_comparison: of address (layer 2) or fingerprint (3) */
    uint32_t bin;                 /* of its delay */
} cm_candidate_look;

/** Scratch of one thread: no layer allocates. */
typedef struct cm_layer_scratch {
    uint32_t clicks[CM_CANDIDATES_MAX];
    uint32_t others[CM_MAX_CANDIDATES_LIMIT];
    cm_candidate_look looks[CM_CANDIDATES_MAX];
    cm_weighed weighed[CM_CANDIDATES_MAX];
    cm_device_key devices[CM_CANDIDATES_MAX];
    uint32_t slots[CM_DEVICE_SLOTS]; /* a set of devices: candidates.c */
    uint32_t generation;             /* of the set */
    uint64_t looked_at;              /* candidates so far */
} cm_layer_scratch;

/** What the layers share. Borrowed; read-only. */
typedef struct cm_layer_context {
    const cm_click_index *index;
    const cm_weights *weights;
} cm_layer_context;

/** URL parameter. click: receives the click's number on success. */
cm_layer_word cm_layer_1(const cm_click_index *index, const cm_query *query, uint32_t *click);

/** Fingerprint. score: filled where candidates were weighed (success or low_confidence). */
cm_layer_word cm_layer_2(const cm_layer_context *context, const cm_query *query,
                         cm_layer_scratch *scratch, cm_score *score);

/** Probabilistic. score: filled where candidates were weighed (success or low_probability). */
cm_layer_word cm_layer_3(const cm_layer_context *context, const cm_query *query,
                         cm_layer_scratch *scratch, cm_score *score);

#endif

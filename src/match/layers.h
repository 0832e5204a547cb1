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
/* And newer clicks on the address may share its weight. */
#define CM_WEIGHED_MAX (CM_CANDIDATES_MAX + CM_MAX_CANDIDATES_LIMIT)
#define CM_DEVICE_SLOTS (4 * CM_CANDIDATES_MAX)

/** What tells two candidates' devices apart; each layer has its own. */
typedef struct cm_device_key {
    uint64_t first, second;
} cm_device_key;

/** A candidate, as far as its weight needs to know. */
typedef struct cm_candidate_look {
    uint32_t click;
    uint8_t evidence, user_agent; /* cm_comparison: of address (layer 2) or fingerprint (3) */
    uint8_t traits;               /* the same of each trait, two bits each: cm_look_trait */
    uint32_t bin;                 /* of its delay */
} cm_candidate_look;

/** How a trait compares. */
static inline cm_comparison cm_look_trait(const cm_candidate_look *look, cm_trait trait)
{
    return (cm_comparison)(look->traits >> 2 * trait & 3);
}

static inline void cm_look_set_trait(cm_candidate_look *look, cm_trait trait,
                                     cm_comparison comparison)
{
    unsigned others = look->traits & ~(3u << 2 * trait);
    look->traits = (uint8_t)(others | (unsigned)comparison << 2 * trait);
}

/** What a layer that looked at clicks knew of them together. */
typedef struct cm_layer_facts {
    uint64_t
        total; /* |F|: valid clicks of its key in its window; nothing else counts where it is 0 */
    uint64_t left;     /* those of them that are not considered */
    size_t considered; /* |A|: scratch->clicks */
    size_t count; /* |C|: scratch->looks and weighed; what follows is known where it is not 0 */
    size_t oldest_bin; /* o */
    double r, u;       /* u: of layer 2, where a candidate is on the conversion's address; else 1 */
    double w0, rest;
    size_t newer_count; /* of layer 2: scratch->newer; where it is not 0: */
    uint32_t newest;    /* the candidate that shares its weight with them */
    double newer_r;     /* their r */
    double shares;      /* Y: what its weight is divided by */
} cm_layer_facts;

/** Scratch of one thread: no layer allocates. */
typedef struct cm_layer_scratch {
    uint32_t clicks[CM_CANDIDATES_MAX];
    uint32_t others[CM_MAX_CANDIDATES_LIMIT];
    cm_candidate_look looks[CM_CANDIDATES_MAX];
    cm_weighed weighed[CM_WEIGHED_MAX];
    cm_device_key devices[CM_CANDIDATES_MAX];
    uint32_t slots[CM_DEVICE_SLOTS];                  /* a set of devices: candidates.c */
    uint32_t generation;                              /* of the set */
    uint64_t looked_at;                               /* candidates so far */
    cm_candidate_look newer[CM_MAX_CANDIDATES_LIMIT]; /* newer clicks on the address: newest.c */
    cm_weighed newer_weighed[CM_MAX_CANDIDATES_LIMIT];
    cm_layer_facts facts; /* of layer 2 or 3, whichever ran last */
} cm_layer_scratch;

/** What the layers share. Borrowed; read-only. */
typedef struct cm_layer_context {
    const cm_click_index *index;
    const cm_scoring *scoring;
} cm_layer_context;

/** The weights for a conversion. */
static inline const cm_weights *cm_weights_of(const cm_layer_context *context,
                                              const cm_query *query)
{
    return &context->scoring->weights[query->parameters];
}

/** URL parameter. click: receives the click's number on success. */
cm_layer_word cm_layer_1(const cm_click_index *index, const cm_query *query, uint32_t *click);

/** Fingerprint. score: filled where candidates were weighed (success or low_confidence). */
cm_layer_word cm_layer_2(const cm_layer_context *context, const cm_query *query,
                         cm_layer_scratch *scratch, cm_score *score);

/**
 * max((n_ip - 1) / N, ip_u_min): how likely a stranger is to share the conversion's address, by its
 * share of the tenant's clicks.
 *
 * @param n_ip  clicks on the address in the window of layer 2
 */
double cm_layer_2_address_u(const cm_layer_context *context, const cm_query *query, uint64_t n_ip);

/** Probabilistic. score: filled where candidates were weighed (success or low_probability). */
cm_layer_word cm_layer_3(const cm_layer_context *context, const cm_query *query,
                         cm_layer_scratch *scratch, cm_score *score);

/** As layers 2 and 3, but by CM_RULE_NEWEST (weights.h). */
cm_layer_word cm_baseline_by_fingerprint(const cm_layer_context *context, const cm_query *query,
                                         cm_layer_scratch *scratch, cm_score *score);
cm_layer_word cm_baseline_by_address(const cm_layer_context *context, const cm_query *query,
                                     cm_layer_scratch *scratch, cm_score *score);

#endif

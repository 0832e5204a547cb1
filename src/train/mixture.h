/*
 * Two kinds of candidates, told apart without labels: a conversion's own device, and strangers that
 * share its key. Each candidate's comparisons come from one of two distributions; how often the own
 * device is there, how many strangers are to be expected, and how strangers compare, are found by
 * expectation maximisation (Dempster, Laird and Rubin 1977; for record linkage Winkler 1988). How
 * own devices compare is given: labels tell that.
 */
#ifndef CM_TRAIN_MIXTURE_H
#define CM_TRAIN_MIXTURE_H

#include <stdatomic.h>

#include "match/weights.h"
#include "train/training_set.h"

/** What is to be estimated. */
typedef struct cm_mixture_task {
    const cm_training_set *set;
    const cm_model *model; /* its windows and edges */
    uint32_t group;        /* conversions of this group take part; CM_NUMBER_NONE: all */
    enum cm_weighed_layer layer;
    unsigned threads;
    unsigned steps;                 /* of expectation and maximisation */
    const atomic_bool *interrupted; /* raised from outside: stop; may be NULL */
} cm_mixture_task;

/* With fewer conversions, or fewer own devices expected among them, a layer stays as it is. */
#define CM_MIXTURE_CONVERSIONS_MIN 500
#define CM_MIXTURE_OWN_MIN 50.0

/** What an estimate rests on. */
typedef struct cm_mixture_counts {
    uint64_t conversions; /* without a label, that have what the layer needs */
    double own;           /* of them, expected: those with a candidate of their own */
    double
        own_different; /* of these, on another address (layer 2), or of another fingerprint (3) */
    double strangers;  /* candidates that are expected to be none of theirs */
    double log_likelihood;
    bool is_used; /* that is enough: the parameters were changed */
} cm_mixture_counts;

/**
 * Estimate a layer's prior, rivals, user_agent_u and u of its traits; of layer 2 also delay_m,
 * delay_u, repeat (older.h), and ip_other_u where ip_other_m is above 0; of layer 3 also
 * fingerprint_u and user_agent_m. In layer 3 conversions count that layer 2 left open when the
 * samples were taken.
 *
 * @param parameters  the rest, and where to begin; changed
 * @return CM_OK, CM_ERROR_MEMORY or CM_ERROR_INTERRUPTED
 * Results do not depend on the number of threads.
 */
cm_status cm_mixture_estimate(const cm_mixture_task *task, cm_parameters *parameters,
                              cm_mixture_counts *counts, cm_error *error);

#endif

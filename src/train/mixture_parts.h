/* An estimate's parts, shared by the files of mixture.h alone: expecting whose candidates are, and
 * searching where that is most likely. */
#ifndef CM_TRAIN_MIXTURE_PARTS_H
#define CM_TRAIN_MIXTURE_PARTS_H

#include "train/mixture.h"

/** An estimate under way. */
typedef struct cm_mixture {
    const cm_mixture_task *task;
    cm_parameters *parameters;
    cm_layer_model *layer;
    double reach;        /* of the layer: own devices that kept the key */
    double user_agent_m; /* as it was to begin with */
    double pair_reach; /* of two strangers, the first as newest and the second as an older click */
    double *lr_delay;  /* by delay bin, as it was in x; above 0 */
    double *delay_m, *delay_u; /* as they were to begin with */
    size_t bins_within;        /* the layer's window */
    double w0;
    double **x;            /* by chunk and look: a candidate's weight without prior and r */
    bool **takes;          /* by chunk and conversion: does it take part? */
    double *sums;          /* of an expectation step */
    double rivals, repeat; /* that likelihood is asked for; repeat: of layer 2, else 0 */
} cm_mixture;

/** Sums of an expectation step. */
enum {
    CM_SUM_CONVERSIONS,
    CM_SUM_OWN,
    CM_SUM_STRANGERS,
    CM_SUM_OWN_USER_AGENTS, /* own clicks that show one */
    CM_SUM_OWN_EQUAL_USER_AGENTS,
    CM_SUM_OWN_DIFFERENT, /* own clicks with another fingerprint (layer 3) */
    CM_SUM_USER_AGENTS,   /* strangers that show one */
    CM_SUM_EQUAL_USER_AGENTS,
    CM_SUM_EVIDENCE, /* strangers with an address (layer 2) or a fingerprint (layer 3) */
    CM_SUM_EQUAL_EVIDENCE,
    CM_SUM_OTHER_FAMILY,
    CM_SUM_TRAITS,
    CM_SUM_EQUAL_TRAITS = CM_SUM_TRAITS + CM_TRAIT_COUNT,
    CM_SUM_COUNT =
        CM_SUM_EQUAL_TRAITS + CM_TRAIT_COUNT /* then own clicks by delay bin, and strangers' */
};

/** What makes weights of unit weights: of a candidate alone, and of an older one beside a newer. */
typedef struct cm_mixture_factors {
    double alone, older;
} cm_mixture_factors;

/** Fill x of one chunk, and add up what is expected. A cm_chunk_adder of cm_mixture. */
void cm_mixture_expect(void *context, size_t chunk, double *sums);

cm_mixture_factors cm_mixture_factors_of(const cm_mixture *mixture, const cm_train_layer *layer);

/** The sum of all ways in which candidates are the device's: one alone, or one with an older
 * one. */
double cm_mixture_weigh(const cm_mixture *mixture, const cm_train_chunk *chunk,
                        const cm_train_layer *layer, const double *x);

/**
 * Find the most likely rivals: mixture->rivals.
 *
 * @param factors  of the steps, falling, each above 1
 * @param height   receives the log-likelihood there
 * @return CM_OK or CM_ERROR_MEMORY
 */
cm_status cm_mixture_search(cm_mixture *mixture, const double *factors, size_t factor_count,
                            double *height, cm_error *error);

#endif

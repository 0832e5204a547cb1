/*
 * The parts of `evaluate`: which click is right for each conversion, what a model answers where ids
 * are hidden, and what that comes to. Internal to the command, and to what trains models.
 */
#ifndef CM_CMD_EVALUATE_H
#define CM_CMD_EVALUATE_H

#include "cmd/evaluate_groups.h"

/** What is known about records, whoever answers. Arrays are by number of click or conversion. */
typedef struct cm_rights {
    uint32_t *layer_1;          /* the click that layer 1 finds under the default model, or none */
    uint32_t *right;            /* the right click, or CM_NUMBER_NONE: organic */
    bool *is_judged;            /* figures are about it */
    bool *is_masked;            /* its device's clicks are left out; NULL: of none */
    bool *is_deleted;           /* click: left out for a masked conversion; NULL: none */
    uint32_t *click_owner;      /* number of tenant and device; NULL without a truth */
    uint32_t *conversion_owner; /* CM_NUMBER_NONE: not in the truth */
    cm_grouping groupings[CM_GROUPING_COUNT];
    /* Without a truth: what clicks of a device share; 0: nothing. Fingerprint and user agent;
     * address, device type and user agent; fingerprint, address (without one: user agent) and
     * device type. */
    uint64_t *looks, *places, *spots;
} cm_rights;

/** How to work. */
typedef struct cm_evaluate_options {
    unsigned threads;
    const atomic_bool *interrupted;
    uint64_t hash_seed;
    cm_figures_options figures;
} cm_evaluate_options;

/** A model, and how it is gone by. */
typedef struct cm_evaluated {
    const cm_model *model;
    cm_rule rule;
} cm_evaluated;

/** What a model answered for one conversion. */
typedef struct cm_answer {
    double probability;        /* of the best candidate of the last layer that weighed any */
    uint32_t click;            /* that candidate; CM_NUMBER_NONE */
    uint16_t confidence_e4;    /* where it was accepted */
    uint8_t weighed, accepted; /* layer; 0: none */
} cm_answer;

/** Find what layer 1 does, with the default model. CM_OK, CM_ERROR_MEMORY, ..._INTERRUPTED. */
cm_status cm_evaluate_layer_1(const cm_records *records, const cm_evaluate_options *options,
                              cm_rights *rights, cm_error *error);

/**
 * Read a truth and find the right clicks: for each conversion that layer 1 leaves open the newest
 * click of its device that is active.
 *
 * @param folder      of click_truth and conversion_truth, .csv or .ndjson
 * @param evaluation  receives what was counted
 */
cm_status cm_evaluate_truth(const char *folder, const cm_records *records, cm_rights *rights,
                            cm_evaluation *evaluation, cm_error *error);

/** Make layer 1's clicks the right ones, of the conversions that it attributes. */
cm_status cm_evaluate_labels(const cm_records *records, double mask_share,
                             const cm_evaluate_options *options, cm_rights *rights,
                             cm_evaluation *evaluation, cm_error *error);

void cm_rights_destroy(cm_rights *rights);

/** Are two clicks of one device, as far as is known? */
bool cm_rights_same_device(const cm_rights *rights, uint32_t a, uint32_t b);

/**
 * Have a model answer and judge it.
 *
 * @param judgement  its label and role are set; receives the rest but regret
 * @param answers    receives one for each conversion; of those that layer 1 leaves open, and of
 * those that are judged
 * @param judged     receives those that are judged, in the order of the conversions
 */
cm_status cm_evaluate_model(const cm_records *records, const cm_rights *rights,
                            const cm_evaluated *model, const cm_evaluate_options *options,
                            cm_judgement *judgement, cm_answer *answers, cm_judged *judged,
                            cm_error *error);

#endif

/* What an evaluation found: what its reports show. */
#ifndef CM_EVAL_EVALUATION_H
#define CM_EVAL_EVALUATION_H

#include "eval/curves.h"
#include "eval/regret.h"

/** The figures of some of the conversions. */
typedef struct cm_group {
    const char *kind; /* "all", "device_type" or "tenant"; static */
    char *name;       /* of the device type or tenant; NULL of all; owned */
    size_t count;     /* conversions */
    cm_figures figures[CM_SCOPE_COUNT];
} cm_group;

/** What needs no labels, over conversions that layer 1 leaves open. By layer: [0] layer 2, [1]
 * layer 3. */
typedef struct cm_label_free {
    uint64_t open; /* such conversions */
    uint64_t attributed[2];
    double expected_error;           /* mean (1 - p) of what was attributed; NaN for none */
    uint64_t covered;                /* of them there are clicks for all the days after them, too */
    uint64_t real[2];                /* of those attributed to clicks before them */
    uint64_t placebo[2];             /* and to clicks after them */
    uint64_t placebo_same_device[2]; /* of these: the converting device's later click; only where a
                                        truth says */
} cm_label_free;

/** One model, or rule, and what it came to. */
typedef struct cm_judgement {
    char *label;      /* "name@version"; owned */
    const char *role; /* "model", "reference" or "baseline"; static */
    cm_group *groups; /* the first: all; owned */
    size_t group_count, group_capacity;
    cm_curves curves; /* of all */
    cm_label_free label_free;
    /* Where clicks were masked: the same without that; else its count is 0. */
    cm_group unmasked;
    cm_regret regret; /* against the reference; of none where there is no reference */
} cm_judgement;

/** Zero-initialised is empty. */
typedef struct cm_evaluation {
    bool has_truth; /* else labels are layer 1's clicks */
    uint64_t clicks, conversions;
    uint64_t by_layer_1;      /* conversions that it attributes */
    uint64_t layer_1_right;   /* of them; only where a truth says */
    uint64_t without_truth;   /* conversions that the truth does not know */
    uint64_t clicks_unknown;  /* clicks that it does not know */
    uint64_t judged, organic; /* what figures are about; of them without a right click */
    uint64_t masked, deleted; /* conversions made organic, and clicks left out for them */
    uint64_t own_expiry; /* judged whose right click would be another if expires_at did not count */
    size_t bins, rounds;
    cm_judgement *judgements; /* owned */
    size_t count;
} cm_evaluation;

/** Is a group one of the largest `most` of its kind? Of equal ones the first count as larger. */
bool cm_group_is_shown(const cm_judgement *judgement, size_t at, size_t most);

void cm_evaluation_destroy(cm_evaluation *evaluation);

#endif

/*
 * A challenger beside the champion: the same conversions matched by both models, where the results
 * differ, and, where layer 1 knows the click, which of the two finds it without ids.
 */
#ifndef CM_CMD_CHALLENGE_H
#define CM_CMD_CHALLENGE_H

#include <jansson.h>

#include "cmd/evaluate.h"
#include "eval/paired.h"

#define CM_CHAMPION 0
#define CM_CHALLENGER 1

/** Conversions by what the two models say of them, ids included. */
typedef struct cm_challenge_counts {
    uint64_t conversions;
    uint64_t attributed[2];
    uint64_t same_click, other_click; /* both attribute it: to one click, or to two */
    uint64_t alone[2];                /* this one attributes it, the other does not */
} cm_challenge_counts;

/** What came of it. Zero-initialised is empty. */
typedef struct cm_challenge {
    char *labels[2];                                    /* name@version; owned */
    cm_challenge_counts counts;                         /* of all */
    uint64_t methods[CM_METHOD_COUNT][CM_METHOD_COUNT]; /* by the champion's, the challenger's */
    double expected_error[2]; /* mean (1 - p) of what layers 2 and 3 attribute; NaN for none */
    cm_grouping groupings[CM_GROUPING_COUNT];       /* owned */
    cm_challenge_counts *groups[CM_GROUPING_COUNT]; /* owned, one for each of the grouping's */
    uint64_t labelled;                              /* conversions that layer 1 attributes */
    uint64_t masked, deleted; /* of them made organic, and clicks left out for them */
    cm_paired paired;         /* of what is labelled, where anything is */
    uint64_t clicks;          /* that were read for it */
    double seconds;
} cm_challenge;

/** How to work. */
typedef struct cm_challenge_options {
    cm_evaluate_options evaluate;
    double mask_share; /* of the labelled conversions */
} cm_challenge_options;

/**
 * Compare two models. What comes of it depends on neither the order of the records nor threads.
 *
 * @param models     champion and challenger
 * @param challenge  receives it; freed with cm_challenge_destroy, after a failure, too
 * @return CM_OK, CM_ERROR_MEMORY, CM_ERROR_CAPACITY or CM_ERROR_INTERRUPTED
 */
cm_status cm_challenge_make(const cm_records *records, const cm_model *const models[2],
                            const cm_challenge_options *options, cm_challenge *challenge,
                            cm_error *error);

void cm_challenge_destroy(cm_challenge *challenge);

/** Append it as lines of text. */
void cm_challenge_text(const cm_challenge *challenge, cm_buffer *text);

/** The same as JSON, all groups included; NULL when memory is short. */
json_t *cm_challenge_json(const cm_challenge *challenge);

/* ---- parts of it ---- */

/** What a model says of a conversion, ids included. */
typedef struct cm_choice {
    double probability;
    uint32_t click; /* CM_NUMBER_NONE: unattributed */
    uint8_t method; /* cm_method */
} cm_choice;

/** Count where choices differ. @param choices  of champion and challenger, by number of
 * conversion. CM_OK or CM_ERROR_MEMORY. */
cm_status cm_challenge_count(const cm_choice *const choices[2], size_t count,
                             cm_challenge *challenge, cm_error *error);

#endif

/* The parts of `train`. Internal to the command. */
#ifndef CM_CMD_TRAIN_H
#define CM_CMD_TRAIN_H

#include <jansson.h>

#include "cmd/evaluate.h"
#include "cmd/run.h"
#include "eval/paired.h"
#include "train/learn.h"

/** What each conversion is for. */
typedef enum cm_fold { CM_FOLD_LEARN, CM_FOLD_CALIBRATE, CM_FOLD_JUDGE } cm_fold;

#define CM_CALIBRATE_LABELS_MIN 200 /* that a layer weighed; with fewer it is not calibrated */

/** What a layer's calibration rests on. */
typedef struct cm_calibrated {
    uint64_t labels;   /* conversions with a known answer that the layer weighed candidates of */
    size_t knot_count; /* 0: left out */
} cm_calibrated;

/** The base model and the new one, on conversions that nothing was learned from. [0] the base. */
typedef struct cm_judged_pair {
    uint64_t conversions; /* judged */
    uint64_t masked;      /* of them made organic */
    cm_paired paired;
    cm_figures figures[2];     /* both layers together */
    cm_figures as_labelled[2]; /* where none was made organic; of count 0 with a truth */
} cm_judged_pair;

typedef struct cm_training {
    cm_run run;
    cm_evaluate_options options;
    cm_records records;
    cm_rights rights;
    cm_evaluation evaluation; /* what rights found */
    bool has_truth;
    cm_model *base; /* where to begin, and to be better than */
    uint8_t *folds; /* cm_fold, by number of conversion */
    bool *held_out; /* all but CM_FOLD_LEARN */
    cm_trained trained;
    cm_learned learned;
    uint32_t *section_of; /* by group of device type; CM_NUMBER_NONE: it has no section */
    double *organic;      /* expected share of organic conversions, by group of device type */
    cm_calibrated calibrated[CM_WEIGHED_LAYER_COUNT];
    cm_judged_pair pair;
    char version[16]; /* where none is given: a day */
} cm_training;

/** Learn training->trained. */
cm_status cm_train_learn(cm_training *training, cm_error *error);

/**
 * Make conversions of a fold organic: rights->is_masked, and the clicks to leave out for it.
 *
 * @param all  all of the fold that are labelled; else the share that is expected to be organic
 */
cm_status cm_train_mask(cm_training *training, cm_fold fold, bool all, cm_error *error);

/** How likely a conversion is organic, by what was learned of its device type. */
double cm_train_organic(const cm_training *training, uint32_t conversion);

/** Is a conversion's right click known (or that it has none), and is it in the fold? */
bool cm_train_is_known(const cm_training *training, cm_fold fold, size_t conversion);

/** Calibrate what was learned on CM_FOLD_CALIBRATE. */
cm_status cm_train_calibrate(cm_training *training, cm_error *error);

/** Judge the base model and what was learned on CM_FOLD_JUDGE: training->pair. */
cm_status cm_train_judge(cm_training *training, cm_error *error);

/** Is the new model worse than the base on what was judged: a log-loss that is larger by over half
 * a percent, or an F0.5 that is lower beyond chance? */
bool cm_train_is_worse(const cm_training *training);

/** Append what was learned, from how much, and how both models did, as lines of text. */
void cm_train_text(const cm_training *training, cm_buffer *text);

/** The figures of the new model, and the base's, for a registry; NULL when memory is short. */
json_t *cm_train_json(const cm_training *training);

void cm_training_destroy(cm_training *training);

#endif

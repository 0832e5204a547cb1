/* The parts of `train`. Internal to the command. */
#ifndef CM_CMD_TRAIN_H
#define CM_CMD_TRAIN_H

#include "cmd/evaluate.h"
#include "cmd/run.h"
#include "train/learn.h"

/** What each conversion is for. */
typedef enum cm_fold { CM_FOLD_LEARN, CM_FOLD_CALIBRATE, CM_FOLD_JUDGE } cm_fold;

/** What a layer's calibration rests on. */
typedef struct cm_calibrated {
    uint64_t labels;   /* labelled conversions that the layer weighed candidates of */
    size_t knot_count; /* 0: left out */
    double band_lo;    /* the threshold that was chosen */
} cm_calibrated;

typedef struct cm_training {
    cm_run run;
    cm_evaluate_options options;
    cm_records records;
    cm_rights rights;
    cm_evaluation evaluation; /* of the base model and the new one */
    cm_model *base;           /* where to begin, and to be better than */
    uint8_t *folds;           /* cm_fold, by number of conversion */
    bool *held_out;           /* all but CM_FOLD_LEARN */
    cm_trained trained;
    cm_learned learned;
    double *organic; /* expected share of organic conversions, by group of device type */
    cm_calibrated calibrated[CM_WEIGHED_LAYER_COUNT];
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

/** Is a conversion labelled, and in the fold? */
bool cm_train_is_labelled(const cm_training *training, cm_fold fold, size_t conversion);

/** Calibrate what was learned, and choose its thresholds, on CM_FOLD_CALIBRATE. */
cm_status cm_train_calibrate(cm_training *training, cm_error *error);

void cm_training_destroy(cm_training *training);

#endif

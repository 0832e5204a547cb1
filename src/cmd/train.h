/* The parts of `train`. Internal to the command. */
#ifndef CM_CMD_TRAIN_H
#define CM_CMD_TRAIN_H

#include "cmd/evaluate.h"
#include "cmd/run.h"
#include "train/learn.h"

/** What each conversion is for. */
typedef enum cm_fold { CM_FOLD_LEARN, CM_FOLD_CALIBRATE, CM_FOLD_JUDGE } cm_fold;

typedef struct cm_training {
    cm_run run;
    cm_evaluate_options options;
    cm_records records;
    cm_rights rights;
    cm_model *base; /* where to begin, and to be better than */
    uint8_t *folds; /* cm_fold, by number of conversion */
    bool *held_out; /* all but CM_FOLD_LEARN */
    cm_trained trained;
    cm_learned learned;
} cm_training;

/** Learn training->trained. */
cm_status cm_train_learn(cm_training *training, cm_error *error);

void cm_training_destroy(cm_training *training);

#endif

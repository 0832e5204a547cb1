/* `train`: a model from a period of data. */
#ifndef CM_CMD_CMD_TRAIN_H
#define CM_CMD_CMD_TRAIN_H

#include "cmd/log.h"
#include "cmd/options.h"

cm_status cm_cmd_train(const cm_settings *settings, cm_log *log, cm_error *error);

#endif

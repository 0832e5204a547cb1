/* `evaluate`: how far a model's probabilities can be trusted. */
#ifndef CM_CMD_CMD_EVALUATE_H
#define CM_CMD_CMD_EVALUATE_H

#include "cmd/log.h"
#include "cmd/options.h"

cm_status cm_cmd_evaluate(const cm_settings *settings, cm_log *log, cm_error *error);

#endif

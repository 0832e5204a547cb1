/* `simulate`: a synthetic world with known truth. */
#ifndef CM_CMD_CMD_SIMULATE_H
#define CM_CMD_CMD_SIMULATE_H

#include "cmd/log.h"
#include "cmd/options.h"

cm_status cm_cmd_simulate(const cm_settings *settings, cm_log *log, cm_error *error);

#endif

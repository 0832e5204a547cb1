/* `retry`: dead events fed in again. */
#ifndef CM_CMD_CMD_RETRY_H
#define CM_CMD_CMD_RETRY_H

#include "cmd/log.h"
#include "cmd/options.h"

cm_status cm_cmd_retry(const cm_settings *settings, cm_log *log, cm_error *error);

#endif

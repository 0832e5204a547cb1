/* `batch`: PostgreSQL in and out. */
#ifndef CM_CMD_CMD_BATCH_H
#define CM_CMD_CMD_BATCH_H

#include "cmd/log.h"
#include "cmd/options.h"

cm_status cm_cmd_batch(const cm_settings *settings, cm_log *log, cm_error *error);

#endif

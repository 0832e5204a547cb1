/* `clickmatch explain`: why a conversion was, or was not, attributed. */
#ifndef CM_CMD_CMD_EXPLAIN_H
#define CM_CMD_CMD_EXPLAIN_H

#include "cmd/log.h"
#include "cmd/options.h"

/** Run the command. */
cm_status cm_cmd_explain(const cm_settings *settings, cm_log *log, cm_error *error);

#endif

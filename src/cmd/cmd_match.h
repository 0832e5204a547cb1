/* `match`: files in, file out. */
#ifndef CM_CMD_CMD_MATCH_H
#define CM_CMD_CMD_MATCH_H

#include "cmd/log.h"
#include "cmd/options.h"

cm_status cm_cmd_match(const cm_settings *settings, cm_log *log, cm_error *error);

#endif

/* `clickmatch stream`: attributed conversions as they happen. */
#ifndef CM_CMD_CMD_STREAM_H
#define CM_CMD_CMD_STREAM_H

#include "cmd/log.h"
#include "cmd/options.h"

cm_status cm_cmd_stream(const cm_settings *settings, cm_log *log, cm_error *error);

#endif

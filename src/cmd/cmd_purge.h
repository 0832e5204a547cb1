/* `purge`: old clicks and personal data out of PostgreSQL. */
#ifndef CM_CMD_CMD_PURGE_H
#define CM_CMD_CMD_PURGE_H

#include "cmd/log.h"
#include "cmd/options.h"

cm_status cm_cmd_purge(const cm_settings *settings, cm_log *log, cm_error *error);

#endif

/* `migrate`: create or upgrade the tables in PostgreSQL. */
#ifndef CM_CMD_CMD_MIGRATE_H
#define CM_CMD_CMD_MIGRATE_H

#include "cmd/log.h"
#include "cmd/options.h"

cm_status cm_cmd_migrate(const cm_settings *settings, cm_log *log, cm_error *error);

#endif

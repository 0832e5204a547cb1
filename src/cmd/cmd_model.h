/* `clickmatch model`: the registry of models. One function for each of its commands. */
#ifndef CM_CMD_CMD_MODEL_H
#define CM_CMD_CMD_MODEL_H

#include "cmd/log.h"
#include "cmd/options.h"
#include "pg/pg_conn.h"

cm_status cm_cmd_model_add(const cm_settings *settings, cm_log *log, cm_error *error);
cm_status cm_cmd_model_list(const cm_settings *settings, cm_log *log, cm_error *error);
cm_status cm_cmd_model_show(const cm_settings *settings, cm_log *log, cm_error *error);
cm_status cm_cmd_model_promote(const cm_settings *settings, cm_log *log, cm_error *error);
cm_status cm_cmd_model_rollback(const cm_settings *settings, cm_log *log, cm_error *error);

/** Connect to where the registry is, closed with cm_pg_close; needs no close on failure. */
cm_status cm_model_open_registry(const cm_settings *settings, cm_pg *pg, cm_error *error);

#endif

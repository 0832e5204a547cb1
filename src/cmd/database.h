/* What the commands that use PostgreSQL share. */
#ifndef CM_CMD_DATABASE_H
#define CM_CMD_DATABASE_H

#include "cmd/options.h"

/**
 * Refuse a --db that holds a password: whoever may list processes could read it.
 *
 * @param option  the command's --db
 * @return CM_OK or CM_ERROR_USAGE
 */
cm_status cm_database_check(const cm_settings *settings, cm_option option, cm_error *error);

/** What an error may quote of an argument that nobody knows: not what may hold a password. */
const char *cm_database_shown(const char *text);

/**
 * The user of this machine, to be noted in the database. One thread at a time.
 *
 * @param name  NULL where the number has no name; valid until the next call
 * @return CM_OK, CM_ERROR_IO or CM_ERROR_MEMORY
 */
cm_status cm_database_started_by(const char **name, cm_error *error);

#endif

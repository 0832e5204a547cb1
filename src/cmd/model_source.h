/*
 * Where a command that uses PostgreSQL has its model from: --model, which names a file or a model
 * of the registry, else the champion of "default", else the model that is built in. What --model
 * means is settled once, so that a model read again comes from the same place.
 */
#ifndef CM_CMD_MODEL_SOURCE_H
#define CM_CMD_MODEL_SOURCE_H

#include "cmd/log.h"
#include "cmd/model_ref.h"
#include "cmd/options.h"
#include "pg/pg_conn.h"

/** Borrows from the settings. */
typedef struct cm_model_source {
    const char *path;    /* the file; NULL: the registry */
    bool has_registry;   /* without it, and without a file, the model is the built-in one */
    bool may_be_missing; /* no champion: the built-in model, too */
    cm_model_ref ref;
    cm_pg_options pg;
} cm_model_source;

/**
 * Settle what --model means: a file where there is one of that name, where it is written as a path,
 * or where the command uses no database; else a model of the registry.
 *
 * @param option        --model, or what names another model in the same way
 * @param db            the command's --db
 * @param has_database  does the command use it this time?
 * @return CM_OK or CM_ERROR_USAGE
 */
cm_status cm_model_source_init(const cm_settings *settings, cm_option option, cm_option db,
                               bool has_database, cm_model_source *source, cm_error *error);

/**
 * Read the model. Any thread; a source may be read by several.
 *
 * @param interrupt  raised: stop waiting for the database
 * @param is_built_in  receives whether it is the built-in one; may be NULL
 * @return CM_OK, or what is wrong with the file, the registry, or the model there
 */
cm_status cm_model_source_read(const cm_model_source *source, const atomic_bool *interrupt,
                               cm_model **model, bool *is_built_in, cm_error *error);

/** Say which model a run begins with, and where it is from. @param what  "model" */
void cm_model_source_tell(const cm_model_source *source, const char *what, const cm_model *model,
                          bool is_built_in, cm_log *log);

#endif

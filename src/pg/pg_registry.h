/*
 * The registry of models: model_registry holds versions, of which one a name is its champion;
 * model_promotions says how that came to be. A model is stored as the JSON that it was, and handed
 * over so.
 *
 * Errors of all functions: CM_ERROR_DATABASE, CM_ERROR_INTERRUPTED and CM_ERROR_MEMORY, and
 * CM_ERROR_MODEL where it is the registry that does not hold what is asked for.
 */
#ifndef CM_PG_PG_REGISTRY_H
#define CM_PG_PG_REGISTRY_H

#include "pg/pg_conn.h"

#define CM_PG_MODEL_BYTES_MAX ((size_t)16 << 20) /* of an artifact as text */

/** A version to add. Everything is borrowed, NUL-terminated UTF-8. */
typedef struct cm_pg_model_entry {
    const char *name, *version;
    const char *artifact; /* JSON, known to be a model; it gets this name and version */
    const char *path;     /* where it came from; NULL: nobody knows */
    const char *metrics;  /* JSON; NULL: none */
} cm_pg_model_entry;

/** What adding it did. */
typedef enum cm_pg_model_added {
    CM_PG_MODEL_ADDED,
    CM_PG_MODEL_METRICS_ADDED, /* it was there, without metrics */
    CM_PG_MODEL_SAME,          /* it was there */
} cm_pg_model_added;

/** Add a version. CM_ERROR_MODEL where it is there with another artifact or other metrics. */
cm_status cm_pg_model_add(cm_pg *pg, const cm_pg_model_entry *entry, cm_pg_model_added *added,
                          cm_error *error);

/**
 * Read and check a model.
 *
 * @param version  NULL: the champion
 * @param model    receives the model, freed with cm_model_destroy; NULL where there is none: no
 * such version, or no champion
 * @param versions receives how many versions the name has; may be NULL
 * @return CM_ERROR_MODEL where the artifact is missing, too large, no model, or another one's
 */
cm_status cm_pg_model_read(cm_pg *pg, const char *name, const char *version, cm_model **model,
                           uint64_t *versions, cm_error *error);

/** The same; where there is none, CM_ERROR_MODEL that says what to do. */
cm_status cm_pg_model_get(cm_pg *pg, const char *name, const char *version, cm_model **model,
                          cm_error *error);

/** Who makes what the champion of a name. Everything is borrowed. */
typedef struct cm_pg_promote {
    const char *schema; /* NULL: "public" */
    const char *name;
    const char *version; /* NULL: back to the champion before */
    const char *reason;  /* NULL: none is given */
    const char *os_user; /* noted beside the database user; NULL: none */
} cm_pg_promote;

#define CM_PG_VERSION_BYTES 128 /* for messages: longer ones are cut */

/** What it changed. */
typedef struct cm_pg_champions {
    char from[CM_PG_VERSION_BYTES]; /* "": there was none */
    char to[CM_PG_VERSION_BYTES];
    bool is_changed; /* false: it was the champion already */
} cm_pg_champions;

/**
 * Make a version the champion of its name, or go back: to what was the champion before the last
 * promotion that has not been taken back. Waits for others who change the same name's champion.
 *
 * @return CM_ERROR_MODEL where there is no such version or none to go back to, or its artifact
 *         cannot be used; nothing has changed then
 */
cm_status cm_pg_model_promote(cm_pg *pg, const cm_pg_promote *promote, cm_pg_champions *champions,
                              cm_error *error);

/** Rows of what registry_list.sql says; with as_json, one field. Freed with cm_pg_answer_free. */
cm_status cm_pg_model_list(cm_pg *pg, bool as_json, cm_pg_answer *answer, cm_error *error);

/** The same of registry_show.sql. */
cm_status cm_pg_model_show(cm_pg *pg, const char *name, const char *version, bool as_json,
                           cm_pg_answer *answer, cm_error *error);

/** The same of registry_history.sql. */
cm_status cm_pg_model_history(cm_pg *pg, const char *name, cm_pg_answer *answer, cm_error *error);

#endif

#include "pg/pg_registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sql.h"
#include "util/error.h"

#define READING "read the registry of models"
#define NO_RIGHT "42501" /* SQLSTATE */

/* ---- adding ---- */

static cm_status compare(cm_pg *pg, const cm_pg_model_entry *entry, const cm_pg_value *values,
                         cm_pg_model_added *added, cm_error *error)
{
    cm_pg_answer answer = {NULL};
    cm_status status =
        cm_pg_run(pg, "add the model", cm_sql_queries_registry_compare, values, &answer, error);
    if (status != CM_OK)
        return status;
    const char *verdict = cm_pg_answer_rows(&answer) == 0 ? "" : cm_pg_answer_text(&answer, 0, 0);
    *added = CM_PG_MODEL_SAME;
    if (strcmp(verdict, "metrics added") == 0)
        *added = CM_PG_MODEL_METRICS_ADDED;
    else if (strcmp(verdict, "same") != 0)
        status = cm_error_set(error, CM_ERROR_MODEL,
                              "%s@%s is in the registry already, with %s; results name it, so it "
                              "stays as it is: give the new one another version",
                              entry->name, entry->version,
                              strcmp(verdict, "other metrics") == 0 ? "other metrics"
                                                                    : "another artifact");
    cm_pg_answer_free(&answer);
    return status;
}

cm_status cm_pg_model_add(cm_pg *pg, const cm_pg_model_entry *entry, cm_pg_model_added *added,
                          cm_error *error)
{
    const cm_pg_value values[] = {{"name", entry->name},
                                  {"version", entry->version},
                                  {"artifact", entry->artifact},
                                  {"path", entry->path == NULL ? "" : entry->path},
                                  {"metrics", entry->metrics == NULL ? "" : entry->metrics},
                                  {NULL, NULL}};
    cm_pg_answer answer = {NULL};
    cm_status status =
        cm_pg_run(pg, "add the model", cm_sql_queries_registry_insert, values, &answer, error);
    bool is_new = status == CM_OK && cm_pg_answer_affected(&answer) > 0;
    cm_pg_answer_free(&answer);
    *added = CM_PG_MODEL_ADDED;
    return status != CM_OK || is_new ? status : compare(pg, entry, values, added, error);
}

/* ---- reading ---- */

/* The artifact of a row as a model; its label must be the row's. */
static cm_status make_model(const cm_pg_answer *answer, const char *name, cm_model **model,
                            cm_error *error)
{
    const char *version = cm_pg_answer_text(answer, 0, 1);
    const char *bytes = cm_pg_answer_text(answer, 0, 2);
    const char *artifact = cm_pg_answer_text(answer, 0, 3);
    char label[2 * CM_PG_VERSION_BYTES];
    cm_error cause = {0};
    (void)snprintf(label, sizeof label, "%s@%s", name, version);
    if (artifact == NULL && strcmp(bytes, "0") == 0)
        return cm_error_set(error, CM_ERROR_MODEL,
                            "%s has no artifact in model_registry; add it under another version "
                            "with clickmatch model add",
                            label);
    if (artifact == NULL)
        return cm_error_set(error, CM_ERROR_MODEL,
                            "the artifact of %s in model_registry has %s bytes, more than the %zu "
                            "that a model may have; add it anew under another version",
                            label, bytes, CM_PG_MODEL_BYTES_MAX);
    cm_status status = cm_model_create(artifact, strlen(artifact), model, &cause);
    if (status != CM_OK)
        return cm_error_set(error, status, "the artifact of %s in model_registry: %.300s", label,
                            cause.message);
    if (strcmp(cm_model_label(*model), label) == 0)
        return CM_OK;
    status = cm_error_set(error, CM_ERROR_MODEL,
                          "the artifact of %s in model_registry calls itself %.200s, and so would "
                          "results; add it anew with clickmatch model add",
                          label, cm_model_label(*model));
    cm_model_destroy(*model);
    *model = NULL;
    return status;
}

static cm_status may_not_read(cm_error *error)
{
    return cm_error_set(error, CM_ERROR_DATABASE,
                        "cannot " READING ": this database user may not; GRANT SELECT ON "
                        "model_registry TO it, or give the model as a file");
}

cm_status cm_pg_model_read(cm_pg *pg, const char *name, const char *version, cm_model **model,
                           uint64_t *versions, cm_error *error)
{
    char bytes_max[24];
    const cm_pg_value values[] = {{"name", name},
                                  {"version", version == NULL ? "" : version},
                                  {"bytes_max", bytes_max},
                                  {NULL, NULL}};
    cm_pg_answer answer = {NULL};
    *model = NULL;
    (void)snprintf(bytes_max, sizeof bytes_max, "%zu", CM_PG_MODEL_BYTES_MAX);
    cm_status status = cm_pg_run(pg, READING, cm_sql_queries_registry_read, values, &answer, error);
    if (status == CM_ERROR_DATABASE && strcmp(pg->sqlstate, NO_RIGHT) == 0)
        return may_not_read(error);
    if (status != CM_OK)
        return status;
    if (versions != NULL)
        *versions = strtoull(cm_pg_answer_text(&answer, 0, 0), NULL, 10);
    if (cm_pg_answer_text(&answer, 0, 1) != NULL)
        status = make_model(&answer, name, model, error);
    cm_pg_answer_free(&answer);
    return status;
}

static cm_status not_there(const char *name, const char *version, uint64_t versions,
                           cm_error *error)
{
    if (versions == 0)
        return cm_error_set(
            error, CM_ERROR_MODEL,
            "no model %s in the registry; clickmatch model list shows what is there", name);
    if (version == NULL)
        return cm_error_set(error, CM_ERROR_MODEL,
                            "model %s has no champion; clickmatch model promote %s@VERSION makes "
                            "one, clickmatch model list shows its versions",
                            name, name);
    return cm_error_set(error, CM_ERROR_MODEL,
                        "model %s has no version %s in the registry; clickmatch model list shows "
                        "what is there",
                        name, version);
}

cm_status cm_pg_model_get(cm_pg *pg, const char *name, const char *version, cm_model **model,
                          cm_error *error)
{
    uint64_t versions = 0;
    cm_status status = cm_pg_model_read(pg, name, version, model, &versions, error);
    if (status == CM_OK && *model == NULL)
        status = not_there(name, version, versions, error);
    return status;
}

/* ---- listing ---- */

cm_status cm_pg_model_list(cm_pg *pg, bool as_json, cm_pg_answer *answer, cm_error *error)
{
    return cm_pg_run(pg, READING,
                     as_json ? cm_sql_queries_registry_list_json : cm_sql_queries_registry_list,
                     NULL, answer, error);
}

cm_status cm_pg_model_show(cm_pg *pg, const char *name, const char *version, bool as_json,
                           cm_pg_answer *answer, cm_error *error)
{
    const cm_pg_value values[] = {{"name", name}, {"version", version}, {NULL, NULL}};
    return cm_pg_run(pg, READING,
                     as_json ? cm_sql_queries_registry_show_json : cm_sql_queries_registry_show,
                     values, answer, error);
}

cm_status cm_pg_model_history(cm_pg *pg, const char *name, cm_pg_answer *answer, cm_error *error)
{
    const cm_pg_value values[] = {{"name", name}, {NULL, NULL}};
    return cm_pg_run(pg, READING, cm_sql_queries_registry_history, values, answer, error);
}

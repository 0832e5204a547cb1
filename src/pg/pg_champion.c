/* Who is the champion of a name: promoted, and rolled back. */
#include <stdio.h>
#include <string.h>

#include "pg/pg_registry.h"
#include "sql.h"
#include "util/error.h"

#define DOING "change the champion"
#define NOT_UNIQUE "23505" /* SQLSTATE */

/* What a change is made of; texts are borrowed from answers. */
struct change {
    const cm_pg_promote *what;
    const char *from;   /* the champion of now; NULL: there is none */
    const char *to;     /* the next one */
    const char *undoes; /* id of the promotion that is taken back; "" if none is */
};

static cm_status read_champion(cm_pg *pg, const cm_pg_promote *what, cm_pg_answer *answer,
                               struct change *change, cm_error *error)
{
    const cm_pg_value values[] = {{"name", what->name}, {NULL, NULL}};
    cm_status status =
        cm_pg_run(pg, DOING, cm_sql_queries_registry_champion, values, answer, error);
    if (status == CM_OK && cm_pg_answer_rows(answer) > 0)
        change->from = cm_pg_answer_text(answer, 0, 0);
    return status;
}

/* Where to go back to. */
static cm_status read_last(cm_pg *pg, cm_pg_answer *answer, struct change *change, cm_error *error)
{
    const char *name = change->what->name;
    const cm_pg_value values[] = {{"name", name}, {NULL, NULL}};
    cm_status status =
        cm_pg_run(pg, DOING, cm_sql_queries_registry_last_promotion, values, answer, error);
    if (status != CM_OK)
        return status;
    bool is_known = cm_pg_answer_rows(answer) > 0;
    if (is_known && strcmp(cm_pg_answer_text(answer, 0, 2), change->from) != 0)
        return cm_error_set(error, CM_ERROR_MODEL,
                            "%s@%s did not become the champion by a promotion, so what was before "
                            "it is unknown; promote the version that you want",
                            name, change->from);
    const char *before = is_known ? cm_pg_answer_text(answer, 0, 1) : NULL;
    if (before == NULL)
        return cm_error_set(error, CM_ERROR_MODEL,
                            "%s@%s is the first champion of %s: there is none to go back to; "
                            "promote the version that you want",
                            name, change->from, name);
    change->to = before;
    change->undoes = cm_pg_answer_text(answer, 0, 0);
    return CM_OK;
}

static cm_status find_target(cm_pg *pg, cm_pg_answer *answer, struct change *change,
                             cm_error *error)
{
    cm_model *model = NULL;
    const cm_pg_promote *what = change->what;
    cm_status status = CM_OK;
    if (what->version != NULL)
        change->to = what->version;
    else if (change->from == NULL) /* says why not */
        status = cm_pg_model_get(pg, what->name, NULL, &model, error);
    else
        status = read_last(pg, answer, change, error);
    if (status == CM_OK) /* a champion can be used */
        status = cm_pg_model_get(pg, what->name, change->to, &model, error);
    cm_model_destroy(model);
    return status;
}

static cm_status write_change(cm_pg *pg, const struct change *change, cm_error *error)
{
    const cm_pg_promote *what = change->what;
    const cm_pg_value values[] = {{"name", what->name},
                                  {"from", change->from == NULL ? "" : change->from},
                                  {"to", change->to},
                                  {"undoes", change->undoes},
                                  {"os_user", what->os_user == NULL ? "" : what->os_user},
                                  {"reason", what->reason == NULL ? "" : what->reason},
                                  {NULL, NULL}};
    cm_status status =
        cm_pg_run(pg, DOING, cm_sql_queries_registry_set_champion, values, NULL, error);
    if (status == CM_ERROR_DATABASE && strcmp(pg->sqlstate, NOT_UNIQUE) == 0)
        status = cm_error_set(error, CM_ERROR_DATABASE,
                              "cannot " DOING ": another session made a version of %s the "
                              "champion meanwhile; run it again",
                              what->name);
    return status;
}

static cm_status change_locked(cm_pg *pg, const cm_pg_promote *what, cm_pg_champions *champions,
                               cm_error *error)
{
    struct change change = {.what = what, .to = "", .undoes = ""};
    cm_pg_answer champion = {NULL};
    cm_pg_answer last = {NULL};
    cm_status status = read_champion(pg, what, &champion, &change, error);
    if (status == CM_OK)
        status = find_target(pg, &last, &change, error);
    if (status == CM_OK) {
        champions->is_changed = change.from == NULL || strcmp(change.from, change.to) != 0;
        (void)snprintf(champions->from, sizeof champions->from, "%s",
                       change.from == NULL ? "" : change.from);
        (void)snprintf(champions->to, sizeof champions->to, "%s", change.to);
    }
    if (status == CM_OK && champions->is_changed)
        status = write_change(pg, &change, error);
    cm_pg_answer_free(&champion);
    cm_pg_answer_free(&last);
    return status;
}

cm_status cm_pg_model_promote(cm_pg *pg, const cm_pg_promote *promote, cm_pg_champions *champions,
                              cm_error *error)
{
    const cm_pg_value values[] = {{"schema", promote->schema == NULL ? "public" : promote->schema},
                                  {"name", promote->name},
                                  {NULL, NULL}};
    *champions = (cm_pg_champions){0};
    cm_status status = cm_pg_run(pg, DOING, "BEGIN", NULL, NULL, error);
    if (status == CM_OK)
        status = cm_pg_run(pg, DOING, cm_sql_queries_registry_lock, values, NULL, error);
    if (status == CM_OK)
        status = change_locked(pg, promote, champions, error);
    if (status == CM_OK)
        status = cm_pg_run(pg, DOING, "COMMIT", NULL, NULL, error);
    if (status != CM_OK)
        cm_pg_rollback(pg);
    return status;
}

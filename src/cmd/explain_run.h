/* What `explain` finds out, from files or from PostgreSQL: the conversion, its trace, the near
 * misses, and what is stored. */
#ifndef CM_CMD_EXPLAIN_RUN_H
#define CM_CMD_EXPLAIN_RUN_H

#include "cmd/log.h"
#include "cmd/options.h"
#include "engine/pipeline.h"
#include "explain/explanation.h"
#include "util/arena.h"

/** Zero-initialised is empty. Owns what it points to, but for settings and log. */
typedef struct cm_explained {
    const cm_settings *settings;
    cm_log *log;
    const char *conversion_id; /* asked for */
    const char *tenant;        /* asked for; NULL: whoever has it */
    cm_model *model;
    const char *model_origin; /* where it is from, in a few words; static */
    cm_engine *engine;
    cm_load_limits limits; /* of the tenant's clicks */
    cm_arena arena;        /* of the conversion and of the texts about the stored result */
    bool is_found;
    cm_conversion conversion;
    cm_misses *misses;
    cm_trace *trace;
    const cm_stored_view *stored; /* in the arena; NULL: nothing to compare with */
} cm_explained;

/** Find the conversion in files, load its tenant's clicks and trace it. CM_ERROR_ARGUMENT: it is
 * not there, or in several tenants; else as cm_pipeline_load. */
cm_status cm_explain_files(cm_explained *explained, cm_error *error);

/** The same from PostgreSQL, with what is stored. Errors as of cm_pg_run besides. */
cm_status cm_explain_database(cm_explained *explained, cm_error *error);

/** Steps that both share: take the conversion (copied), then each click of its tenant (no
 * duplicates are expected to be left out by the caller), then trace. CM_ERROR_CAPACITY: there is no
 * room for a click. */
cm_status cm_explained_begin(cm_explained *explained, const cm_conversion *conversion,
                             cm_error *error);
cm_status cm_explained_add(cm_explained *explained, const cm_click *click, cm_error *error);
cm_status cm_explained_end(cm_explained *explained, cm_error *error);

/** The conversion is not where it was looked for: fill the error. @param where  a few words */
cm_status cm_explained_missing(const cm_explained *explained, const char *where, cm_error *error);

/** It is there more than once: fill the error. @param tenants  some of them, as words */
cm_status cm_explained_ambiguous(const cm_explained *explained, cm_slice one, cm_slice other,
                                 cm_error *error);

#endif

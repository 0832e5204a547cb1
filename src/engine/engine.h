/* What an engine is made of: for those who load and match in many threads, and for its account of
 * memory. */
#ifndef CM_ENGINE_ENGINE_H
#define CM_ENGINE_ENGINE_H

#include "match/matcher.h"

struct cm_engine {
    cm_model *model; /* its own copy */
    cm_click_index index;
    cm_scoring scoring;
};

/**
 * Score by another model from now on. Nobody may be matching.
 *
 * @param model  borrowed and copied; must have the same windows, retention and address prefixes,
 * and compare traits as the one before does or does not: what is stored was stored by them
 * @return CM_OK; CM_ERROR_MODEL or CM_ERROR_MEMORY: nothing has changed
 */
cm_status cm_engine_set_model(cm_engine *engine, const cm_model *model, cm_error *error);

/** Go by another rule than the model's from now on (match/weights.h). Nobody may be matching. */
static inline void cm_engine_set_rule(cm_engine *engine, cm_rule rule)
{
    cm_scoring_set_rule(&engine->scoring, rule);
}

#define CM_MEMORY_PARTS_MAX (14 + CM_NAME_KIND_COUNT)

/** What a part of an engine takes. */
typedef struct cm_memory_part {
    const char *name; /* static; what it holds */
    size_t bytes;
} cm_memory_part;

/**
 * What an engine takes, part by part: everything it has allocated.
 *
 * @param parts  receives them; room for CM_MEMORY_PARTS_MAX
 * @return how many
 */
size_t cm_engine_memory_parts(const cm_engine *engine, cm_memory_part *parts);

#endif

#include "cmd/explain_run.h"

#include "cmd/memory_max.h"
#include "cmd/run.h"
#include "explain/words.h"
#include "model/copy.h"
#include "util/error.h"

cm_status cm_explained_begin(cm_explained *explained, const cm_conversion *conversion,
                             cm_error *error)
{
    cm_options options = {0};
    if (!cm_conversion_copy(conversion, &explained->arena, &explained->conversion))
        return cm_error_memory(error, "a conversion", sizeof *conversion);
    explained->is_found = true;
    explained->limits = cm_memory_load_limits(explained->settings);
    cm_status status = cm_run_random(&options.hash_seed, error);
    if (status == CM_OK)
        status = cm_engine_create(&options, explained->model, &explained->engine, error);
    if (status == CM_OK)
        status =
            cm_misses_create(explained->model, &explained->conversion, &explained->misses, error);
    return status;
}

/* Without the oldest clicks it would be another result that is explained. */
static cm_status refuse(const cm_load_limits *limits, cm_error *error)
{
    if (cm_load_limits_over(limits) != CM_OVER_CLICKS)
        return cm_memory_refuse(limits, "the conversion's tenant", error);
    return cm_error_set(error, CM_ERROR_CAPACITY,
                        "the clicks of the conversion's tenant take more than %zu MiB, three "
                        "quarters of --memory-max; all of them count for the explanation: give a "
                        "larger --memory-max",
                        limits->click_bytes_max >> 20);
}

cm_status cm_explained_add(cm_explained *explained, const cm_click *click, cm_error *error)
{
    cm_load_limits *limits = &explained->limits;
    cm_add_counts counts;
    cm_status status = cm_engine_add(explained->engine, click, 1, &counts, error);
    if (status != CM_OK || counts.added == 0)
        return status;
    cm_load_limits_count(limits, explained->engine, cm_click_cost(click, explained->model), 0);
    if (cm_load_limits_over(limits) != CM_OVER_NOTHING)
        return refuse(limits, error);
    return cm_misses_look(explained->misses, click, error);
}

cm_status cm_explained_end(cm_explained *explained, cm_error *error)
{
    return cm_engine_explain(explained->engine, &explained->conversion, &explained->trace, error);
}

cm_status cm_explained_missing(const cm_explained *explained, const char *where, cm_error *error)
{
    return cm_error_set(error, CM_ERROR_ARGUMENT, "conversion '%.100s'%s%.100s%s is not in %.200s",
                        explained->conversion_id, explained->tenant == NULL ? "" : " of tenant '",
                        explained->tenant == NULL ? "" : explained->tenant,
                        explained->tenant == NULL ? "" : "'", where);
}

cm_status cm_explained_ambiguous(const cm_explained *explained, cm_slice one, cm_slice other,
                                 cm_error *error)
{
    cm_buffer names = {0};
    cm_words_text(&names, one);
    cm_words(&names, "' and '");
    cm_words_text(&names, other);
    cm_status status = cm_error_set(
        error, CM_ERROR_ARGUMENT,
        "several tenants have a conversion '%.100s': '%.*s'; give --tenant",
        explained->conversion_id, (int)(names.size < 250 ? names.size : 250), names.data);
    cm_buffer_destroy(&names);
    return status;
}

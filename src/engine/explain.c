/* Tracing as part of the public interface: include/clickmatch.h. */
#include "match/trace.h"

#include "engine/engine.h"

/* A trace and what it points to. */
struct owned_trace {
    cm_trace trace; /* first: what the caller has */
    cm_arena arena;
};

static cm_status fill(const cm_engine *engine, const cm_conversion *conversion,
                      struct owned_trace *owned, cm_error *error)
{
    cm_matcher *matcher;
    cm_result result;
    cm_status status = cm_matcher_create(engine, &matcher, error);
    if (status != CM_OK)
        return status;
    status = cm_matcher_match(matcher, conversion, 1, &result, error);
    if (status == CM_OK)
        status = cm_trace_run(matcher, conversion, &owned->arena, &owned->trace, error);
    if (status == CM_OK)
        owned->trace.result = result;
    cm_matcher_destroy(matcher);
    return status;
}

cm_status cm_engine_explain(const cm_engine *engine, const cm_conversion *conversion,
                            cm_trace **trace, cm_error *error)
{
    struct owned_trace *owned = calloc(1, sizeof *owned);
    *trace = NULL;
    if (owned == NULL)
        return cm_error_memory(error, "a trace", sizeof *owned);
    cm_status status = fill(engine, conversion, owned, error);
    if (status != CM_OK)
        cm_trace_destroy(&owned->trace);
    else
        *trace = &owned->trace;
    return status;
}

void cm_trace_destroy(cm_trace *trace)
{
    struct owned_trace *owned = (struct owned_trace *)trace;
    if (owned != NULL)
        cm_arena_destroy(&owned->arena);
    free(owned);
}

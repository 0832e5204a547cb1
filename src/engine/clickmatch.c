/* The public interface: include/clickmatch.h. */
#include "engine/engine.h"
#include "model/build.h"

#define ADD_BATCH 64

static cm_status create_parts(cm_engine *engine, const cm_options *options, const cm_model *model,
                              cm_error *error)
{
    cm_status status = CM_OK;
    if (model == NULL)
        status = cm_model_create(NULL, 0, &engine->model, error);
    else if ((engine->model = cm_model_copy(model)) == NULL)
        status = cm_error_memory(error, "a model", sizeof *model);
    if (status != CM_OK)
        return status;
    cm_click_index_init(&engine->index, engine->model, options == NULL ? 0 : options->hash_seed);
    status = cm_scoring_init(&engine->scoring, engine->model, error);
    if (status == CM_OK && options != NULL &&
        !cm_click_index_expect(&engine->index, options->clicks_expected))
        status = cm_error_memory(error, "the click id table", options->clicks_expected * 12);
    return status;
}

cm_status cm_engine_create(const cm_options *options, const cm_model *model, cm_engine **engine,
                           cm_error *error)
{
    *engine = calloc(1, sizeof **engine);
    if (*engine == NULL)
        return cm_error_memory(error, "an engine", sizeof **engine);
    cm_status status = create_parts(*engine, options, model, error);
    if (status != CM_OK) {
        cm_engine_destroy(*engine);
        *engine = NULL;
    }
    return status;
}

void cm_engine_destroy(cm_engine *engine)
{
    if (engine == NULL)
        return;
    cm_click_index_destroy(&engine->index);
    cm_scoring_destroy(&engine->scoring);
    cm_model_destroy(engine->model);
    free(engine);
}

static cm_status check_same_window(const cm_model *old, const cm_model *model, cm_error *error)
{
    const char *field = NULL;
    if (old->has_traits != model->has_traits)
        field = "traits";
    if (old->ipv6_prefix != model->ipv6_prefix)
        field = "ipv6_prefix";
    if (old->ipv4_prefix != model->ipv4_prefix)
        field = "ipv4_prefix";
    if (old->retention_us != model->retention_us)
        field = "retention_hours";
    if (old->probabilistic_window_us != model->probabilistic_window_us)
        field = "probabilistic_window_hours";
    if (old->window_us != model->window_us)
        field = "window_hours";
    if (field == NULL)
        return CM_OK;
    return cm_error_set(error, CM_ERROR_MODEL,
                        "%s: the window was built by another value; start anew with this model",
                        field);
}

cm_status cm_engine_set_model(cm_engine *engine, const cm_model *model, cm_error *error)
{
    cm_scoring scoring = {0};
    cm_status status = check_same_window(engine->model, model, error);
    if (status != CM_OK)
        return status;
    cm_model *copy = cm_model_copy(model);
    if (copy == NULL)
        return cm_error_memory(error, "a model", sizeof *copy);
    status = cm_scoring_init(&scoring, copy, error);
    if (status != CM_OK) {
        cm_model_destroy(copy);
        return status;
    }
    cm_scoring_destroy(&engine->scoring);
    cm_model_destroy(engine->model);
    engine->model = copy;
    engine->scoring = scoring;
    engine->index.rules.model = copy;
    return CM_OK;
}

static cm_status refuse(cm_error *error, cm_row_kind kind, size_t number, const cm_reject *reject)
{
    const char *what = kind == CM_ROW_CLICK ? "click" : "conversion";
    const char *field =
        reject->field == CM_FIELD_NONE ? "record" : cm_field_name(kind, reject->field);
    return cm_error_set_at(error, CM_ERROR_ARGUMENT, number + 1, 0, "%s %zu: %s: %s", what,
                           number + 1, field, reject->reason);
}

static cm_status check_clicks(const cm_click *clicks, size_t count, cm_error *error)
{
    cm_reject reject;
    for (size_t i = 0; i < count; i++)
        if (!cm_click_check(&clicks[i], &reject))
            return refuse(error, CM_ROW_CLICK, i, &reject);
    return CM_OK;
}

static cm_status add_batch(cm_engine *engine, const cm_click *clicks, size_t count,
                           cm_key_scratch *scratch, cm_add_counts *counts, size_t *done,
                           cm_error *error)
{
    cm_click_keys keys[ADD_BATCH];
    uint64_t duplicates = 0;
    cm_arena_reset(&scratch->arena);
    *done = 0;
    for (size_t i = 0; i < count; i++)
        if (!cm_click_keys_make(&engine->index.rules, &clicks[i], scratch, &keys[i]))
            return cm_error_memory(error, "the keys of clicks", sizeof keys);
    cm_status status =
        cm_click_index_insert(&engine->index, clicks, keys, count, &duplicates, done, error);
    counts->duplicates += duplicates;
    counts->added += *done - duplicates;
    return status;
}

cm_status cm_engine_add(cm_engine *engine, const cm_click *clicks, size_t count,
                        cm_add_counts *counts, cm_error *error)
{
    cm_add_counts ignored;
    counts = counts == NULL ? &ignored : counts;
    *counts = (cm_add_counts){0};
    cm_status status = check_clicks(clicks, count, error);
    if (status != CM_OK)
        return status;
    cm_key_scratch scratch = {0};
    size_t done = 0;
    while (status == CM_OK && done < count) {
        size_t batch = count - done < ADD_BATCH ? count - done : ADD_BATCH;
        size_t dealt;
        status = add_batch(engine, clicks + done, batch, &scratch, counts, &dealt, error);
        done += dealt;
    }
    if (status != CM_OK && error != NULL)
        error->line = done + 1;
    cm_key_scratch_destroy(&scratch);
    return status;
}

/* What a thread's scratch needs is taken at once, so that matching need not. */
static bool warm_up(cm_matcher *matcher)
{
    matcher->keys.digest = cm_digest_create();
    bool ready = matcher->keys.digest != NULL && cm_arena_take(&matcher->keys.arena, 1) != NULL;
    cm_arena_reset(&matcher->keys.arena);
    return ready;
}

cm_status cm_matcher_create(const cm_engine *engine, cm_matcher **matcher, cm_error *error)
{
    *matcher = malloc(sizeof **matcher);
    if (*matcher == NULL)
        return cm_error_memory(error, "a matcher", sizeof **matcher);
    cm_matcher_init(*matcher, &engine->index, &engine->scoring);
    if (warm_up(*matcher))
        return CM_OK;
    cm_matcher_destroy(*matcher);
    *matcher = NULL;
    return cm_error_memory(error, "a matcher", sizeof **matcher);
}

void cm_matcher_destroy(cm_matcher *matcher)
{
    if (matcher != NULL)
        cm_matcher_release(matcher);
    free(matcher);
}

cm_status cm_matcher_match(cm_matcher *matcher, const cm_conversion *conversions, size_t count,
                           cm_result *results, cm_error *error)
{
    cm_reject reject;
    for (size_t i = 0; i < count; i++)
        if (!cm_conversion_check(&conversions[i], &reject))
            return refuse(error, CM_ROW_CONVERSION, i, &reject);
    return cm_matcher_run(matcher, conversions, count, results, error);
}

cm_status cm_engine_match(const cm_engine *engine, const cm_conversion *conversions, size_t count,
                          cm_result *results, cm_error *error)
{
    cm_matcher *matcher;
    cm_status status = cm_matcher_create(engine, &matcher, error);
    if (status != CM_OK)
        return status;
    status = cm_matcher_match(matcher, conversions, count, results, error);
    cm_matcher_destroy(matcher);
    return status;
}

size_t cm_engine_expire(cm_engine *engine, int64_t watermark)
{
    return cm_click_index_expire(&engine->index, watermark);
}

size_t cm_engine_click_count(const cm_engine *engine)
{
    return cm_click_store_count(&engine->index.catalog.store);
}

size_t cm_engine_memory(const cm_engine *engine)
{
    cm_memory_part parts[CM_MEMORY_PARTS_MAX];
    size_t count = cm_engine_memory_parts(engine, parts);
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += parts[i].bytes;
    return bytes;
}

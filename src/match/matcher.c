#include "match/matcher.h"

void cm_matcher_init(cm_matcher *matcher, const cm_click_index *index, const cm_weights *weights)
{
    matcher->context = (cm_layer_context){index, weights};
    matcher->keys = (cm_key_scratch){0};
}

void cm_matcher_destroy(cm_matcher *matcher)
{
    cm_key_scratch_destroy(&matcher->keys);
}

static void set_click(const cm_click_index *index, const cm_query *query, uint32_t number,
                      cm_result *result)
{
    const cm_click_row *row = cm_click_store_row(&index->catalog.store, number);
    cm_click_texts texts = cm_click_store_texts(&index->catalog.store, number);
    cm_slice names[4];
    cm_campaign_split(cm_catalog_name(&index->catalog, CM_NAME_CAMPAIGN, row->campaign), names);
    result->click = (cm_matched_click){
        .click_id = texts.click_id,
        .campaign_id = names[0],
        .adset_id = names[1],
        .ad_id = names[2],
        .creative_id = names[3],
        .reference = texts.reference,
        .click_timestamp = cm_click_row_time(row),
    };
    result->window_hours = (query->t - cm_click_row_time(row)) / CM_HOUR_US;
}

static void set_candidates(const cm_click_index *index, const cm_score *score, cm_result *result)
{
    result->candidate_count = (uint32_t)score->best_count;
    for (size_t i = 0; i < score->best_count; i++) {
        result->candidates[i].click_id = cm_click_store_id(&index->catalog.store, score->best[i]);
        result->candidates[i].probability = score->best_probabilities[i];
    }
}

static void set_success(const cm_click_index *index, const cm_query *query, cm_method method,
                        const cm_score *score, cm_result *result)
{
    result->method = method;
    result->probability = score->probability;
    result->confidence = score->confidence;
    set_click(index, query, score->best[0], result);
}

/* A step of all conversions of a batch that are still open. */
typedef void (*query_step)(const cm_click_index *index, const cm_query *query);

static void run_layer_1(cm_matcher *matcher, size_t count, cm_result *results)
{
    const cm_click_index *index = matcher->context.index;
    for (size_t i = 0; i < count; i++)
        cm_query_prefetch_rows(index, &matcher->queries[i]);
    for (size_t i = 0; i < count; i++)
        cm_query_prefetch_texts(index, &matcher->queries[i]);
    for (size_t i = 0; i < count; i++) {
        cm_query *query = &matcher->queries[i];
        cm_result *result = &results[i];
        uint32_t click = CM_NUMBER_NONE;
        *result = (cm_result){.window_hours = -1};
        result->layers[0] = cm_layer_1(index, query, &click);
        result->layers[1] = CM_LAYER_NOT_ATTEMPTED;
        result->layers[2] = CM_LAYER_NOT_ATTEMPTED;
        if (result->layers[0] != CM_LAYER_SUCCESS) {
            cm_query_prefetch_device(index, query);
            continue;
        }
        result->method = CM_METHOD_URL_PARAM;
        result->probability = 1.0;
        result->confidence = 1.0;
        set_click(index, query, click, result);
    }
}

static bool is_open(const cm_result *result)
{
    return result->method == CM_METHOD_UNATTRIBUTED;
}

/* A layer that weighs candidates. */
struct weighing {
    size_t place; /* in cm_result.layers */
    cm_layer_word (*run)(const cm_layer_context *context, const cm_query *query,
                         cm_layer_scratch *scratch, cm_score *score);
    cm_layer_word low; /* what it says when the best is not good enough */
    cm_method method;
};

static const struct weighing FINGERPRINT = {1, cm_layer_2, CM_LAYER_LOW_CONFIDENCE,
                                            CM_METHOD_FINGERPRINT};
static const struct weighing PROBABILISTIC = {2, cm_layer_3, CM_LAYER_LOW_PROBABILITY,
                                              CM_METHOD_PROBABILISTIC};

static void weigh(cm_matcher *matcher, const cm_query *query, const struct weighing *layer,
                  cm_result *result)
{
    cm_score score;
    cm_layer_word word = layer->run(&matcher->context, query, &matcher->layers, &score);
    result->layers[layer->place] = word;
    if (word != CM_LAYER_SUCCESS && word != layer->low)
        return;
    set_candidates(matcher->context.index, &score, result);
    if (layer == &FINGERPRINT) {
        result->layer_2_weighed = true;
        result->layer_2_probability = score.probability;
    }
    if (word == CM_LAYER_SUCCESS)
        set_success(matcher->context.index, query, layer->method, &score, result);
}

static void run_weighing(cm_matcher *matcher, size_t count, const struct weighing *layer,
                         cm_result *results)
{
    for (size_t i = 0; i < count; i++)
        if (is_open(&results[i]))
            weigh(matcher, &matcher->queries[i], layer, &results[i]);
}

static void find_devices(cm_matcher *matcher, size_t count, const cm_result *results)
{
    static const query_step steps[] = {cm_query_prefetch_groups, cm_query_prefetch_lists,
                                       cm_query_prefetch_newest};
    const cm_click_index *index = matcher->context.index;
    cm_query *open[CM_MATCH_BATCH];
    size_t open_count = 0;
    for (size_t i = 0; i < count; i++)
        if (is_open(&results[i]))
            open[open_count++] = &matcher->queries[i];
    for (size_t step = 0; step < sizeof steps / sizeof *steps; step++)
        for (size_t i = 0; i < open_count; i++)
            steps[step](index, open[i]);
    for (size_t i = 0; i < open_count; i++)
        cm_query_find_device(index, open[i]);
}

static bool make_keys(cm_matcher *matcher, const cm_conversion *conversions, size_t count)
{
    const cm_click_index *index = matcher->context.index;
    cm_arena_reset(&matcher->keys.arena);
    for (size_t i = 0; i < count; i++) {
        cm_query *query = &matcher->queries[i];
        query->conversion = &conversions[i];
        query->t = conversions[i].conversion_timestamp;
        if (!cm_conversion_keys_make(&index->rules, &conversions[i], &matcher->keys, &query->keys))
            return false;
        cm_query_start(index, query);
    }
    return true;
}

cm_status cm_matcher_run(cm_matcher *matcher, const cm_conversion *conversions, size_t count,
                         cm_result *results, cm_error *error)
{
    while (count > 0) {
        size_t batch = count < CM_MATCH_BATCH ? count : CM_MATCH_BATCH;
        if (!make_keys(matcher, conversions, batch))
            return cm_error_memory(error, "the keys of conversions", 0);
        run_layer_1(matcher, batch, results);
        find_devices(matcher, batch, results);
        run_weighing(matcher, batch, &FINGERPRINT, results);
        run_weighing(matcher, batch, &PROBABILISTIC, results);
        conversions += batch;
        results += batch;
        count -= batch;
    }
    return CM_OK;
}

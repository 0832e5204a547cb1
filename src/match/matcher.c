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
    const cm_click_row *row = cm_click_store_row(&index->store, number);
    cm_click_texts texts = cm_click_store_texts(&index->store, number);
    cm_slice names[4];
    cm_campaign_split(cm_dictionary_text(&index->campaigns, row->campaign), names);
    result->click = (cm_matched_click){
        .click_id = texts.click_id,
        .campaign_id = names[0],
        .adset_id = names[1],
        .ad_id = names[2],
        .creative_id = names[3],
        .reference = texts.reference,
        .click_timestamp = row->click_timestamp,
    };
    result->window_hours = (query->t - row->click_timestamp) / CM_HOUR_US;
}

static void set_candidates(const cm_click_index *index, const cm_score *score, cm_result *result)
{
    result->candidate_count = (uint32_t)score->best_count;
    for (size_t i = 0; i < score->best_count; i++) {
        result->candidates[i].click_id = cm_click_store_id(&index->store, score->best[i]);
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

static void run_layer_1(cm_matcher *matcher, size_t count, cm_result *results)
{
    const cm_click_index *index = matcher->context.index;
    for (size_t i = 0; i < count; i++) {
        cm_query *query = &matcher->queries[i];
        cm_result *result = &results[i];
        uint32_t click = CM_NUMBER_NONE;
        *result = (cm_result){.window_hours = -1};
        cm_query_find_tenant(index, query);
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

static void run_layer_2(cm_matcher *matcher, size_t count, cm_result *results)
{
    const cm_click_index *index = matcher->context.index;
    for (size_t i = 0; i < count; i++)
        if (is_open(&results[i]))
            cm_query_find_device(index, &matcher->queries[i]);
    for (size_t i = 0; i < count; i++) {
        cm_result *result = &results[i];
        if (!is_open(result))
            continue;
        cm_score score;
        const cm_query *query = &matcher->queries[i];
        result->layers[1] = cm_layer_2(&matcher->context, query, &matcher->layers, &score);
        if (result->layers[1] != CM_LAYER_SUCCESS && result->layers[1] != CM_LAYER_LOW_CONFIDENCE)
            continue;
        result->layer_2_weighed = true;
        result->layer_2_probability = score.probability;
        set_candidates(index, &score, result);
        if (score.success)
            set_success(index, query, CM_METHOD_FINGERPRINT, &score, result);
    }
}

static void run_layer_3(cm_matcher *matcher, size_t count, cm_result *results)
{
    const cm_click_index *index = matcher->context.index;
    for (size_t i = 0; i < count; i++) {
        cm_result *result = &results[i];
        if (!is_open(result))
            continue;
        cm_score score;
        const cm_query *query = &matcher->queries[i];
        result->layers[2] = cm_layer_3(&matcher->context, query, &matcher->layers, &score);
        if (result->layers[2] != CM_LAYER_SUCCESS && result->layers[2] != CM_LAYER_LOW_PROBABILITY)
            continue;
        set_candidates(index, &score, result);
        if (score.success)
            set_success(index, query, CM_METHOD_PROBABILISTIC, &score, result);
    }
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
        cm_query_prefetch_ids(index, query);
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
        run_layer_2(matcher, batch, results);
        run_layer_3(matcher, batch, results);
        conversions += batch;
        results += batch;
        count -= batch;
    }
    return CM_OK;
}

#include "match/matcher.h"

#include "util/check.h"
#include "util/prefetch.h"

void cm_matcher_init(cm_matcher *matcher, const cm_click_index *index, const cm_scoring *scoring)
{
    matcher->context = (cm_layer_context){index, scoring};
    matcher->keys = (cm_key_scratch){0};
    matcher->layers.generation = 0;
    matcher->layers.looked_at = 0;
    memset(matcher->layers.slots, 0, sizeof matcher->layers.slots);
}

void cm_matcher_release(cm_matcher *matcher)
{
    cm_key_scratch_destroy(&matcher->keys);
}

/* A step of all conversions of a batch that are still open. */
typedef void (*query_step)(const cm_click_index *index, cm_query *query);

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
        matcher->outcomes[i].winner = CM_NUMBER_NONE;
        result->layers[0] = cm_layer_1(index, query, &click);
        result->layers[1] = CM_LAYER_NOT_ATTEMPTED;
        result->layers[2] = CM_LAYER_NOT_ATTEMPTED;
        if (result->layers[0] != CM_LAYER_SUCCESS)
            continue;
        result->method = CM_METHOD_URL_PARAM;
        result->probability = 1.0;
        result->confidence = 1.0;
        matcher->outcomes[i].winner = click;
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

static void weigh(cm_matcher *matcher, size_t at, const struct weighing *layer, cm_result *result)
{
    cm_score score;
    cm_outcome *outcome = &matcher->outcomes[at];
    cm_layer_word word =
        layer->run(&matcher->context, &matcher->queries[at], &matcher->layers, &score);
    result->layers[layer->place] = word;
    if (word != CM_LAYER_SUCCESS && word != layer->low)
        return;
    result->candidate_count = (uint32_t)score.best_count;
    for (size_t i = 0; i < score.best_count; i++) {
        outcome->candidates[i] = score.best[i];
        result->candidates[i].probability = score.best_probabilities[i];
    }
    if (layer == &FINGERPRINT) {
        result->layer_2_weighed = true;
        result->layer_2_probability = score.probability;
    }
    if (word != CM_LAYER_SUCCESS)
        return;
    outcome->winner = score.best[0];
    result->method = layer->method;
    result->probability = score.probability;
    result->confidence = score.confidence;
}

static void run_weighing(cm_matcher *matcher, size_t count, const struct weighing *layer,
                         cm_result *results)
{
    for (size_t i = 0; i < count; i++)
        if (is_open(&results[i]))
            weigh(matcher, i, layer, &results[i]);
}

/* results: those that are open; NULL: all are. */
static bool find_devices(cm_matcher *matcher, size_t count, const cm_result *results)
{
    static const query_step steps[] = {cm_query_prefetch_groups, cm_query_prefetch_lists,
                                       cm_query_prefetch_chunks, cm_query_seek,
                                       cm_query_seek_places};
    const cm_click_index *index = matcher->context.index;
    cm_query *open[CM_MATCH_BATCH];
    size_t open_count = 0;
    for (size_t i = 0; i < count; i++) {
        cm_query *query = &matcher->queries[i];
        if (results != NULL && !is_open(&results[i]))
            continue;
        if (!cm_conversion_keys_make_device(&index->rules, query->conversion, &matcher->keys,
                                            &query->keys))
            return false;
        cm_query_prefetch_device(index, query);
        open[open_count++] = query;
    }
    for (size_t step = 0; step < sizeof steps / sizeof *steps; step++)
        for (size_t i = 0; i < open_count; i++)
            steps[step](index, open[i]);
    for (size_t i = 0; i < open_count; i++)
        cm_query_find_device(index, &matcher->whos, open[i]);
    for (size_t i = 0; i < open_count; i++)
        cm_query_find_range(index, open[i]);
    return true;
}

/* ---- filling in the results: texts of clicks, which lie far apart ---- */

static void prefetch_places(const cm_click_store *store, const cm_outcome *outcome,
                            const cm_result *result)
{
    if (outcome->winner != CM_NUMBER_NONE)
        cm_click_store_prefetch_place(store, outcome->winner);
    for (uint32_t i = 0; i < result->candidate_count; i++)
        cm_click_store_prefetch_place(store, outcome->candidates[i]);
}

static void prefetch_texts(const cm_catalog *catalog, const cm_outcome *outcome,
                           const cm_result *result)
{
    for (uint32_t i = 0; i < result->candidate_count; i++)
        cm_click_store_prefetch_text(&catalog->store, outcome->candidates[i]);
    if (outcome->winner == CM_NUMBER_NONE)
        return;
    cm_click_store_prefetch_text(&catalog->store, outcome->winner);
    uint32_t campaign = cm_click_store_row(&catalog->store, outcome->winner)->campaign;
    if (campaign != CM_NUMBER_MISSING)
        cm_prefetch(&catalog->names[CM_NAME_CAMPAIGN].texts[campaign]);
}

static void prefetch_campaign(const cm_catalog *catalog, const cm_outcome *outcome)
{
    if (outcome->winner == CM_NUMBER_NONE)
        return;
    uint32_t campaign = cm_click_store_row(&catalog->store, outcome->winner)->campaign;
    cm_prefetch(cm_catalog_name(catalog, CM_NAME_CAMPAIGN, campaign).data);
}

static void fill(const cm_catalog *catalog, const cm_query *query, const cm_outcome *outcome,
                 cm_result *result)
{
    for (uint32_t i = 0; i < result->candidate_count; i++)
        result->candidates[i].click_id = cm_click_store_id(&catalog->store, outcome->candidates[i]);
    if (outcome->winner == CM_NUMBER_NONE)
        return;
    const cm_click_row *row = cm_click_store_row(&catalog->store, outcome->winner);
    cm_click_texts texts = cm_click_store_texts(&catalog->store, outcome->winner);
    cm_slice names[4];
    cm_campaign_split(cm_catalog_name(catalog, CM_NAME_CAMPAIGN, row->campaign), names);
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

static void fill_results(const cm_matcher *matcher, size_t count, cm_result *results)
{
    const cm_catalog *catalog = &matcher->context.index->catalog;
    for (size_t i = 0; i < count; i++)
        prefetch_places(&catalog->store, &matcher->outcomes[i], &results[i]);
    for (size_t i = 0; i < count; i++)
        prefetch_texts(catalog, &matcher->outcomes[i], &results[i]);
    for (size_t i = 0; i < count; i++)
        prefetch_campaign(catalog, &matcher->outcomes[i]);
    for (size_t i = 0; i < count; i++)
        fill(catalog, &matcher->queries[i], &matcher->outcomes[i], &results[i]);
}

/* A record is read through pointers to its texts: whoever gives many has them far apart. */
static void prefetch_record(const cm_conversion *conversion)
{
    const cm_device *device = &conversion->device;
    cm_prefetch(conversion->tenant_id.data);
    if (conversion->click_id.size > 0)
        cm_prefetch(conversion->click_id.data);
    if (conversion->fbclid.size > 0)
        cm_prefetch(conversion->fbclid.data);
    if (conversion->gclid.size > 0)
        cm_prefetch(conversion->gclid.data);
    if (device->device_type.size > 0)
        cm_prefetch(device->device_type.data);
    for (size_t at = 0; at < device->user_agent.size && at < 192; at += 64)
        cm_prefetch(device->user_agent.data + at);
}

#define RECORDS_AHEAD 8

static bool make_keys(cm_matcher *matcher, const cm_conversion *conversions, size_t count)
{
    const cm_click_index *index = matcher->context.index;
    cm_arena_reset(&matcher->keys.arena);
    for (size_t i = 0; i < count; i++) {
        cm_query *query = &matcher->queries[i];
        if (i + RECORDS_AHEAD < count)
            prefetch_record(&conversions[i + RECORDS_AHEAD]);
        query->conversion = &conversions[i];
        query->t = conversions[i].conversion_timestamp;
        if (!cm_conversion_keys_make(&index->rules, &conversions[i], &matcher->keys, &query->keys))
            return false;
        cm_query_start(index, query);
    }
    return true;
}

cm_status cm_matcher_prepare(cm_matcher *matcher, const cm_conversion *conversions, size_t count,
                             uint32_t *labels, cm_error *error)
{
    cm_result results[CM_MATCH_BATCH];
    CM_CHECK(count <= CM_MATCH_BATCH);
    memset(&matcher->whos, 0, sizeof matcher->whos);
    if (!make_keys(matcher, conversions, count))
        return cm_error_memory(error, "the keys of conversions", 0);
    run_layer_1(matcher, count, results);
    if (!find_devices(matcher, count, NULL))
        return cm_error_memory(error, "the keys of conversions", 0);
    for (size_t i = 0; i < count; i++)
        labels[i] = matcher->outcomes[i].winner;
    return CM_OK;
}

cm_status cm_matcher_run(cm_matcher *matcher, const cm_conversion *conversions, size_t count,
                         cm_result *results, cm_error *error)
{
    /* Clicks may have come or gone since the last call. */
    memset(&matcher->whos, 0, sizeof matcher->whos);
    while (count > 0) {
        size_t batch = count < CM_MATCH_BATCH ? count : CM_MATCH_BATCH;
        if (!make_keys(matcher, conversions, batch))
            return cm_error_memory(error, "the keys of conversions", 0);
        run_layer_1(matcher, batch, results);
        if (!find_devices(matcher, batch, results))
            return cm_error_memory(error, "the keys of conversions", 0);
        run_weighing(matcher, batch, &FINGERPRINT, results);
        run_weighing(matcher, batch, &PROBABILISTIC, results);
        fill_results(matcher, batch, results);
        conversions += batch;
        results += batch;
        count -= batch;
    }
    return CM_OK;
}

#include "match/trace.h"

#include <math.h>
#include <stdlib.h>

#include "match/factors.h"
#include "match/newest.h"
#include "match/trace_device.h"
#include "model/normal.h"
#include "util/check.h"

struct tracing {
    cm_matcher *matcher;
    cm_query query;
    cm_arena *arena;
    cm_trace *trace;
};

/* A layer that weighs. */
struct weighing {
    size_t place; /* in cm_trace.layers */
    enum cm_weighed_layer layer;
    cm_layer_word (*run)(const cm_layer_context *context, const cm_query *query,
                         cm_layer_scratch *scratch, cm_score *score);
};

static const struct weighing WEIGHINGS[] = {
    {1, CM_WEIGH_FINGERPRINT, cm_layer_2},
    {2, CM_WEIGH_PROBABILISTIC, cm_layer_3},
};

static const cm_model *model_of(const struct tracing *tracing)
{
    return tracing->matcher->context.scoring->model;
}

/* ---- layer 1 ---- */

/* Which of the ids that the conversion carries led to the click: the first that it has. */
static const char *matched_by(const cm_catalog *catalog, const cm_query *query, uint32_t click)
{
    cm_click_texts texts = cm_click_store_texts(&catalog->store, click);
    if (cm_slice_equal(query->conversion->click_id, texts.click_id))
        return "click_id";
    if (query->keys.params[CM_PARAM_FBCLID].size > 0 &&
        cm_slice_equal(query->keys.params[CM_PARAM_FBCLID], texts.fbclid))
        return "fbclid";
    return "gclid";
}

static bool trace_layer_1(struct tracing *tracing)
{
    const cm_click_index *index = tracing->matcher->context.index;
    uint32_t click = CM_NUMBER_NONE;
    cm_query_start(index, &tracing->query);
    cm_layer_word word = cm_layer_1(index, &tracing->query, &click);
    tracing->trace->layers[0].word = word;
    if (word != CM_LAYER_SUCCESS)
        return false;
    tracing->trace->matched_by = matched_by(&index->catalog, &tracing->query, click);
    return true;
}

/* ---- layers 2 and 3 ---- */

/* A candidate: its place among the weighed, newest first, and what it came to. */
struct ranked {
    double weight;
    size_t place;
    uint32_t click;
};

/* Places rise from the newest on. */
static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *x = a;
    const struct ranked *y = b;
    if (x->weight != y->weight)
        return x->weight > y->weight ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

/* What the scratch holds after a layer has run, and its model. */
struct weighed {
    const struct weighing *weighing;
    const cm_weights *weights;
    const cm_layer_model *model;
    cm_layer_facts facts;
    double total;
    const double *alone, *joint; /* by look: its weight as a device's only click, and with others */
};

static double address_u(const struct tracing *tracing, const cm_trace_layer *layer)
{
    return cm_layer_2_address_u(&tracing->matcher->context, &tracing->query,
                                layer->address_clicks + 1);
}

/* The weight of a click that is among the weighed. */
static double weight_of(const cm_layer_scratch *scratch, uint32_t click)
{
    const cm_weighed *weighed = scratch->weighed;
    while (weighed->click != click)
        weighed++;
    return weighed->w;
}

/* Where a click is among looks; count where it is not. */
static size_t place_of(const cm_candidate_look *looks, size_t count, uint32_t click)
{
    size_t place = 0;
    while (place < count && looks[place].click != click)
        place++;
    return place;
}

/* The probability of a candidate if one of its comparisons came out equal: all are weighed anew, by
 * the same arithmetic. Its click is then one more on the address. */
static double p_if_equal(struct tracing *tracing, const struct weighed *of,
                         const cm_trace_layer *layer, size_t place, uint32_t factor)
{
    cm_matcher *matcher = tracing->matcher;
    cm_layer_scratch *scratch = &matcher->layers;
    cm_candidate_look kept = scratch->looks[place];
    bool is_address = of->weighing->layer == CM_WEIGH_FINGERPRINT;
    double total;
    cm_candidate_equate(of->weights, of->weighing->layer, factor, &scratch->looks[place]);
    is_address = is_address && scratch->looks[place].evidence != kept.evidence;
    cm_weigh_layer(&matcher->context, &tracing->query, of->weighing->layer,
                   is_address ? address_u(tracing, layer) : of->facts.u, scratch, &total);
    scratch->looks[place] = kept;
    return cm_calibrate(of->model, weight_of(scratch, kept.click) / total);
}

static void ask_if_equal(struct tracing *tracing, const struct weighed *of,
                         const cm_trace_layer *layer, uint32_t click, cm_trace_candidate *candidate)
{
    size_t place = place_of(tracing->matcher->layers.looks, of->facts.count, click);
    if (place == of->facts.count)
        return;
    for (uint32_t i = 0; i < candidate->factor_count; i++) {
        cm_trace_factor *factor = &candidate->factors[i];
        if (factor->is_comparison && factor->outcome != CM_COMPARE_EQUAL)
            factor->p_if_equal = p_if_equal(tracing, of, layer, place, i);
    }
}

/* Each look's weight as the only click of its device, and with older ones: the scratch's weighed
 * are overwritten. */
static void weigh_apart(const struct tracing *tracing, const struct weighed *of, double *alone,
                        double *joint)
{
    cm_layer_scratch *scratch = &tracing->matcher->layers;
    double repeat = of->weights->layers[of->weighing->layer].repeat;
    size_t count = of->facts.count;
    cm_weigh_candidates(of->weights, of->weighing->layer, of->facts.r, of->facts.u, scratch, count);
    for (size_t i = 0; i < count; i++)
        alone[i] = scratch->weighed[i].w;
    if (of->weighing->layer == CM_WEIGH_FINGERPRINT && repeat > 0)
        cm_weigh_repeats(of->weights, &of->facts, scratch, count);
    for (size_t i = 0; i < count; i++)
        joint[i] = scratch->weighed[i].w;
}

static uint32_t factors_of(const struct tracing *tracing, const struct weighed *of,
                           const struct ranked *ranked, cm_trace_candidate *candidate)
{
    const cm_layer_scratch *scratch = &tracing->matcher->layers;
    const cm_layer_facts *facts = &of->facts;
    size_t place = place_of(scratch->looks, facts->count, ranked->click);
    if (place == facts->count) {
        place = place_of(scratch->newer, facts->newer_count, ranked->click);
        candidate->delay_bin = scratch->newer[place].bin;
        double whole = of->joint[place_of(scratch->looks, facts->count, facts->newest)];
        return cm_newer_factors(of->weights, whole, facts->newer_r, facts->shares,
                                &scratch->newer[place], candidate->factors);
    }
    bool is_shared = facts->newer_count > 0 && ranked->click == facts->newest;
    const cm_newest_part part = {of->alone[place] > 0 ? of->joint[place] / of->alone[place] : 1.0,
                                 is_shared ? facts->shares : 1.0};
    candidate->delay_bin = scratch->looks[place].bin;
    uint32_t count = cm_candidate_factors(of->weights, of->weighing->layer, facts->r, facts->u,
                                          &scratch->looks[place], candidate->factors);
    return cm_newest_factors(&part, candidate->factors, count);
}

/* False where memory is short. */
static bool make_candidate(const struct tracing *tracing, const struct weighed *of,
                           const struct ranked *ranked, cm_trace_candidate *candidate)
{
    const cm_click_index *index = tracing->matcher->context.index;
    const cm_click_store *store = &index->catalog.store;
    *candidate = (cm_trace_candidate){
        .click_id = cm_click_store_id(store, ranked->click),
        .click_timestamp = cm_click_store_time(store, ranked->click),
        .weight = ranked->weight,
        .bits = log2(ranked->weight),
        .probability = cm_calibrate(of->model, ranked->weight / of->total),
    };
    candidate->factor_count = factors_of(tracing, of, ranked, candidate);
    return cm_trace_device_of_click(index, ranked->click, tracing->arena, &candidate->device);
}

static bool trace_candidates(struct tracing *tracing, struct weighed *of, cm_trace_layer *layer)
{
    const cm_layer_scratch *scratch = &tracing->matcher->layers;
    size_t count = of->facts.count + of->facts.newer_count;
    struct ranked *ranked = cm_arena_take(tracing->arena, count * sizeof *ranked);
    double *apart = cm_arena_take(tracing->arena, 2 * of->facts.count * sizeof *apart);
    layer->candidates = cm_arena_take(tracing->arena, count * sizeof *layer->candidates);
    if (ranked == NULL || apart == NULL || layer->candidates == NULL)
        return false;
    layer->candidate_count = count;
    for (size_t i = 0; i < count; i++)
        ranked[i] = (struct ranked){scratch->weighed[i].w, i, scratch->weighed[i].click};
    qsort(ranked, count, sizeof *ranked, compare_ranked);
    weigh_apart(tracing, of, apart, apart + of->facts.count);
    of->alone = apart;
    of->joint = apart + of->facts.count;
    for (size_t i = 0; i < count; i++)
        if (!make_candidate(tracing, of, &ranked[i], &layer->candidates[i]))
            return false;
    for (size_t i = 0; i < count && i < CM_RESULT_CANDIDATES_MAX; i++)
        ask_if_equal(tracing, of, layer, ranked[i].click, &layer->candidates[i]);
    return true;
}

static uint64_t count_expired(const struct tracing *tracing, size_t considered)
{
    const cm_click_store *store = &tracing->matcher->context.index->catalog.store;
    uint64_t expired = 0;
    for (size_t i = 0; i < considered; i++)
        expired += tracing->query.t >=
                   cm_click_store_expires_at(store, tracing->matcher->layers.clicks[i]);
    return expired;
}

static void trace_clicks(const struct tracing *tracing, const cm_layer_facts *facts,
                         cm_trace_layer *layer)
{
    layer->clicks = facts->total;
    layer->considered = facts->considered;
    layer->left = facts->left;
    layer->expired = count_expired(tracing, facts->considered);
    layer->newer = facts->newer_count;
    layer->repeats = facts->considered - layer->expired - facts->count;
}

static void trace_surroundings(const struct tracing *tracing, cm_trace_layer *layer)
{
    const cm_click_index *index = tracing->matcher->context.index;
    const cm_query *query = &tracing->query;
    /* A tenant may be known and have no valid click. */
    if (query->tenant == CM_NUMBER_NONE || query->tenant >= index->tenants.count)
        return;
    cm_view all = cm_view_of(&index->tenants.lists, index->tenants.of[query->tenant]);
    layer->tenant_clicks = cm_recent_count(&all, query->t, layer->window_us);
    if (query->keys.device.address_kind != 0)
        layer->address_clicks = cm_recent_count(&query->same_address, query->t, layer->window_us);
}

/* False where memory is short. */
static bool trace_weighing(struct tracing *tracing, const struct weighing *weighing)
{
    const cm_model *model = model_of(tracing);
    cm_layer_scratch *scratch = &tracing->matcher->layers;
    cm_trace_layer *layer = &tracing->trace->layers[weighing->place];
    bool is_fingerprint = weighing->layer == CM_WEIGH_FINGERPRINT;
    cm_score score = {0};
    scratch->facts = (cm_layer_facts){0};
    layer->word = weighing->run(&tracing->matcher->context, &tracing->query, scratch, &score);
    layer->window_us = is_fingerprint ? model->window_us : model->probabilistic_window_us;
    if (is_fingerprint)
        trace_surroundings(tracing, layer);
    trace_clicks(tracing, &scratch->facts, layer);
    if (scratch->facts.count == 0)
        return true;
    const cm_weights *weights = cm_weights_of(&tracing->matcher->context, &tracing->query);
    struct weighed of = {.weighing = weighing,
                         .weights = weights,
                         .model = cm_layer_model_of(weights, weighing->layer),
                         .facts = scratch->facts,
                         .total = score.total};
    layer->oldest_bin = (uint32_t)of.facts.oldest_bin;
    layer->rivals = of.facts.r;
    layer->nobody = of.facts.w0;
    layer->rest = of.facts.rest;
    layer->total = of.total;
    layer->probability = score.probability;
    layer->confidence = score.confidence;
    return trace_candidates(tracing, &of, layer);
}

static bool run(struct tracing *tracing)
{
    const cm_click_index *index = tracing->matcher->context.index;
    cm_matcher *matcher = tracing->matcher;
    cm_query *query = &tracing->query;
    cm_arena_reset(&matcher->keys.arena);
    if (!cm_conversion_keys_make(&index->rules, query->conversion, &matcher->keys, &query->keys) ||
        !cm_conversion_keys_make_device(&index->rules, query->conversion, &matcher->keys,
                                        &query->keys))
        return false;
    if (!cm_trace_device_of_conversion(model_of(tracing), query, tracing->arena,
                                       &tracing->trace->device))
        return false;
    bool is_found = trace_layer_1(tracing);
    if (!is_found) {
        cm_query_find_device(index, &matcher->whos, query);
        cm_query_find_range(index, query);
    }
    for (size_t i = 0; i < sizeof WEIGHINGS / sizeof *WEIGHINGS; i++) {
        cm_trace_layer *layer = &tracing->trace->layers[WEIGHINGS[i].place];
        layer->word = CM_LAYER_NOT_ATTEMPTED;
        if (!is_found && !trace_weighing(tracing, &WEIGHINGS[i]))
            return false;
        is_found = is_found || layer->word == CM_LAYER_SUCCESS;
    }
    return true;
}

cm_status cm_trace_run(cm_matcher *matcher, const cm_conversion *conversion, cm_arena *arena,
                       cm_trace *trace, cm_error *error)
{
    struct tracing tracing = {
        .matcher = matcher,
        .query = {.conversion = conversion, .t = conversion->conversion_timestamp},
        .arena = arena,
        .trace = trace,
    };
    *trace = (cm_trace){.fbclid = cm_fbclid_value(conversion->fbclid)};
    memset(&matcher->whos, 0, sizeof matcher->whos);
    if (run(&tracing))
        return CM_OK;
    return cm_error_memory(error, "a trace", sizeof *trace);
}

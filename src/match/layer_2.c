#include "match/newest.h"

/* The candidates of one conversion, and what the weights need to know of them together. */
struct fingerprint_match {
    const cm_layer_context *context;
    const cm_query *query;
    cm_layer_facts *facts; /* in the scratch: who explains reads them afterwards */
};

/* Those of the first K on the address that share the fingerprint are beyond the first K of the
 * fingerprint: they are older. */
static size_t add_from_address(const struct fingerprint_match *match, cm_layer_scratch *scratch,
                               size_t count)
{
    const cm_click_store *store = &match->context->index->catalog.store;
    const cm_model *model = match->context->scoring->model;
    const cm_query *query = match->query;
    uint64_t total;
    size_t others = cm_recent_first(&query->same_address, query->t, model->window_us,
                                    model->max_candidates, scratch->others, &total);
    uint32_t last = scratch->clicks[count - 1];
    for (size_t i = 0; i < others; i++) {
        uint32_t click = scratch->others[i];
        if (cm_click_store_row(store, click)->fingerprint == query->fingerprint &&
            cm_click_store_is_older(store, click, last))
            scratch->clicks[count++] = click;
    }
    return count;
}

static void gather(const struct fingerprint_match *match, cm_layer_scratch *scratch)
{
    const cm_click_store *store = &match->context->index->catalog.store;
    const cm_model *model = match->context->scoring->model;
    const cm_query *query = match->query;
    cm_layer_facts *facts = match->facts;
    size_t count = cm_recent_first(&query->same_fingerprint, query->t, model->window_us,
                                   model->max_candidates, scratch->clicks, &facts->total);
    if (count == 0)
        return;
    facts->oldest_bin =
        cm_delay_bin(model, query->t - cm_click_store_time(store, scratch->clicks[count - 1]));
    if (facts->total > count)
        count = add_from_address(match, scratch, count);
    facts->left = facts->total - count;
    facts->considered = count;
}

/* N need not be known where even a smaller number gives ip_u_min. */
double cm_layer_2_address_u(const cm_layer_context *context, const cm_query *query, uint64_t n_ip)
{
    const cm_click_index *index = context->index;
    const cm_model *model = context->scoring->model;
    double u_min = cm_weights_of(context, query)->parameters->ip_u_min;
    if (n_ip <= 1)
        return u_min;
    double others = (double)(n_ip - 1);
    cm_view all = cm_view_of(&index->tenants.lists, index->tenants.of[query->tenant]);
    uint64_t n = cm_recent_count_at_least(&all, query->t, model->window_us);
    if (n > 0 && others / (double)n <= u_min)
        return u_min;
    double u = others / (double)cm_recent_count(&all, query->t, model->window_us);
    return u > u_min ? u : u_min;
}

static double address_u(const struct fingerprint_match *match)
{
    const cm_query *query = match->query;
    int64_t window_us = match->context->scoring->model->window_us;
    return cm_layer_2_address_u(match->context, query,
                                cm_recent_count(&query->same_address, query->t, window_us));
}

/* The clicks that are no candidates, weighed as the oldest candidate would be. */
static double rest(const struct fingerprint_match *match)
{
    const cm_layer_facts *facts = match->facts;
    const cm_bin_weights *oldest =
        &cm_weights_of(match->context, match->query)->bins[facts->oldest_bin];
    double q = match->query->keys.device.address_kind == 0 ? 1.0 : oldest->ip_different_m;
    return (double)facts->left * (oldest->prior_m[CM_WEIGH_FINGERPRINT] / facts->r *
                                  oldest->lr_delay[CM_WEIGH_FINGERPRINT] * q);
}

/* Looks and weighs; what is known of the candidates together is in match->facts then. */
static cm_layer_word weigh(const struct fingerprint_match *match, cm_layer_scratch *scratch,
                           cm_score *score)
{
    const cm_weights *weights = cm_weights_of(match->context, match->query);
    const cm_layer_model *model = &weights->parameters->fingerprint;
    cm_layer_facts *facts = match->facts;
    bool shared;
    facts->count =
        cm_look_at_candidates(match->context, match->query, CM_WEIGH_FINGERPRINT, scratch,
                              scratch->clicks, facts->considered, scratch->looks, &shared);
    if (facts->count == 0)
        return CM_LAYER_NO_MATCH;
    facts->r = match->context->scoring->rule == CM_RULE_BLIND
                   ? 1.0
                   : model->rivals + (double)(facts->count - 1 + facts->left);
    facts->u = shared ? address_u(match) : 1.0;
    facts->w0 = weights->layers[CM_WEIGH_FINGERPRINT].w0;
    facts->rest = rest(match);
    double total;
    size_t count = cm_weigh_layer(match->context, match->query, CM_WEIGH_FINGERPRINT, facts->u,
                                  scratch, &total);
    cm_score_candidates(model, total, scratch->weighed, count, score);
    return score->success ? CM_LAYER_SUCCESS : CM_LAYER_LOW_CONFIDENCE;
}

cm_layer_word cm_layer_2(const cm_layer_context *context, const cm_query *query,
                         cm_layer_scratch *scratch, cm_score *score)
{
    if (context->scoring->rule == CM_RULE_NEWEST)
        return cm_baseline_by_fingerprint(context, query, scratch, score);
    if (!query->keys.device.has_fingerprint)
        return CM_LAYER_NO_FINGERPRINT;
    scratch->facts = (cm_layer_facts){0};
    if (query->fingerprint == CM_NUMBER_NONE)
        return CM_LAYER_NO_MATCH;
    const struct fingerprint_match match = {context, query, &scratch->facts};
    gather(&match, scratch);
    return weigh(&match, scratch, score);
}

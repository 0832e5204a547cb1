#include "match/newest.h"

/* Looks and weighs the considered clicks, of which the oldest is in facts->oldest_bin. */
static cm_layer_word weigh(const cm_layer_context *context, const cm_query *query,
                           cm_layer_facts *facts, cm_layer_scratch *scratch, cm_score *score)
{
    const cm_weights *weights = cm_weights_of(context, query);
    const cm_layer_model *model = &weights->parameters->probabilistic;
    bool shared;
    facts->count =
        cm_look_at_candidates(context, query, CM_WEIGH_PROBABILISTIC, scratch, scratch->clicks,
                              facts->considered, scratch->looks, &shared);
    if (facts->count == 0)
        return CM_LAYER_NO_CANDIDATES;
    const cm_bin_weights *oldest = &weights->bins[facts->oldest_bin];
    double left = (double)facts->left;
    facts->r = context->scoring->rule == CM_RULE_BLIND
                   ? 1.0
                   : model->rivals + ((double)(facts->count - 1) + left);
    facts->u = 1.0;
    facts->w0 = weights->layers[CM_WEIGH_PROBABILISTIC].w0;
    facts->rest = left * (oldest->prior_m[CM_WEIGH_PROBABILISTIC] / facts->r *
                          oldest->lr_delay[CM_WEIGH_PROBABILISTIC]);
    double total;
    size_t count =
        cm_weigh_layer(context, query, CM_WEIGH_PROBABILISTIC, facts->u, scratch, &total);
    cm_score_candidates(model, total, scratch->weighed, count, score);
    return score->success ? CM_LAYER_SUCCESS : CM_LAYER_LOW_PROBABILITY;
}

cm_layer_word cm_layer_3(const cm_layer_context *context, const cm_query *query,
                         cm_layer_scratch *scratch, cm_score *score)
{
    if (context->scoring->rule == CM_RULE_NEWEST)
        return cm_baseline_by_address(context, query, scratch, score);
    if (query->keys.device.address_kind == 0)
        return CM_LAYER_NO_SIGNAL;
    const cm_model *model = context->scoring->model;
    const cm_click_store *store = &context->index->catalog.store;
    cm_layer_facts *facts = &scratch->facts;
    *facts = (cm_layer_facts){0};
    facts->considered =
        cm_recent_first(&query->same_address, query->t, model->probabilistic_window_us,
                        model->max_candidates, scratch->clicks, &facts->total);
    if (facts->considered == 0)
        return CM_LAYER_NO_CANDIDATES;
    int64_t oldest = cm_click_store_time(store, scratch->clicks[facts->considered - 1]);
    facts->left = facts->total - facts->considered;
    facts->oldest_bin = cm_delay_bin(model, query->t - oldest);
    return weigh(context, query, facts, scratch, score);
}

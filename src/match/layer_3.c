#include "match/candidates.h"

cm_layer_word cm_layer_3(const cm_layer_context *context, const cm_query *query,
                         cm_layer_scratch *scratch, cm_score *score)
{
    if (query->keys.device.address_kind == 0)
        return CM_LAYER_NO_SIGNAL;
    const cm_model *model = context->weights->model;
    const cm_click_store *store = &context->index->catalog.store;
    uint64_t total;
    size_t count = cm_recent_first(&query->same_address, query->t, model->probabilistic_window_us,
                                   model->max_candidates, scratch->clicks, &total);
    if (count == 0)
        return CM_LAYER_NO_CANDIDATES;
    double left = (double)(total - count);
    int64_t oldest = cm_click_store_time(store, scratch->clicks[count - 1]);
    const cm_bin_weights *oldest_bin =
        &context->weights->bins[cm_delay_bin(model, query->t - oldest)];
    bool shared;
    count = cm_look_at_candidates(context, query, CM_WEIGH_PROBABILISTIC, scratch, count, &shared);
    if (count == 0)
        return CM_LAYER_NO_CANDIDATES;
    double r = model->probabilistic.rivals + ((double)(count - 1) + left);
    cm_weigh_candidates(context, CM_WEIGH_PROBABILISTIC, r, 1.0, scratch, count);
    double rest = left * (oldest_bin->prior_m[CM_WEIGH_PROBABILISTIC] / r *
                          oldest_bin->lr_delay[CM_WEIGH_PROBABILISTIC]);
    cm_score_candidates(&model->probabilistic, context->weights->w0[CM_WEIGH_PROBABILISTIC] + rest,
                        scratch->weighed, count, score);
    return score->success ? CM_LAYER_SUCCESS : CM_LAYER_LOW_PROBABILITY;
}

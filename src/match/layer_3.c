#include "match/candidates.h"

/* A device is known by its fingerprint, else by its user agent, missing being one too; the two
 * never mix. */
#define FINGERPRINT_KEY ((uint64_t)1 << 32)

static cm_device_key device_key(const cm_click_row *row)
{
    return (cm_device_key){row->fingerprint != CM_NUMBER_MISSING
                               ? FINGERPRINT_KEY | row->fingerprint
                               : row->user_agent,
                           0};
}

static enum cm_comparison compare_fingerprint(const cm_query *query, const cm_click_row *row)
{
    if (!query->keys.device.has_fingerprint || row->fingerprint == CM_NUMBER_MISSING)
        return CM_COMPARE_MISSING;
    return row->fingerprint == query->fingerprint ? CM_COMPARE_EQUAL : CM_COMPARE_DIFFERENT;
}

static const cm_candidate_rules rules = {device_key, compare_fingerprint};

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
    count = cm_look_at_candidates(context, query, &rules, scratch, count);
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

#include "match/candidates.h"

/* A device is known by its fingerprint, else by its user agent, missing being one too; the two
 * never mix. */
#define FINGERPRINT_KEY ((uint64_t)1 << 32)

static cm_device_key device_key(const cm_click_row *row)
{
    return (cm_device_key){row->fingerprint != CM_NUMBER_MISSING ? FINGERPRINT_KEY | row->fingerprint
                                                                 : row->user_agent,
                           0};
}

static double lr_fingerprint(const cm_query *query, const cm_click_row *row,
                             const cm_bin_weights *weights)
{
    if (!query->keys.device.has_fingerprint || row->fingerprint == CM_NUMBER_MISSING)
        return 1.0;
    return row->fingerprint == query->fingerprint ? weights->lr_fingerprint_equal
                                                  : weights->lr_fingerprint_different;
}

static double weigh(const cm_layer_context *context, const cm_query *query, double r,
                    uint32_t click)
{
    const cm_weights *weights = context->weights;
    const cm_click_row *row = cm_click_store_row(&context->index->catalog.store, click);
    const cm_bin_weights *bin =
        &weights->bins[cm_delay_bin(weights->model, query->t - cm_click_row_time(row))];
    return bin->prior_m[CM_WEIGH_PROBABILISTIC] / r * bin->lr_delay[CM_WEIGH_PROBABILISTIC] *
           lr_fingerprint(query, row, bin) *
           cm_lr_ua(weights, CM_WEIGH_PROBABILISTIC, row->user_agent, query->user_agent);
}

cm_layer_word cm_layer_3(const cm_layer_context *context, const cm_query *query,
                         cm_layer_scratch *scratch, cm_score *score)
{
    if (query->keys.device.address_kind == 0)
        return CM_LAYER_NO_SIGNAL;
    const cm_model *model = context->weights->model;
    const cm_click_store *store = &context->index->catalog.store;
    uint64_t total;
    size_t count =
        cm_recent_first(&query->same_address, query->t, model->probabilistic_window_us,
                        model->max_candidates, scratch->clicks, &total);
    if (count == 0)
        return CM_LAYER_NO_CANDIDATES;
    double left = (double)(total - count);
    int64_t oldest = cm_click_store_time(store, scratch->clicks[count - 1]);
    const cm_bin_weights *oldest_bin =
        &context->weights->bins[cm_delay_bin(model, query->t - oldest)];
    count = cm_drop_expired(store, query->t, scratch->clicks, count);
    if (count == 0)
        return CM_LAYER_NO_CANDIDATES;
    count = cm_keep_devices(store, device_key, scratch, scratch->clicks, count);
    double r = model->probabilistic.rivals + ((double)(count - 1) + left);
    for (size_t i = 0; i < count; i++)
        scratch->weighed[i] =
            (cm_weighed){scratch->clicks[i], weigh(context, query, r, scratch->clicks[i])};
    double rest = left * (oldest_bin->prior_m[CM_WEIGH_PROBABILISTIC] / r *
                          oldest_bin->lr_delay[CM_WEIGH_PROBABILISTIC]);
    cm_score_candidates(&model->probabilistic, context->weights->w0[CM_WEIGH_PROBABILISTIC] + rest,
                        scratch->weighed, count, score);
    return score->success ? CM_LAYER_SUCCESS : CM_LAYER_LOW_PROBABILITY;
}

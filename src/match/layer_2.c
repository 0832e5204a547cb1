#include "match/candidates.h"

/* The candidates of one conversion, and what the weights need to know of them together. */
struct fingerprint_match {
    const cm_layer_context *context;
    const cm_query *query;
    size_t count;      /* of scratch->clicks */
    uint64_t left;     /* clicks of the fingerprint that are no candidates */
    size_t oldest_bin; /* o */
    double r;
    double lr_ip_u; /* max((n_ip - 1) / N, ip_u_min), once it was needed; else 0 */
};

/* Those of the first K on the address that share the fingerprint are beyond the first K of the
 * fingerprint: they are older. */
static size_t add_from_address(const struct fingerprint_match *match, cm_layer_scratch *scratch,
                               size_t count)
{
    const cm_click_index *index = match->context->index;
    const cm_model *model = match->context->weights->model;
    size_t others = cm_recent_first(index, &match->query->addresses, match->query->t,
                                    model->window_us, model->max_candidates, scratch->others);
    uint32_t last = scratch->clicks[count - 1];
    for (size_t i = 0; i < others; i++) {
        uint32_t click = scratch->others[i];
        if (cm_click_store_row(&index->store, click)->fingerprint == match->query->fingerprint &&
            cm_click_store_is_older(&index->store, click, last))
            scratch->clicks[count++] = click;
    }
    return count;
}

static void gather(struct fingerprint_match *match, cm_layer_scratch *scratch)
{
    const cm_click_index *index = match->context->index;
    const cm_model *model = match->context->weights->model;
    const cm_query *query = match->query;
    const cm_list_set set = {
        .lists = {&cm_fingerprint_group_at(&index->fingerprints, query->fingerprint)->list},
        .count = 1};
    uint64_t total = cm_recent_count(index, &set, query->t, model->window_us);
    if (total == 0)
        return;
    size_t count = cm_recent_first(index, &set, query->t, model->window_us, model->max_candidates,
                                   scratch->clicks);
    int64_t oldest = cm_click_store_row(&index->store, scratch->clicks[count - 1])->click_timestamp;
    match->oldest_bin = cm_delay_bin(model, query->t - oldest);
    if (total > count)
        count = add_from_address(match, scratch, count);
    match->left = total - count;
    match->count = cm_drop_expired(&index->store, query->t, scratch->clicks, count);
}

static void keep_devices(struct fingerprint_match *match, cm_layer_scratch *scratch)
{
    const cm_click_store *store = &match->context->index->store;
    cm_device_set set = cm_device_set_empty(scratch->devices, match->count);
    size_t kept = 0;
    for (size_t i = 0; i < match->count; i++)
        if (cm_device_set_add(&set, cm_click_store_row(store, scratch->clicks[i])->address))
            scratch->clicks[kept++] = scratch->clicks[i];
    match->count = kept;
}

/* How likely a stranger is to share the address: its share of the tenant's clicks. */
static double address_u(struct fingerprint_match *match)
{
    if (match->lr_ip_u > 0)
        return match->lr_ip_u;
    const cm_click_index *index = match->context->index;
    const cm_model *model = match->context->weights->model;
    const cm_query *query = match->query;
    const cm_list_set all = {.lists = {&index->tenant_lists[query->tenant]}, .count = 1};
    uint64_t n_ip = cm_recent_count(index, &query->addresses, query->t, model->window_us);
    double u = 0.0;
    if (n_ip > 1)
        u = (double)(n_ip - 1) / (double)cm_recent_count(index, &all, query->t, model->window_us);
    match->lr_ip_u = u > model->ip_u_min ? u : model->ip_u_min;
    return match->lr_ip_u;
}

static double lr_ip(struct fingerprint_match *match, const cm_click_row *row, size_t bin)
{
    const cm_bin_weights *weights = &match->context->weights->bins[bin];
    if (match->query->keys.device.bucket.version == 0 || (row->address & CM_ADDRESS_MISSING))
        return 1.0;
    if (cm_query_shares_address(match->context->index, match->query, row))
        return weights->ip_m / address_u(match);
    return weights->lr_ip_different;
}

static double weigh(struct fingerprint_match *match, uint32_t click)
{
    const cm_weights *weights = match->context->weights;
    const cm_click_row *row = cm_click_store_row(&match->context->index->store, click);
    size_t bin = cm_delay_bin(weights->model, match->query->t - row->click_timestamp);
    const cm_bin_weights *of_bin = &weights->bins[bin];
    return of_bin->prior_m[CM_WEIGH_FINGERPRINT] / match->r *
           of_bin->lr_delay[CM_WEIGH_FINGERPRINT] * lr_ip(match, row, bin) *
           cm_lr_ua(weights, CM_WEIGH_FINGERPRINT, row->user_agent, match->query->user_agent);
}

/* The clicks that are no candidates, weighed as the oldest candidate would be. */
static double rest(const struct fingerprint_match *match)
{
    const cm_bin_weights *oldest = &match->context->weights->bins[match->oldest_bin];
    double q = match->query->keys.device.bucket.version == 0 ? 1.0 : oldest->lr_ip_different;
    return (double)match->left * (oldest->prior_m[CM_WEIGH_FINGERPRINT] / match->r *
                                  oldest->lr_delay[CM_WEIGH_FINGERPRINT] * q);
}

cm_layer_word cm_layer_2(const cm_layer_context *context, const cm_query *query,
                         cm_layer_scratch *scratch, cm_score *score)
{
    if (!query->keys.device.has_fingerprint)
        return CM_LAYER_NO_FINGERPRINT;
    if (query->fingerprint == CM_NUMBER_NONE)
        return CM_LAYER_NO_MATCH;
    struct fingerprint_match match = {.context = context, .query = query};
    gather(&match, scratch);
    if (match.count == 0)
        return CM_LAYER_NO_MATCH;
    keep_devices(&match, scratch);
    const cm_model *model = context->weights->model;
    match.r = model->fingerprint.rivals + (double)(match.count - 1 + match.left);
    for (size_t i = 0; i < match.count; i++)
        scratch->weighed[i] = (cm_weighed){scratch->clicks[i], weigh(&match, scratch->clicks[i])};
    double base = context->weights->w0[CM_WEIGH_FINGERPRINT] + rest(&match);
    cm_score_candidates(&model->fingerprint, base, scratch->weighed, match.count, score);
    return score->success ? CM_LAYER_SUCCESS : CM_LAYER_LOW_CONFIDENCE;
}

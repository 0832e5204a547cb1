#include "match/candidates.h"

/* The candidates of one conversion, and what the weights need to know of them together. */
struct fingerprint_match {
    const cm_layer_context *context;
    const cm_query *query;
    size_t count;      /* of scratch->clicks */
    uint64_t left;     /* clicks of the fingerprint that are no candidates */
    size_t oldest_bin; /* o */
    double r;
};

/* Those of the first K on the address that share the fingerprint are beyond the first K of the
 * fingerprint: they are older. */
static size_t add_from_address(const struct fingerprint_match *match, cm_layer_scratch *scratch,
                               size_t count)
{
    const cm_click_store *store = &match->context->index->catalog.store;
    const cm_model *model = match->context->weights->model;
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

static void gather(struct fingerprint_match *match, cm_layer_scratch *scratch)
{
    const cm_click_store *store = &match->context->index->catalog.store;
    const cm_model *model = match->context->weights->model;
    const cm_query *query = match->query;
    uint64_t total;
    size_t count = cm_recent_first(&query->same_fingerprint, query->t, model->window_us,
                                   model->max_candidates, scratch->clicks, &total);
    if (count == 0)
        return;
    match->oldest_bin =
        cm_delay_bin(model, query->t - cm_click_store_time(store, scratch->clicks[count - 1]));
    if (total > count)
        count = add_from_address(match, scratch, count);
    match->left = total - count;
    match->count = count;
}

/* max((n_ip - 1) / N, ip_u_min): how likely a stranger is to share the address, by its share of the
 * tenant's clicks. N need not be known where even a smaller number gives ip_u_min. */
static double address_u(const struct fingerprint_match *match)
{
    const cm_click_index *index = match->context->index;
    const cm_model *model = match->context->weights->model;
    const cm_query *query = match->query;
    uint64_t n_ip = cm_recent_count(&query->same_address, query->t, model->window_us);
    if (n_ip <= 1)
        return model->ip_u_min;
    double others = (double)(n_ip - 1);
    cm_view all = cm_view_of(&index->tenants.lists, index->tenants.of[query->tenant]);
    uint64_t n = cm_recent_count_at_least(&all, query->t, model->window_us);
    if (n > 0 && others / (double)n <= model->ip_u_min)
        return model->ip_u_min;
    double u = others / (double)cm_recent_count(&all, query->t, model->window_us);
    return u > model->ip_u_min ? u : model->ip_u_min;
}

/* The clicks that are no candidates, weighed as the oldest candidate would be. */
static double rest(const struct fingerprint_match *match)
{
    const cm_bin_weights *oldest = &match->context->weights->bins[match->oldest_bin];
    double q = match->query->keys.device.address_kind == 0 ? 1.0 : oldest->lr_ip_different;
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
    bool shared;
    size_t count =
        cm_look_at_candidates(context, query, CM_WEIGH_FINGERPRINT, scratch, match.count, &shared);
    if (count == 0)
        return CM_LAYER_NO_MATCH;
    const cm_model *model = context->weights->model;
    match.r = model->fingerprint.rivals + (double)(count - 1 + match.left);
    double u = shared ? address_u(&match) : 1.0;
    cm_weigh_candidates(context, CM_WEIGH_FINGERPRINT, match.r, u, scratch, count);
    double base = context->weights->w0[CM_WEIGH_FINGERPRINT] + rest(&match);
    cm_score_candidates(&model->fingerprint, base, scratch->weighed, count, score);
    return score->success ? CM_LAYER_SUCCESS : CM_LAYER_LOW_CONFIDENCE;
}

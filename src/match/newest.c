#include "match/newest.h"

void cm_weigh_repeats(const cm_weights *weights, const cm_layer_facts *facts,
                      cm_layer_scratch *scratch, size_t count)
{
    if (count < 2)
        return;
    /* Of two clicks of one device, the second has one stranger less to be told from. */
    double strangers = weights->parameters->fingerprint.rivals + (double)(count - 2 + facts->left);
    double k = weights->layers[CM_WEIGH_FINGERPRINT].repeat * (facts->r / strangers);
    cm_older older = {0};
    for (size_t i = count; i-- > 0;) {
        const cm_candidate_look *look = &scratch->looks[i];
        const cm_bin_weights *bin = &weights->bins[look->bin];
        double w = scratch->weighed[i].w;
        scratch->weighed[i].w = w * (1 + k * cm_older_of(&older, look->evidence));
        cm_older_add(&older, look->evidence, w * bin->older, w * bin->older_elsewhere);
    }
}

/* The newest of equals, which comes first. Its place is looked for afterwards: in one loop each
 * step would wait for the weight that the one before chose. */
static size_t heaviest(const cm_weighed *weighed, size_t count)
{
    double most = weighed[0].w;
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        most = weighed[i].w > most ? weighed[i].w : most;
    while (weighed[best].w < most)
        best++;
    return best;
}

/* Those of the first K of the addresses' list that are newer than a click and do not have the
 * conversion's fingerprint: scratch->others. */
static size_t gather(const cm_layer_context *context, const cm_query *query,
                     cm_layer_scratch *scratch, uint32_t answer)
{
    const cm_click_store *store = &context->index->catalog.store;
    int64_t window_us = query->t - cm_click_store_time(store, answer) + 1;
    uint64_t total;
    size_t kept = 0;
    size_t count =
        cm_recent_first(&query->same_address, query->t, window_us,
                        context->scoring->model->max_candidates, scratch->others, &total);
    for (size_t i = 0; i < count; i++) {
        uint32_t click = scratch->others[i];
        if (click != answer && cm_click_store_is_older(store, answer, click) &&
            cm_click_store_row(store, click)->fingerprint != query->fingerprint)
            scratch->others[kept++] = click;
    }
    return kept;
}

/* repeat * ip_m[i] / r * LR_delay(i, W2) * LR_fp * LR_ua and its traits: as layer 3 weighs, over
 * layer 2's window. */
static double weight_of(const cm_weights *weights, double r, const cm_candidate_look *look)
{
    const cm_layer_weights *layer = &weights->layers[CM_WEIGH_PROBABILISTIC];
    const cm_bin_weights *bin = &weights->bins[look->bin];
    const double evidence[CM_COMPARISONS] = {
        [CM_COMPARE_MISSING] = 1.0,
        [CM_COMPARE_EQUAL] = bin->lr_fingerprint_equal,
        [CM_COMPARE_DIFFERENT] = bin->lr_fingerprint_different,
    };
    double w = bin->repeat_m / r * bin->lr_delay_newer * evidence[look->evidence] *
               layer->user_agent[look->user_agent];
    return cm_times_traits(layer, look, w);
}

/* Bring newer clicks, newest first, among the candidates that were newer than the heaviest. */
static void merge(const cm_click_store *store, cm_weighed *weighed, size_t best, size_t count,
                  const cm_weighed *newer, size_t newer_count)
{
    memmove(weighed + best + newer_count, weighed + best, (count - best) * sizeof *weighed);
    size_t i = best, j = newer_count;
    while (j > 0) {
        bool is_candidate =
            i > 0 && cm_click_store_is_older(store, weighed[i - 1].click, newer[j - 1].click);
        weighed[i + j - 1] = is_candidate ? weighed[i - 1] : newer[j - 1];
        i -= is_candidate;
        j -= !is_candidate;
    }
}

size_t cm_share_with_newer(const cm_layer_context *context, const cm_query *query,
                           cm_layer_scratch *scratch, size_t count)
{
    cm_layer_facts *facts = &scratch->facts;
    const cm_weights *weights = cm_weights_of(context, query);
    size_t best = heaviest(scratch->weighed, count);
    facts->newest = scratch->weighed[best].click;
    size_t newer = gather(context, query, scratch, facts->newest);
    bool shared;
    facts->newer_count = 0;
    if (newer == 0)
        return count;
    newer = cm_look_at_candidates(context, query, CM_WEIGH_PROBABILISTIC, scratch, scratch->others,
                                  newer, scratch->newer, &shared);
    facts->newer_count = newer;
    if (newer == 0)
        return count;
    facts->newer_r = weights->parameters->probabilistic.rivals + (double)(newer - 1);
    cm_weighed *others = scratch->newer_weighed;
    double shares = 1.0;
    for (size_t i = 0; i < newer; i++) {
        others[i] = (cm_weighed){scratch->newer[i].click,
                                 weight_of(weights, facts->newer_r, &scratch->newer[i])};
        shares += others[i].w;
    }
    facts->shares = shares;
    double whole = scratch->weighed[best].w;
    for (size_t i = 0; i < newer; i++)
        others[i].w = whole * (others[i].w / shares);
    scratch->weighed[best].w = whole / shares;
    merge(&context->index->catalog.store, scratch->weighed, best, count, others, newer);
    return count + newer;
}

size_t cm_weigh_layer(const cm_layer_context *context, const cm_query *query,
                      enum cm_weighed_layer layer, double u, cm_layer_scratch *scratch,
                      double *total)
{
    const cm_weights *weights = cm_weights_of(context, query);
    const cm_layer_facts *facts = &scratch->facts;
    bool is_fingerprint = layer == CM_WEIGH_FINGERPRINT;
    cm_weigh_candidates(weights, layer, facts->r, u, scratch, facts->count);
    if (is_fingerprint && weights->layers[layer].repeat > 0)
        cm_weigh_repeats(weights, facts, scratch, facts->count);
    *total = cm_total_weight(facts->w0 + facts->rest, scratch->weighed, facts->count);
    bool has_newer = is_fingerprint && query->keys.device.address_kind != 0 &&
                     weights->parameters->probabilistic.repeat > 0;
    return has_newer ? cm_share_with_newer(context, query, scratch, facts->count) : facts->count;
}

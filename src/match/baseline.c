/* The rule that models are measured against: the newest click that shares the key, with a
 * confidence that nothing is behind. Layer 2 by fingerprint, layer 3 by address and device type. */
#include "match/layers.h"

#define FINGERPRINT_CLAIM 0.90
#define ADDRESS_CLAIM 0.60

/* The newest of the first max_candidates that has not expired. */
static bool find_newest(const cm_layer_context *context, const cm_view *view, int64_t t,
                        int64_t window_us, cm_layer_scratch *scratch, uint32_t *newest)
{
    const cm_click_store *store = &context->index->catalog.store;
    uint64_t total;
    size_t count = cm_recent_first(view, t, window_us, context->scoring->model->max_candidates,
                                   scratch->clicks, &total);
    for (size_t i = 0; i < count; i++)
        if (t < cm_click_store_expires_at(store, scratch->clicks[i])) {
            *newest = scratch->clicks[i];
            return true;
        }
    return false;
}

static cm_layer_word claim(uint32_t click, double probability, cm_score *score)
{
    *score = (cm_score){.success = true,
                        .probability = probability,
                        .confidence = probability,
                        .best_count = 1,
                        .best = {click},
                        .best_probabilities = {probability}};
    return CM_LAYER_SUCCESS;
}

cm_layer_word cm_baseline_by_fingerprint(const cm_layer_context *context, const cm_query *query,
                                         cm_layer_scratch *scratch, cm_score *score)
{
    uint32_t newest;
    if (!query->keys.device.has_fingerprint)
        return CM_LAYER_NO_FINGERPRINT;
    if (query->fingerprint == CM_NUMBER_NONE ||
        !find_newest(context, &query->same_fingerprint, query->t,
                     context->scoring->model->window_us, scratch, &newest))
        return CM_LAYER_NO_MATCH;
    return claim(newest, FINGERPRINT_CLAIM, score);
}

cm_layer_word cm_baseline_by_address(const cm_layer_context *context, const cm_query *query,
                                     cm_layer_scratch *scratch, cm_score *score)
{
    uint32_t newest;
    if (query->keys.device.address_kind == 0)
        return CM_LAYER_NO_SIGNAL;
    if (!find_newest(context, &query->same_address, query->t,
                     context->scoring->model->probabilistic_window_us, scratch, &newest))
        return CM_LAYER_NO_CANDIDATES;
    return claim(newest, ADDRESS_CLAIM, score);
}

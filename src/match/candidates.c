#include "match/candidates.h"

/* Candidates come newest first: a delay is in the bin of the one before it, or a later one. */
static size_t next_bin(const cm_model *model, size_t bin, int64_t delay_us)
{
    while (bin + 1 < model->bin_count && delay_us >= model->delay_us[bin])
        bin++;
    return bin;
}

static bool is_same(const cm_device_key *a, const cm_device_key *b)
{
    return a->first == b->first && a->second == b->second;
}

/* Few devices: each is compared with those before it. */
static bool is_among(const cm_device_key *devices, size_t count, const cm_device_key *device)
{
    for (size_t i = 0; i < count; i++)
        if (is_same(&devices[i], device))
            return true;
    return false;
}

/*
 * Many: an open-addressing set of places in scratch->devices. A slot counts only where it has the
 * set's generation, so that an empty set costs nothing.
 */
#define PLACE_BITS 12
#define GENERATION_MAX ((1u << (32 - PLACE_BITS)) - 1)

_Static_assert(CM_CANDIDATES_MAX < 1u << PLACE_BITS, "a place must fit");

static void begin_set(cm_layer_scratch *scratch)
{
    if (scratch->generation == GENERATION_MAX) {
        memset(scratch->slots, 0, sizeof scratch->slots);
        scratch->generation = 0;
    }
    scratch->generation++;
}

/* Add the device at a place; false where it was there. */
static bool add_to_set(cm_layer_scratch *scratch, size_t mask, size_t place)
{
    const cm_device_key *device = &scratch->devices[place];
    uint64_t mixed = (device->first ^ (device->second * 0xd6e8feb86659fd93u)) * 0x9e3779b97f4a7c15u;
    size_t at = (size_t)(mixed >> 40) & mask;
    for (;; at = (at + 1) & mask) {
        uint32_t slot = scratch->slots[at];
        if (slot >> PLACE_BITS != scratch->generation)
            break;
        if (is_same(&scratch->devices[slot & ((1u << PLACE_BITS) - 1)], device))
            return false;
    }
    scratch->slots[at] = scratch->generation << PLACE_BITS | (uint32_t)place;
    return true;
}

#define FEW 6

static size_t mask_for(size_t count)
{
    size_t size = 16;
    while (size < 2 * count)
        size *= 2;
    return size - 1;
}

static enum cm_comparison compare_numbers(uint32_t a, uint32_t b)
{
    if (a == CM_NUMBER_MISSING || b == CM_NUMBER_MISSING)
        return CM_COMPARE_MISSING;
    return a == b ? CM_COMPARE_EQUAL : CM_COMPARE_DIFFERENT;
}

static bool has_expired(const cm_click_store *store, const cm_click_row *row, uint32_t click,
                        int64_t t)
{
    int64_t expires_at = row->time & CM_ROW_OWN_EXPIRY ? cm_click_store_own_expiry(store, click)
                                                       : cm_click_row_time(row) + store->window_us;
    return t >= expires_at;
}

size_t cm_look_at_candidates(const cm_layer_context *context, const cm_query *query,
                             const cm_candidate_rules *rules, cm_layer_scratch *scratch,
                             size_t count)
{
    const cm_click_store *store = &context->index->catalog.store;
    size_t kept = 0, bin = 0, mask = mask_for(count);
    begin_set(scratch);
    scratch->looked_at += count;
    for (size_t i = CM_VIEW_PREFETCHED; i < count; i++)
        __builtin_prefetch(cm_click_store_row(store, scratch->clicks[i]));
    for (size_t i = 0; i < count; i++) {
        uint32_t click = scratch->clicks[i];
        const cm_click_row *row = cm_click_store_row(store, click);
        if (has_expired(store, row, click, query->t))
            continue;
        scratch->devices[kept] = rules->device(row);
        if (count > FEW ? !add_to_set(scratch, mask, kept)
                        : is_among(scratch->devices, kept, &scratch->devices[kept]))
            continue;
        bin = next_bin(context->weights->model, bin, query->t - cm_click_row_time(row));
        scratch->looks[kept++] = (cm_candidate_look){
            .click = click,
            .evidence = (uint8_t)rules->compare(query, row),
            .user_agent = (uint8_t)compare_numbers(row->user_agent, query->user_agent),
            .bin = (uint32_t)bin,
        };
    }
    return kept;
}

bool cm_any_shares(const cm_layer_scratch *scratch, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (scratch->looks[i].evidence == CM_COMPARE_EQUAL)
            return true;
    return false;
}

/* The factors of one delay bin, for this conversion. */
struct bin_factors {
    double base; /* prior * m / r * LR_delay */
    double evidence[CM_COMPARISONS];
};

static struct bin_factors factors_of(const cm_bin_weights *bin, enum cm_weighed_layer layer,
                                     double r, double u)
{
    bool is_fingerprint = layer == CM_WEIGH_FINGERPRINT;
    return (struct bin_factors){
        .base = bin->prior_m[layer] / r * bin->lr_delay[layer],
        .evidence =
            {
                [CM_COMPARE_MISSING] = 1.0,
                [CM_COMPARE_EQUAL] = is_fingerprint ? bin->ip_m / u : bin->lr_fingerprint_equal,
                [CM_COMPARE_DIFFERENT] =
                    is_fingerprint ? bin->lr_ip_different : bin->lr_fingerprint_different,
            },
    };
}

void cm_weigh_candidates(const cm_layer_context *context, enum cm_weighed_layer layer, double r,
                         double u, cm_layer_scratch *scratch, size_t count)
{
    const cm_weights *weights = context->weights;
    const double user_agent[CM_COMPARISONS] = {
        [CM_COMPARE_MISSING] = 1.0,
        [CM_COMPARE_EQUAL] = weights->lr_ua_equal[layer],
        [CM_COMPARE_DIFFERENT] = weights->lr_ua_different[layer],
    };
    struct bin_factors factors = {0};
    uint32_t bin = UINT32_MAX;
    for (size_t i = 0; i < count; i++) {
        const cm_candidate_look *look = &scratch->looks[i];
        if (look->bin != bin) {
            bin = look->bin;
            factors = factors_of(&weights->bins[bin], layer, r, u);
        }
        scratch->weighed[i] = (cm_weighed){
            look->click,
            factors.base * factors.evidence[look->evidence] * user_agent[look->user_agent],
        };
    }
}

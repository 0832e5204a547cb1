#include "match/candidates.h"

#include "util/prefetch.h"

/* The parts of one loop, which runs for tens of candidates a conversion. */
#define INLINE static inline __attribute__((always_inline))

/*
 * The devices that were met: an open-addressing set of places in scratch->devices. A slot counts
 * only where it has the set's generation, so that an empty set costs nothing. It is at most a
 * quarter full: whether a device is new cannot be guessed, so that is no branch; that its slot is
 * another's is one, and rare.
 */
#define PLACE_BITS 12
#define PLACE_MASK ((1u << PLACE_BITS) - 1)
#define GENERATION_MAX ((1u << (32 - PLACE_BITS)) - 1)

_Static_assert(CM_CANDIDATES_MAX < 1u << PLACE_BITS, "a place must fit");

/* An empty set; returns the mask of its slots. */
static size_t begin_set(cm_layer_scratch *scratch, size_t count)
{
    if (scratch->generation == GENERATION_MAX) {
        memset(scratch->slots, 0, sizeof scratch->slots);
        scratch->generation = 0;
    }
    scratch->generation++;
    size_t size = 16;
    while (size < 4 * count)
        size *= 2;
    return size - 1;
}

INLINE bool is_same(const cm_device_key *a, const cm_device_key *b)
{
    return ((a->first ^ b->first) | (a->second ^ b->second)) == 0;
}

/* Add a device, which is at this place then; false where it was there. */
INLINE bool add_to_set(cm_layer_scratch *scratch, size_t mask, size_t place,
                       const cm_device_key *device)
{
    uint64_t mixed = (device->first ^ (device->second * 0xd6e8feb86659fd93u)) * 0x9e3779b97f4a7c15u;
    size_t at = (size_t)(mixed >> 40) & mask;
    uint32_t slot = scratch->slots[at];
    bool is_taken = slot >> PLACE_BITS == scratch->generation;
    while (is_taken & !is_same(&scratch->devices[slot & PLACE_MASK], device)) {
        at = (at + 1) & mask;
        slot = scratch->slots[at];
        is_taken = slot >> PLACE_BITS == scratch->generation;
    }
    scratch->devices[place] = *device;
    scratch->slots[at] = is_taken ? slot : scratch->generation << PLACE_BITS | (uint32_t)place;
    return !is_taken;
}

/* What the loop over the candidates reads, copied out of what its writes might seem to change. */
struct lookout {
    const cm_click_store *store;
    const int64_t *edges; /* of the delay bins */
    size_t last_bin;
    int64_t t;
    bool has_address, has_fingerprint, has_families;
    uint32_t fingerprint, user_agent;
    cm_shared_address address;
};

/* A number for each trait, all compared at once: vectors as gcc and clang have them. */
typedef uint32_t trait_lanes __attribute__((vector_size(CM_TRAIT_COUNT * sizeof(uint32_t))));

/* The same of traits, where the model compares them. */
struct trait_lookout {
    const cm_look *looks; /* of clicks, by number */
    trait_lanes shown;    /* by the conversion */
    trait_lanes known;    /* all bits of those that it shows */
};

static struct lookout look_out(const cm_layer_context *context, const cm_query *query)
{
    const cm_model *model = context->scoring->model;
    return (struct lookout){
        .store = &context->index->catalog.store,
        .edges = model->delay_us,
        .last_bin = model->bin_count - 1,
        .t = query->t,
        .has_address = query->keys.device.address_kind != 0,
        .has_fingerprint = query->keys.device.has_fingerprint,
        .has_families = cm_weights_of(context, query)->has_families,
        .fingerprint = query->fingerprint,
        .user_agent = query->user_agent,
        .address = cm_query_shared_address(query),
    };
}

/* Its own expiry lies apart: it is read only where it can matter. */
INLINE bool has_expired(const struct lookout *out, const cm_click_row *row, uint32_t click)
{
    if ((row->time & CM_ROW_EXPIRES_EARLY) == 0 &&
        out->t < cm_click_row_time(row) + out->store->window_us)
        return false;
    return out->t >= cm_click_store_expires_at(out->store, click);
}

/* Candidates come newest first: a delay is in the bin of the one before it, or a later one. */
INLINE size_t next_bin(const struct lookout *out, size_t bin, int64_t delay_us)
{
    while (bin < out->last_bin && delay_us >= out->edges[bin])
        bin++;
    return bin;
}

/* Without a branch: what candidates show is not to be guessed either. */
INLINE unsigned compared(bool is_known, bool is_equal)
{
    unsigned comparison = is_equal ? CM_COMPARE_EQUAL : CM_COMPARE_DIFFERENT;
    return is_known ? comparison : CM_COMPARE_MISSING;
}

INLINE unsigned compare_numbers(uint32_t a, uint32_t b)
{
    return compared((a != CM_NUMBER_MISSING) & (b != CM_NUMBER_MISSING), a == b);
}

/* A device of layer 2 is an address bucket and a device type, missing being a value too. Of layer 3
 * it is a fingerprint, else a user agent, missing being one too; the two never mix. */
INLINE cm_device_key device_of(const cm_click_row *row, uint32_t user_agent,
                               enum cm_weighed_layer layer)
{
    if (layer == CM_WEIGH_FINGERPRINT)
        return (cm_device_key){row->address,
                               (uint64_t)cm_click_row_address_kind(row) << 32 | row->who};
    if (row->fingerprint != CM_NUMBER_MISSING)
        return (cm_device_key){row->fingerprint, 1};
    return (cm_device_key){user_agent, 0};
}

INLINE unsigned compare(const struct lookout *out, const cm_click_row *row,
                        enum cm_weighed_layer layer)
{
    if (layer == CM_WEIGH_PROBABILISTIC)
        return compared(out->has_fingerprint & (row->fingerprint != CM_NUMBER_MISSING),
                        row->fingerprint == out->fingerprint);
    unsigned kind = cm_click_row_address_kind(row);
    bool is_known = out->has_address & (kind != 0);
    unsigned comparison = compared(is_known, cm_shares_address(&out->address, row));
    bool is_other = is_known & out->has_families & (kind != out->address.kind);
    return is_other ? CM_COMPARE_OTHER_FAMILY : comparison;
}

#define LOOKS_AHEAD 8

/* Its row is there: the layers ask for rows. */
INLINE void prefetch_look(const struct lookout *out, const struct trait_lookout *traits,
                          uint32_t click)
{
    cm_prefetch(&traits->looks[cm_click_store_row(out->store, click)->look]);
}

/* Without a branch, as all that candidates show: two bits for each, cm_look_trait. */
INLINE unsigned compare_traits(const cm_look *look, const struct trait_lookout *traits)
{
    const trait_lanes missing = {0}, ones = {1, 1 << 2, 1 << 4, 1 << 6};
    trait_lanes shown;
    uint64_t halves[2];
    if (traits == NULL)
        return 0;
    memcpy(&shown, look->traits, sizeof shown);
    trait_lanes is_equal = (trait_lanes)(shown == traits->shown);
    trait_lanes is_known = (trait_lanes)(shown != missing) & traits->known;
    trait_lanes all =
        ((is_equal & (ones * CM_COMPARE_EQUAL)) | (~is_equal & (ones * CM_COMPARE_DIFFERENT))) &
        is_known;
    memcpy(halves, &all, sizeof halves);
    uint64_t both = halves[0] | halves[1];
    return (unsigned)(both | both >> 32);
}

/* One function for each layer, with traits and without (NULL), is made of this: what depends on
 * them is decided by the compiler. */
INLINE size_t look(struct lookout out, const struct trait_lookout *traits,
                   enum cm_weighed_layer layer, cm_layer_scratch *scratch, const uint32_t *clicks,
                   size_t count, cm_candidate_look *looks, bool *shared)
{
    size_t kept = 0, bin = 0, mask = begin_set(scratch, count);
    unsigned evidences = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t click = clicks[i];
        const cm_click_row *row = cm_click_store_row(out.store, click);
        if (traits != NULL && i + LOOKS_AHEAD < count)
            prefetch_look(&out, traits, clicks[i + LOOKS_AHEAD]);
        if (has_expired(&out, row, click))
            continue;
        const cm_look *shown = traits == NULL ? NULL : &traits->looks[row->look];
        uint32_t user_agent = traits == NULL ? row->look : shown->user_agent;
        cm_device_key device = device_of(row, user_agent, layer);
        unsigned evidence = compare(&out, row, layer);
        bin = next_bin(&out, bin, out.t - cm_click_row_time(row));
        looks[kept] = (cm_candidate_look){
            .click = click,
            .evidence = (uint8_t)evidence,
            .user_agent = (uint8_t)compare_numbers(user_agent, out.user_agent),
            .traits = (uint8_t)compare_traits(shown, traits),
            .bin = (uint32_t)bin,
        };
        bool is_new = add_to_set(scratch, mask, kept, &device);
        evidences |= (unsigned)is_new << evidence;
        kept += is_new;
    }
    *shared = evidences >> CM_COMPARE_EQUAL & 1;
    return kept;
}

/* Apart, so that without traits nothing is as if there were any. */
__attribute__((noinline)) static size_t
look_with_traits(const cm_layer_context *context, const cm_query *query,
                 enum cm_weighed_layer layer, cm_layer_scratch *scratch, const uint32_t *clicks,
                 size_t count, cm_candidate_look *looks, bool *shared)
{
    struct lookout out = look_out(context, query);
    static const cm_look missing = {0};
    const cm_look *all = context->index->catalog.looks;
    struct trait_lookout traits = {.looks = all == NULL ? &missing : all};
    memcpy(&traits.shown, query->traits, sizeof query->traits);
    traits.known = (trait_lanes)(traits.shown != (trait_lanes){0});
    return layer == CM_WEIGH_FINGERPRINT
               ? look(out, &traits, CM_WEIGH_FINGERPRINT, scratch, clicks, count, looks, shared)
               : look(out, &traits, CM_WEIGH_PROBABILISTIC, scratch, clicks, count, looks, shared);
}

size_t cm_look_at_candidates(const cm_layer_context *context, const cm_query *query,
                             enum cm_weighed_layer layer, cm_layer_scratch *scratch,
                             const uint32_t *clicks, size_t count, cm_candidate_look *looks,
                             bool *shared)
{
    scratch->looked_at += count;
    if (context->scoring->model->has_traits)
        return look_with_traits(context, query, layer, scratch, clicks, count, looks, shared);
    struct lookout out = look_out(context, query);
    return layer == CM_WEIGH_FINGERPRINT
               ? look(out, NULL, CM_WEIGH_FINGERPRINT, scratch, clicks, count, looks, shared)
               : look(out, NULL, CM_WEIGH_PROBABILISTIC, scratch, clicks, count, looks, shared);
}

/* The factors of one delay bin, for this conversion. */
struct bin_factors {
    double base; /* prior * m / r * LR_delay */
    double evidence[CM_COMPARISONS];
};

static struct bin_factors factors_of(const cm_weights *weights, uint32_t at,
                                     enum cm_weighed_layer layer, double r, double u)
{
    const cm_bin_weights *bin = &weights->bins[at];
    bool is_fingerprint = layer == CM_WEIGH_FINGERPRINT;
    return (struct bin_factors){
        .base = bin->prior_m[layer] / r * bin->lr_delay[layer],
        .evidence =
            {
                [CM_COMPARE_MISSING] = 1.0,
                [CM_COMPARE_EQUAL] = is_fingerprint ? bin->ip_m / u : bin->lr_fingerprint_equal,
                [CM_COMPARE_DIFFERENT] =
                    is_fingerprint ? bin->lr_ip_different : bin->lr_fingerprint_different,
                [CM_COMPARE_OTHER_FAMILY] = bin->lr_ip_other,
            },
    };
}

/* One function with traits and one without are made of this. */
INLINE void weigh(const cm_weights *weights, enum cm_weighed_layer layer, double r, double u,
                  bool has_traits, cm_layer_scratch *scratch, size_t count)
{
    const cm_layer_weights *of = &weights->layers[layer];
    const double *user_agent = of->user_agent;
    struct bin_factors factors = {0};
    uint32_t bin = UINT32_MAX;
    for (size_t i = 0; i < count; i++) {
        const cm_candidate_look *look = &scratch->looks[i];
        if (look->bin != bin) {
            bin = look->bin;
            factors = factors_of(weights, bin, layer, r, u);
        }
        double w = factors.base * factors.evidence[look->evidence] * user_agent[look->user_agent];
        if (has_traits)
            w = cm_times_traits(of, look, w);
        scratch->weighed[i] = (cm_weighed){look->click, w};
    }
}

__attribute__((noinline)) static void weigh_with_traits(const cm_weights *weights,
                                                        enum cm_weighed_layer layer, double r,
                                                        double u, cm_layer_scratch *scratch,
                                                        size_t count)
{
    weigh(weights, layer, r, u, true, scratch, count);
}

void cm_weigh_candidates(const cm_weights *weights, enum cm_weighed_layer layer, double r, double u,
                         cm_layer_scratch *scratch, size_t count)
{
    if (weights->layers[layer].has_traits)
        weigh_with_traits(weights, layer, r, u, scratch, count);
    else
        weigh(weights, layer, r, u, false, scratch, count);
}

#include "train/own_clicks.h"

#include <math.h>
#include <stdlib.h>

#include "engine/engine.h"
#include "train/unit_weight.h"
#include "util/grow.h"
#include "util/hash.h"

#define ROUNDS 5
#define LR_DELAY_MIN 1e-9
#define DRAW_SEED 0x6f776e21u

struct listing {
    const cm_model *model;
    const cm_records *records;
    const cm_click_store *store;
    cm_own_clicks *own;
};

static bool list(struct listing *listing, const cm_train_conversion *conversion, uint32_t click)
{
    cm_own_clicks *own = listing->own;
    cm_slice tenant = listing->records->conversions[conversion->number].tenant_id;
    uint32_t number =
        cm_records_click(listing->records, tenant, cm_click_store_id(listing->store, click));
    cm_own_click *grown = cm_grow(own->items, &own->capacity, own->count + 1, sizeof *own->items);
    if (grown == NULL)
        return false;
    own->items = grown;
    own->items[own->count] = (cm_own_click){conversion->number, number};
    own->count += number != CM_NUMBER_NONE;
    return true;
}

/* Does the draw fall to the click? It depends on ids alone. */
static bool is_drawn(const struct listing *listing, const cm_train_conversion *conversion,
                     uint32_t click, double chance)
{
    const cm_conversion *record = &listing->records->conversions[conversion->number];
    uint64_t hash = cm_hash_pair(
        cm_hash_slice(record->tenant_id, DRAW_SEED),
        cm_hash_pair(cm_hash_slice(record->conversion_id, DRAW_SEED),
                     cm_hash_slice(cm_click_store_id(listing->store, click), DRAW_SEED)));
    return (double)(hash >> 11) * 0x1p-53 < chance;
}

static double lr_delay(const cm_model *model, const cm_parameters *parameters, size_t bin)
{
    return parameters->delay_m[bin] / cm_unit_delay_u(model, parameters, CM_WEIGH_FINGERPRINT, bin);
}

/*
 * How likely each candidate but the label is the device's, too. The device made `repeat` further
 * clicks, strangers made as many as `rivals` and those candidates that are theirs; which these are,
 * the chances themselves say: a few rounds settle it (mean field).
 */
static void find_chances(const struct listing *listing, const cm_train_conversion *conversion,
                         const cm_train_look *looks, double *chances)
{
    const cm_train_layer *layer = &conversion->layers[CM_WEIGH_FINGERPRINT];
    const cm_parameters *parameters = &listing->model->parameters[conversion->group];
    double unit[CM_CANDIDATES_MAX];
    double strangers = (double)layer->left;
    for (uint32_t i = 0; i < layer->count; i++) {
        bool is_label = looks[i].click == conversion->label;
        unit[i] =
            parameters->fingerprint.repeat *
            cm_unit_weight(listing->model, parameters, CM_WEIGH_FINGERPRINT, &looks[i], layer->u) /
            fmax(lr_delay(listing->model, parameters, looks[i].bin), LR_DELAY_MIN);
        chances[i] = is_label ? 1.0 : 0.5;
        strangers += 1 - chances[i];
    }
    for (int round = 0; round < ROUNDS; round++)
        for (uint32_t i = 0; i < layer->count; i++) {
            if (looks[i].click == conversion->label)
                continue;
            strangers -= 1 - chances[i];
            double odds = unit[i] / (parameters->fingerprint.rivals + strangers);
            chances[i] = odds / (1 + odds);
            strangers += 1 - chances[i];
        }
}

static bool list_candidates(struct listing *listing, const cm_train_chunk *chunk,
                            const cm_train_conversion *conversion)
{
    const cm_train_layer *layer = &conversion->layers[CM_WEIGH_FINGERPRINT];
    const cm_train_look *looks = chunk->looks + layer->first;
    double chances[CM_CANDIDATES_MAX];
    find_chances(listing, conversion, looks, chances);
    for (uint32_t i = 0; i < layer->count; i++)
        if (looks[i].click != conversion->label &&
            is_drawn(listing, conversion, looks[i].click, chances[i]) &&
            !list(listing, conversion, looks[i].click))
            return false;
    return true;
}

cm_status cm_own_clicks_list(const cm_training_set *set, const cm_model *model,
                             const cm_records *records, const cm_engine *engine, cm_own_clicks *own,
                             cm_error *error)
{
    struct listing listing = {model, records, &engine->index.catalog.store, own};
    for (size_t at = 0; at < set->chunk_count; at++)
        for (size_t i = 0; i < set->chunks[at].count; i++) {
            const cm_train_conversion *conversion = &set->chunks[at].conversions[i];
            if (conversion->label == CM_NUMBER_NONE || !conversion->is_held_out)
                continue;
            if (!list(&listing, conversion, conversion->label) ||
                !list_candidates(&listing, &set->chunks[at], conversion))
                return cm_error_memory(error, "own clicks", own->capacity * sizeof *own->items);
        }
    return CM_OK;
}

void cm_own_clicks_destroy(cm_own_clicks *own)
{
    free(own->items);
    *own = (cm_own_clicks){0};
}

#include "train/own_clicks.h"

#include <stdlib.h>

#include "engine/engine.h"
#include "train/older.h"
#include "util/grow.h"
#include "util/hash.h"

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

static bool list_candidates(struct listing *listing, const cm_train_chunk *chunk,
                            const cm_train_conversion *conversion)
{
    const cm_train_layer *layer = &conversion->layers[CM_WEIGH_FINGERPRINT];
    const cm_train_look *looks = chunk->looks + layer->first;
    double chances[CM_CANDIDATES_MAX];
    cm_older_chances(chunk, conversion, listing->model,
                     &listing->model->parameters[conversion->group], chances);
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

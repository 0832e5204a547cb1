/* The right clicks without a truth: those that layer 1 finds, which layers 2 and 3 are then to find
 * without their ids. */
#include <stdlib.h>

#include "cmd/draw.h"
#include "cmd/evaluate.h"
#include "index/keys.h"
#include "util/hash.h"
#include "util/parallel.h"

#define LOOKS_CHUNK ((size_t)4096)
#define MASK_SEED                                                                                  \
    0x6d61736bu /* so that which conversions are masked has nothing to do with hashes */

/* ---- what clicks of one device share ---- */

struct looking {
    const cm_records *records;
    cm_rights *rights;
    cm_key_rules rules;
    atomic_size_t next;
    atomic_bool failed;
};

/* 0 stands for nothing to share. */
static uint64_t not_zero(uint64_t hash)
{
    return hash == 0 ? 1 : hash;
}

static void look_at(struct looking *all, size_t number, const cm_click_keys *keys)
{
    const cm_device_keys *device = &keys->device;
    uint64_t agent = cm_hash_slice(all->records->clicks[number].device.user_agent, 0);
    uint64_t type = cm_hash_slice(device->device_type, 0);
    bool has_place = device->address_kind != 0;
    uint64_t place = cm_hash_pair(has_place ? device->bucket_hash : agent, type);
    all->rights->looks[number] =
        device->has_fingerprint ? not_zero(cm_hash_pair(device->fingerprint_hash, agent)) : 0;
    all->rights->places[number] = has_place ? not_zero(cm_hash_pair(place, agent)) : 0;
    /* Layer 2 takes clicks without an address for one place; strangers' are there, too. */
    all->rights->spots[number] =
        device->has_fingerprint ? not_zero(cm_hash_pair(place, device->fingerprint_hash)) : 0;
}

static void look_at_some(void *context, unsigned worker)
{
    (void)worker;
    struct looking *all = context;
    cm_key_scratch scratch = {0};
    size_t count = all->records->click_count;
    size_t at;
    bool ready = true;
    while (ready && (at = atomic_fetch_add(&all->next, LOOKS_CHUNK)) < count) {
        size_t end = at + LOOKS_CHUNK < count ? at + LOOKS_CHUNK : count;
        for (; at < end && ready; at++) {
            cm_click_keys keys;
            cm_arena_reset(&scratch.arena);
            ready = cm_click_keys_make(&all->rules, &all->records->clicks[at], &scratch, &keys);
            if (ready)
                look_at(all, at, &keys);
        }
    }
    if (!ready)
        atomic_store(&all->failed, true);
    cm_key_scratch_destroy(&scratch);
}

/* By the default model's address buckets, whatever the judged ones have. */
static cm_status find_looks(const cm_records *records, const cm_evaluate_options *options,
                            cm_rights *rights, cm_error *error)
{
    cm_model *model = NULL;
    struct looking all = {.records = records, .rights = rights};
    size_t bytes = (records->click_count + 1) * sizeof(uint64_t);
    rights->looks = malloc(bytes);
    rights->places = malloc(bytes);
    rights->spots = malloc(bytes);
    if (rights->looks == NULL || rights->places == NULL || rights->spots == NULL)
        return cm_error_memory(error, "what clicks look like", bytes);
    cm_status status = cm_model_create(NULL, 0, &model, error);
    if (status != CM_OK)
        return status;
    all.rules = (cm_key_rules){.model = model, .seed = options->hash_seed};
    cm_parallel(options->threads, look_at_some, &all);
    cm_model_destroy(model);
    return atomic_load(&all.failed) ? cm_error_memory(error, "the keys of clicks", bytes) : CM_OK;
}

/* ---- masking ---- */

/* Looks and places of the labelled clicks of masked conversions. */
struct mask {
    cm_hash_list looks, places;
};

static void gather_mask(const cm_records *records, double share, cm_rights *rights,
                        struct mask *mask, cm_evaluation *evaluation)
{
    for (size_t i = 0; i < records->conversion_count; i++) {
        if (!rights->is_judged[i] || cm_draw(&records->conversions[i], MASK_SEED) >= share)
            continue;
        uint32_t label = rights->right[i];
        rights->is_masked[i] = true;
        rights->is_deleted[label] = true;
        cm_hash_list_add(&mask->looks, rights->looks[label]);
        cm_hash_list_add(&mask->places, rights->places[label]);
        evaluation->masked++;
    }
    cm_hash_list_sort(&mask->looks);
    cm_hash_list_sort(&mask->places);
}

static cm_status make_mask(const cm_records *records, double share, cm_rights *rights,
                           cm_evaluation *evaluation, cm_error *error)
{
    size_t count = records->conversion_count + 1;
    struct mask mask = {0};
    rights->is_masked = calloc(count, sizeof *rights->is_masked);
    rights->is_deleted = calloc(records->click_count + 1, sizeof *rights->is_deleted);
    bool ready = cm_hash_list_init(&mask.looks, count) && cm_hash_list_init(&mask.places, count) &&
                 rights->is_masked != NULL && rights->is_deleted != NULL;
    if (ready) {
        gather_mask(records, share, rights, &mask, evaluation);
        for (size_t i = 0; i < records->click_count; i++) {
            if (cm_hash_list_has(&mask.looks, rights->looks[i]) ||
                cm_hash_list_has(&mask.places, rights->places[i]))
                rights->is_deleted[i] = true;
            evaluation->deleted += rights->is_deleted[i];
        }
    }
    cm_hash_list_destroy(&mask.looks);
    cm_hash_list_destroy(&mask.places);
    return ready ? CM_OK : cm_error_memory(error, "masked conversions", count * sizeof(uint64_t));
}

/* ---- labels ---- */

cm_status cm_evaluate_labels(const cm_records *records, double mask_share,
                             const cm_evaluate_options *options, cm_rights *rights,
                             cm_evaluation *evaluation, cm_error *error)
{
    for (size_t i = 0; i < records->conversion_count; i++) {
        rights->right[i] = rights->layer_1[i];
        rights->is_judged[i] = rights->layer_1[i] != CM_NUMBER_NONE;
        evaluation->judged += rights->is_judged[i];
    }
    if (evaluation->judged == 0)
        return cm_error_set(error, CM_ERROR_FORMAT,
                            "nothing to judge: layer 1 attributes none of the conversions; give "
                            "--truth, or conversions that carry click ids");
    cm_status status = find_looks(records, options, rights, error);
    if (status == CM_OK && mask_share > 0)
        status = make_mask(records, mask_share, rights, evaluation, error);
    evaluation->organic = evaluation->masked;
    return status;
}

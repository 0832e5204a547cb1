#include "index/click_warm.h"

#include "util/check.h"
#include "util/prefetch.h"

/* What the tables probably lead to: nothing was compared. */
struct guess {
    const cm_fingerprint_group *group;             /* NULL: none */
    uint32_t params[CM_PARAM_KIND_COUNT], address; /* references; CM_NUMBER_NONE */
    uint32_t user_agent, campaign;                 /* numbers; CM_NUMBER_NONE */
};

typedef void (*warming_step)(const cm_click_index *index, const cm_click_keys *keys,
                             struct guess *guess);

static const cm_postings *param_shard(const cm_click_index *index, const cm_click_keys *keys,
                                      unsigned kind)
{
    return &index->params[kind][cm_shard_of(keys->param_hashes[kind])];
}

static const cm_fingerprint_shard *fingerprint_shard(const cm_click_index *index,
                                                     const cm_click_keys *keys)
{
    return &index->fingerprints[cm_shard_of(keys->device.fingerprint_hash)];
}

static const cm_address_shard *address_shard(const cm_click_index *index, const cm_click_keys *keys)
{
    return &index->addresses[cm_shard_of(keys->device.bucket_hash)];
}

/* ---- slots ---- */

static void warm_slots(const cm_click_index *index, const cm_click_keys *keys, struct guess *guess)
{
    (void)guess;
    const cm_device_keys *device = &keys->device;
    const cm_dictionary *names = index->catalog.names;
    cm_table_prefetch_run(&index->click_ids[cm_shard_of(keys->click_id_hash)], keys->click_id_hash);
    for (unsigned kind = 0; kind < CM_PARAM_KIND_COUNT; kind++)
        if (keys->params[kind].size > 0)
            cm_table_prefetch(&param_shard(index, keys, kind)->table, keys->param_hashes[kind]);
    if (device->has_fingerprint)
        cm_table_prefetch(&fingerprint_shard(index, keys)->table, device->fingerprint_hash);
    if (device->address_kind != 0)
        cm_table_prefetch(&address_shard(index, keys)->buckets.table, device->bucket_hash);
    cm_table_prefetch(&names[CM_NAME_USER_AGENT].table, device->user_agent_hash);
    cm_table_prefetch(&names[CM_NAME_CAMPAIGN].table, keys->campaign_hash);
}

/* ---- what slots probably lead to ---- */

static uint32_t guess_param(const cm_click_index *index, const cm_click_keys *keys, unsigned kind)
{
    if (keys->params[kind].size == 0)
        return CM_NUMBER_NONE;
    return cm_table_guess(&param_shard(index, keys, kind)->table, keys->param_hashes[kind]);
}

static const cm_fingerprint_group *guess_fingerprint(const cm_click_index *index,
                                                     const cm_click_keys *keys)
{
    if (!keys->device.has_fingerprint)
        return NULL;
    const cm_fingerprint_shard *shard = fingerprint_shard(index, keys);
    uint32_t group = cm_table_guess(&shard->table, keys->device.fingerprint_hash);
    return group == CM_NUMBER_NONE ? NULL : cm_fingerprint_group_at(shard, group);
}

static uint32_t guess_address(const cm_click_index *index, const cm_click_keys *keys)
{
    if (keys->device.address_kind == 0)
        return CM_NUMBER_NONE;
    return cm_table_guess(&address_shard(index, keys)->buckets.table, keys->device.bucket_hash);
}

static uint32_t guess_name(const cm_dictionary *names, uint64_t hash)
{
    uint32_t number = cm_table_guess(&names->table, hash);
    if (number != CM_NUMBER_NONE)
        cm_prefetch(&names->texts[number]);
    return number;
}

static void warm_groups(const cm_click_index *index, const cm_click_keys *keys, struct guess *guess)
{
    const cm_dictionary *names = index->catalog.names;
    for (unsigned kind = 0; kind < CM_PARAM_KIND_COUNT; kind++) {
        guess->params[kind] = guess_param(index, keys, kind);
        if (guess->params[kind] != CM_NUMBER_NONE)
            cm_postings_prefetch(param_shard(index, keys, kind), guess->params[kind]);
    }
    guess->group = guess_fingerprint(index, keys);
    if (guess->group != NULL) {
        cm_prefetch(guess->group);
        cm_prefetch(&guess->group->fingerprint[31]);
    }
    guess->address = guess_address(index, keys);
    if (guess->address != CM_NUMBER_NONE)
        cm_postings_prefetch(&address_shard(index, keys)->buckets, guess->address);
    guess->user_agent = guess_name(&names[CM_NAME_USER_AGENT], keys->device.user_agent_hash);
    guess->campaign = guess_name(&names[CM_NAME_CAMPAIGN], keys->campaign_hash);
}

/* ---- the ends of lists ---- */

static void warm_text(const cm_dictionary *names, uint32_t number)
{
    if (number == CM_NUMBER_NONE)
        return;
    cm_slice text = names->texts[number];
    for (size_t at = 0; at < text.size && at < 192; at += 64)
        cm_prefetch(text.data + at);
}

static void warm_lists(const cm_click_index *index, const cm_click_keys *keys, struct guess *guess)
{
    const cm_dictionary *names = index->catalog.names;
    for (unsigned kind = 0; kind < CM_PARAM_KIND_COUNT; kind++)
        if (guess->params[kind] != CM_NUMBER_NONE)
            cm_postings_prefetch_end(param_shard(index, keys, kind), guess->params[kind]);
    if (guess->group != NULL)
        cm_list_prefetch_end(&fingerprint_shard(index, keys)->lists, &guess->group->list);
    if (guess->address != CM_NUMBER_NONE)
        cm_postings_prefetch_end(&address_shard(index, keys)->buckets, guess->address);
    warm_text(&names[CM_NAME_USER_AGENT], guess->user_agent);
    warm_text(&names[CM_NAME_CAMPAIGN], guess->campaign);
}

static void warm_newest(const cm_click_index *index, const cm_click_keys *keys, struct guess *guess)
{
    for (unsigned kind = 0; kind < CM_PARAM_KIND_COUNT; kind++)
        if (guess->params[kind] != CM_NUMBER_NONE)
            cm_postings_prefetch_newest(param_shard(index, keys, kind), guess->params[kind]);
    if (guess->group != NULL)
        cm_list_prefetch_newest(&fingerprint_shard(index, keys)->lists, &guess->group->list);
    if (guess->address != CM_NUMBER_NONE)
        cm_postings_prefetch_newest(&address_shard(index, keys)->buckets, guess->address);
}

void cm_click_index_warm(const cm_click_index *index, const cm_click_keys *keys, size_t count)
{
    static const warming_step steps[] = {warm_slots, warm_groups, warm_lists, warm_newest};
    struct guess guesses[CM_WARM_BATCH];
    CM_CHECK(count <= CM_WARM_BATCH);
    for (size_t step = 0; step < sizeof steps / sizeof *steps; step++)
        for (size_t i = 0; i < count; i++)
            steps[step](index, &keys[i], &guesses[i]);
}

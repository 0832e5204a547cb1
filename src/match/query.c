#include "match/query.h"

#include "util/prefetch.h"

/* ---- before layer 1 ---- */

static const cm_table *id_table(const cm_click_index *index, const cm_query *query)
{
    return &index->click_ids[cm_shard_of(query->keys.click_id_hash)];
}

static const cm_postings *param_shard(const cm_click_index *index, const cm_query *query,
                                      unsigned kind)
{
    return &index->params[kind][cm_shard_of(query->keys.param_hashes[kind])];
}

void cm_query_start(const cm_click_index *index, cm_query *query)
{
    const cm_conversion *conversion = query->conversion;
    query->tenant = cm_dictionary_find(&index->catalog.names[CM_NAME_TENANT], conversion->tenant_id,
                                       query->keys.tenant_hash);
    if (conversion->click_id.size > 0)
        cm_table_prefetch(id_table(index, query), query->keys.click_id_hash);
    for (unsigned kind = 0; kind < CM_PARAM_KIND_COUNT; kind++)
        if (query->keys.params[kind].size > 0)
            cm_table_prefetch(&param_shard(index, query, kind)->table,
                              query->keys.param_hashes[kind]);
}

/* The click that a key probably leads to; CM_NUMBER_NONE. */
static uint32_t guess_id(const cm_click_index *index, const cm_query *query)
{
    if (query->conversion->click_id.size == 0)
        return CM_NUMBER_NONE;
    return cm_table_guess(id_table(index, query), query->keys.click_id_hash);
}

static uint32_t guess_param(const cm_click_index *index, const cm_query *query, unsigned kind)
{
    if (query->keys.params[kind].size == 0)
        return CM_NUMBER_NONE;
    const cm_postings *shard = param_shard(index, query, kind);
    uint32_t reference = cm_table_guess(&shard->table, query->keys.param_hashes[kind]);
    return reference == CM_NUMBER_NONE ? reference : cm_postings_newest(shard, reference);
}

static void prefetch_row(const cm_click_index *index, uint32_t click)
{
    if (click == CM_NUMBER_NONE)
        return;
    cm_prefetch(cm_click_store_row(&index->catalog.store, click));
    cm_click_store_prefetch_place(&index->catalog.store, click);
}

static void prefetch_text(const cm_click_index *index, uint32_t click)
{
    if (click != CM_NUMBER_NONE)
        cm_click_store_prefetch_text(&index->catalog.store, click);
}

void cm_query_prefetch_rows(const cm_click_index *index, const cm_query *query)
{
    prefetch_row(index, guess_id(index, query));
    for (unsigned kind = 0; kind < CM_PARAM_KIND_COUNT; kind++)
        prefetch_row(index, guess_param(index, query, kind));
}

void cm_query_prefetch_texts(const cm_click_index *index, const cm_query *query)
{
    prefetch_text(index, guess_id(index, query));
    for (unsigned kind = 0; kind < CM_PARAM_KIND_COUNT; kind++)
        prefetch_text(index, guess_param(index, query, kind));
}

/* ---- before layers 2 and 3 ---- */

static const cm_fingerprint_shard *fingerprint_shard(const cm_click_index *index,
                                                     const cm_query *query)
{
    return &index->fingerprints[cm_shard_of(query->keys.device.fingerprint_hash)];
}

static const cm_address_shard *address_shard(const cm_click_index *index, const cm_query *query)
{
    return &index->addresses[cm_shard_of(query->keys.device.bucket_hash)];
}

void cm_query_prefetch_device(const cm_click_index *index, cm_query *query)
{
    const cm_device_keys *keys = &query->keys.device;
    if (keys->has_fingerprint)
        cm_table_prefetch(&fingerprint_shard(index, query)->table, keys->fingerprint_hash);
    if (keys->address_kind != 0)
        cm_table_prefetch(&address_shard(index, query)->buckets.table, keys->bucket_hash);
    cm_table_prefetch(&index->catalog.names[CM_NAME_USER_AGENT].table, keys->user_agent_hash);
}

/* The group that a fingerprint probably leads to; NULL. */
static const cm_fingerprint_group *guess_fingerprint(const cm_click_index *index,
                                                     const cm_query *query)
{
    const cm_device_keys *keys = &query->keys.device;
    if (!keys->has_fingerprint)
        return NULL;
    const cm_fingerprint_shard *shard = fingerprint_shard(index, query);
    uint32_t group = cm_table_guess(&shard->table, keys->fingerprint_hash);
    return group == CM_NUMBER_NONE ? NULL : cm_fingerprint_group_at(shard, group);
}

static uint32_t guess_address(const cm_click_index *index, const cm_query *query)
{
    const cm_device_keys *keys = &query->keys.device;
    if (keys->address_kind == 0)
        return CM_NUMBER_NONE;
    return cm_table_guess(&address_shard(index, query)->buckets.table, keys->bucket_hash);
}

void cm_query_prefetch_groups(const cm_click_index *index, cm_query *query)
{
    const cm_dictionary *user_agents = &index->catalog.names[CM_NAME_USER_AGENT];
    query->guess.group = guess_fingerprint(index, query);
    query->guess.address = guess_address(index, query);
    if (query->guess.group != NULL) {
        cm_prefetch(query->guess.group);
        cm_prefetch(&query->guess.group->fingerprint[31]);
    }
    if (query->guess.address != CM_NUMBER_NONE)
        cm_postings_prefetch(&address_shard(index, query)->buckets, query->guess.address);
    uint32_t user_agent = cm_table_guess(&user_agents->table, query->keys.device.user_agent_hash);
    if (user_agent != CM_NUMBER_NONE)
        cm_prefetch(&user_agents->texts[user_agent]);
}

static const cm_lists *fingerprint_lists(const cm_click_index *index, const cm_query *query)
{
    return &fingerprint_shard(index, query)->lists;
}

/* The list of the bucket that was guessed; NULL where it is none or has one click. */
static const cm_list *guessed_bucket(const cm_click_index *index, const cm_query *query)
{
    uint32_t address = query->guess.address;
    if (address == CM_NUMBER_NONE || !cm_postings_is_group(address))
        return NULL;
    return cm_postings_group(&address_shard(index, query)->buckets, address);
}

/* Of the two lists that were guessed. */
static inline void prefetch_lists(const cm_click_index *index, const cm_query *query,
                                  void (*prefetch)(const cm_lists *lists, const cm_list *list))
{
    if (query->guess.group != NULL)
        prefetch(fingerprint_lists(index, query), &query->guess.group->list);
    const cm_list *bucket = guessed_bucket(index, query);
    if (bucket != NULL)
        prefetch(&address_shard(index, query)->buckets.lists, bucket);
}

void cm_query_prefetch_lists(const cm_click_index *index, cm_query *query)
{
    prefetch_lists(index, query, cm_list_prefetch);
}

void cm_query_prefetch_chunks(const cm_click_index *index, cm_query *query)
{
    prefetch_lists(index, query, cm_list_prefetch_chunks);
}

/* Of a list that is searched, two ranks are sought; others are walked from the newest click. */
static bool is_sought(const cm_query *query)
{
    return query->guess.group != NULL && cm_list_is_searched(&query->guess.group->list);
}

static int64_t window_of(const cm_click_index *index)
{
    return index->rules.model->window_us;
}

void cm_query_seek(const cm_click_index *index, cm_query *query)
{
    if (is_sought(query)) {
        const cm_lists *lists = fingerprint_lists(index, query);
        const cm_list *list = &query->guess.group->list;
        query->seeks[0] = cm_list_seek(lists, list, query->t);
        query->seeks[1] = cm_list_seek(lists, list, query->t - window_of(index));
    }
    const cm_list *bucket = guessed_bucket(index, query);
    if (bucket != NULL)
        cm_list_prefetch_end(&address_shard(index, query)->buckets.lists, bucket);
}

void cm_query_seek_places(const cm_click_index *index, cm_query *query)
{
    const cm_model *model = index->rules.model;
    if (is_sought(query)) {
        const cm_lists *lists = fingerprint_lists(index, query);
        const cm_list *list = &query->guess.group->list;
        cm_list_seek_place(lists, list, query->t, model->max_candidates, &query->seeks[0]);
        cm_list_seek_place(lists, list, query->t - window_of(index), 0, &query->seeks[1]);
    }
    const cm_list *bucket = guessed_bucket(index, query);
    if (bucket != NULL)
        cm_list_prefetch_newest(&address_shard(index, query)->buckets.lists, bucket);
}

static uint32_t find_who(const cm_click_index *index, uint32_t tenant, uint32_t device_type)
{
    cm_who who = {tenant, device_type};
    cm_slice text = cm_who_text(&who);
    if (device_type == CM_NUMBER_NONE)
        return CM_NUMBER_NONE;
    return cm_dictionary_find(&index->catalog.names[CM_NAME_WHO], text,
                              cm_text_hash(&index->rules, text));
}

static size_t place_in(const cm_query *query)
{
    return (query->keys.device.device_type_hash ^ query->tenant) % CM_WHO_CACHE;
}

static bool is_met(const cm_click_index *index, const cm_who_cache *cache, const cm_query *query)
{
    const cm_device_keys *keys = &query->keys.device;
    const cm_dictionary *device_types = &index->catalog.names[CM_NAME_DEVICE_TYPE];
    size_t at = place_in(query);
    return cache->entries[at].device_type != CM_NUMBER_MISSING &&
           cache->entries[at].device_type_hash == keys->device_type_hash &&
           cache->entries[at].tenant == query->tenant &&
           cm_slice_equal(cm_dictionary_text(device_types, cache->entries[at].device_type),
                          keys->device_type);
}

static void find_whos(const cm_click_index *index, cm_who_cache *cache, cm_query *query)
{
    const cm_device_keys *keys = &query->keys.device;
    const cm_dictionary *device_types = &index->catalog.names[CM_NAME_DEVICE_TYPE];
    size_t at = place_in(query);
    if (is_met(index, cache, query)) {
        memcpy(query->whos, cache->entries[at].whos, sizeof query->whos);
        return;
    }
    uint32_t device_type =
        cm_dictionary_find(device_types, keys->device_type, keys->device_type_hash);
    query->whos[0] = find_who(index, query->tenant, device_type);
    query->whos[1] = find_who(index, query->tenant, CM_NUMBER_MISSING);
    if (device_type == CM_NUMBER_MISSING || device_type == CM_NUMBER_NONE)
        return;
    cache->entries[at].device_type_hash = keys->device_type_hash;
    cache->entries[at].tenant = query->tenant;
    cache->entries[at].device_type = device_type;
    cache->entries[at].parameters = query->parameters;
    memcpy(cache->entries[at].whos, query->whos, sizeof query->whos);
}

static void find_fingerprint(const cm_click_index *index, cm_query *query)
{
    const cm_device_keys *keys = &query->keys.device;
    const cm_fingerprint_shard *shard = fingerprint_shard(index, query);
    uint32_t group =
        cm_fingerprint_find(shard, query->tenant, keys->fingerprint, keys->fingerprint_hash);
    if (group == CM_NUMBER_NONE)
        return;
    query->fingerprint = cm_fingerprint_number(group, cm_shard_of(keys->fingerprint_hash));
    const cm_list *list = &cm_fingerprint_group_at(shard, group)->list;
    query->same_fingerprint = cm_view_of(&shard->lists, *list);
    cm_view_prefetch_clicks(&query->same_fingerprint);
    /* The list of the group that was guessed was sought: mostly it is this one. */
    if (is_sought(query) && query->guess.group == cm_fingerprint_group_at(shard, group)) {
        cm_list_seek_clicks(&shard->lists, list, query->t, &query->seeks[0]);
        cm_list_seek_clicks(&shard->lists, list, query->t - window_of(index), &query->seeks[1]);
    }
}

/* A conversion that does not name its device type takes clicks of any. */
static bool takes_all_types(const cm_query *query)
{
    return query->keys.device.device_type.size == 0;
}

static cm_view view_of_types(const cm_click_index *index, const cm_query *query)
{
    const cm_address_shard *shard = address_shard(index, query);
    cm_view view = {.lists = &shard->types.lists};
    for (unsigned i = 0; i < 2; i++) {
        if (query->whos[i] == CM_NUMBER_NONE)
            continue;
        uint32_t reference =
            cm_address_find_type(shard, &index->catalog, &query->bucket, query->whos[i]);
        if (reference != CM_NUMBER_NONE)
            view.list[view.count++] = cm_postings_list(&shard->types, reference);
    }
    return view;
}

static void find_address(const cm_click_index *index, cm_query *query)
{
    const cm_address_shard *shard = address_shard(index, query);
    query->bucket = cm_click_index_bucket(index, query->tenant, &query->keys.device);
    uint32_t reference = cm_address_find(shard, &index->catalog, &query->bucket);
    if (reference == CM_NUMBER_NONE)
        return;
    cm_view *view = &query->same_address;
    bool is_split = cm_postings_is_group(reference) && cm_bucket_at(shard, reference)->is_split;
    if (is_split && !takes_all_types(query)) {
        *view = view_of_types(index, query);
    } else {
        *view = cm_view_of(&shard->buckets.lists, cm_postings_list(&shard->buckets, reference));
        view->is_filtered = !takes_all_types(query);
        memcpy(view->whos, query->whos, sizeof view->whos);
    }
    cm_view_prefetch_clicks(view);
}

/* Most models have no sections. */
static uint32_t parameters_of(const cm_click_index *index, const cm_who_cache *cache,
                              const cm_query *query)
{
    const cm_model *model = index->rules.model;
    if (model->parameter_count == 1)
        return 0;
    if (is_met(index, cache, query))
        return cache->entries[place_in(query)].parameters;
    return cm_model_parameters_of(model, query->conversion->tenant_id,
                                  query->keys.device.device_type);
}

static void find_traits(const cm_click_index *index, cm_query *query)
{
    const cm_shown_traits *shown = query->keys.device.traits;
    for (cm_trait i = 0; i < CM_TRAIT_COUNT; i++)
        query->traits[i] = cm_dictionary_find(&index->catalog.names[cm_name_of_trait(i)],
                                              shown->texts[i], shown->hashes[i]);
}

void cm_query_find_device(const cm_click_index *index, cm_who_cache *cache, cm_query *query)
{
    query->parameters = parameters_of(index, cache, query);
    query->fingerprint = CM_NUMBER_NONE;
    query->same_fingerprint = (cm_view){0};
    query->same_address = (cm_view){0};
    query->user_agent = cm_dictionary_find(&index->catalog.names[CM_NAME_USER_AGENT],
                                           query->conversion->device.user_agent,
                                           query->keys.device.user_agent_hash);
    if (query->keys.device.traits != NULL)
        find_traits(index, query);
    if (query->tenant == CM_NUMBER_NONE)
        return;
    if (query->keys.device.has_fingerprint)
        find_fingerprint(index, query);
    if (query->keys.device.address_kind != 0) {
        find_whos(index, cache, query);
        find_address(index, query);
    }
}

void cm_query_find_range(const cm_click_index *index, cm_query *query)
{
    cm_view *view = &query->same_fingerprint;
    if (view->count == 1 && cm_list_is_searched(&view->list[0]))
        cm_view_find_range(view, query->t, window_of(index), index->rules.model->max_candidates);
}

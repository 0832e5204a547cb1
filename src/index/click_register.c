#include "index/click_register.h"

#include "index/click_prefetch.h"

static cm_status intern(cm_click_index *index, cm_registration *registration, cm_error *error)
{
    const cm_click_keys *keys = registration->keys;
    cm_click_row *row = &registration->row;
    row->user_agent = cm_dictionary_intern(
        &index->user_agents, registration->click->device.user_agent, keys->device.user_agent_hash);
    row->campaign = cm_dictionary_intern(&index->campaigns, keys->campaign, keys->campaign_hash);
    if (row->user_agent == CM_NUMBER_NONE || row->campaign == CM_NUMBER_NONE)
        return cm_error_memory(error, "a dictionary", keys->campaign.size);
    return CM_OK;
}

static void find_params(const cm_click_index *index, cm_registration *registration)
{
    const cm_click_keys *keys = registration->keys;
    for (unsigned kind = 0; kind < CM_PARAM_KIND_COUNT; kind++)
        if (keys->params[kind].size > 0)
            registration->param_groups[kind] =
                cm_param_find(&index->params, (cm_param_kind)kind, registration->row.tenant,
                              keys->params[kind], keys->param_hashes[kind]);
}

static cm_status reserve(cm_click_index *index, const cm_registration *registration,
                         cm_error *error)
{
    cm_param_index *params = &index->params;
    cm_status status = cm_click_store_reserve(&index->store, &registration->texts, error);
    if (status != CM_OK)
        return status;
    if (!cm_table_reserve(&index->click_ids, 1) ||
        !cm_table_reserve(&params->table, CM_PARAM_KIND_COUNT) ||
        !cm_groups_reserve(&params->groups, CM_PARAM_KIND_COUNT))
        return cm_error_memory(error, "the click ids", cm_table_memory(&index->click_ids));
    for (unsigned kind = 0; kind < CM_PARAM_KIND_COUNT && status == CM_OK; kind++)
        if (registration->param_groups[kind] != CM_NUMBER_NONE)
            status = cm_list_reserve(
                &params->lists, cm_param_list(params, registration->param_groups[kind]), error);
    return status;
}

cm_status cm_click_register_prepare(cm_click_index *index, const cm_click *click,
                                    const cm_click_keys *keys, cm_registration *registration,
                                    bool *is_new, cm_error *error)
{
    *registration = (cm_registration){
        .click = click,
        .keys = keys,
        .texts = {click->click_id, keys->params[CM_PARAM_FBCLID], keys->params[CM_PARAM_GCLID],
                  click->reference},
        .row = {.click_timestamp = click->click_timestamp, .address = CM_ADDRESS_MISSING},
        .param_groups = {CM_NUMBER_NONE, CM_NUMBER_NONE},
    };
    uint32_t tenant = cm_dictionary_intern(&index->tenants, click->tenant_id, keys->tenant_hash);
    if (tenant == CM_NUMBER_NONE)
        return cm_error_memory(error, "the tenants", click->tenant_id.size);
    registration->row.tenant = tenant;
    *is_new = cm_click_id_find(&index->click_ids, &index->store, tenant, click->click_id,
                               keys->click_id_hash) == CM_NUMBER_NONE;
    if (!*is_new)
        return CM_OK;
    cm_status status = intern(index, registration, error);
    if (status != CM_OK)
        return status;
    find_params(index, registration);
    return reserve(index, registration, error);
}

static int64_t findable_end(const cm_model *model, int64_t click_timestamp, int64_t expires_at)
{
    int64_t window_us = model->window_us > model->probabilistic_window_us
                            ? model->window_us
                            : model->probabilistic_window_us;
    int64_t end = click_timestamp + window_us;
    return (end > expires_at ? end : expires_at) + model->retention_us;
}

static void list_params(cm_click_index *index, cm_registration *registration, uint32_t number)
{
    cm_param_index *params = &index->params;
    const cm_click_keys *keys = registration->keys;
    for (unsigned kind = 0; kind < CM_PARAM_KIND_COUNT; kind++) {
        uint32_t group = registration->param_groups[kind];
        if (keys->params[kind].size == 0)
            continue;
        if (group == CM_NUMBER_NONE) {
            group = cm_groups_take(&params->groups);
            cm_table_insert(&params->table, keys->param_hashes[kind], group);
        }
        cm_list_insert(&params->lists, cm_param_list(params, group), number);
    }
}

uint32_t cm_click_register_commit(cm_click_index *index, cm_registration *registration)
{
    const cm_click *click = registration->click;
    const cm_click_keys *keys = registration->keys;
    int64_t end = findable_end(index->rules.model, click->click_timestamp, keys->expires_at);
    uint32_t number = cm_click_store_append(&index->store, &registration->row, &registration->texts,
                                            keys->expires_at, click->is_valid, end);
    cm_table_insert(&index->click_ids, keys->click_id_hash, number);
    list_params(index, registration, number);
    return number;
}

cm_status cm_click_index_register(cm_click_index *index, const cm_click *clicks,
                                  const cm_click_keys *keys, size_t count, uint32_t *numbers,
                                  uint64_t *duplicates, cm_error *error)
{
    for (size_t i = 0; i < count; i++) {
        cm_registration registration;
        bool is_new = false;
        cm_click_prefetch_register(index, keys, i, count);
        cm_status status =
            cm_click_register_prepare(index, &clicks[i], &keys[i], &registration, &is_new, error);
        if (status != CM_OK)
            return status;
        numbers[i] = is_new ? cm_click_register_commit(index, &registration) : CM_NUMBER_NONE;
        *duplicates += !is_new;
    }
    return CM_OK;
}

#include "index/click_row_make.h"

static uint32_t intern(cm_names *names, cm_name_kind kind, cm_slice text, uint64_t hash,
                       bool *failed)
{
    uint32_t number = cm_names_intern(names, kind, text, hash);
    *failed |= number == CM_NUMBER_NONE;
    return number;
}

int64_t cm_click_findable_end(const cm_model *model, int64_t click_timestamp, int64_t expires_at)
{
    int64_t window_us = model->window_us > model->probabilistic_window_us
                            ? model->window_us
                            : model->probabilistic_window_us;
    int64_t end = click_timestamp + window_us;
    return (end > expires_at ? end : expires_at) + model->retention_us;
}

static uint64_t address_of(const cm_key_rules *rules, cm_names *names, const cm_device_keys *keys,
                           bool *failed)
{
    if (!keys->is_wide)
        return keys->address;
    cm_slice bucket = cm_slice_of((const char *)keys->wide, sizeof keys->wide);
    return intern(names, CM_NAME_WIDE_BUCKET, bucket, cm_text_hash(rules, bucket), failed);
}

static uint32_t look_of(const cm_key_rules *rules, cm_names *names, const cm_click *click,
                        const cm_device_keys *keys, bool *failed)
{
    cm_slice user_agent = click->device.user_agent;
    if (keys->traits == NULL)
        return intern(names, CM_NAME_USER_AGENT, user_agent, keys->user_agent_hash, failed);
    uint32_t number =
        cm_names_intern_look(names, user_agent, keys->user_agent_hash, keys->traits, rules->seed);
    *failed |= number == CM_NUMBER_NONE;
    return number;
}

cm_status cm_click_row_make(const cm_key_rules *rules, cm_names *names, const cm_click *click,
                            const cm_click_keys *keys, cm_new_click *made, cm_error *error)
{
    const cm_device_keys *device = &keys->device;
    const cm_who_names shown = {click->tenant_id, device->device_type, keys->tenant_hash,
                                device->device_type_hash};
    cm_who who;
    uint32_t number = cm_names_intern_who(names, &shown, rules->seed, &who);
    bool failed = number == CM_NUMBER_NONE;
    unsigned flags = device->address_kind | (click->is_valid ? 0 : CM_ROW_INVALID);
    made->tenant = who.tenant;
    made->row = (cm_click_row){
        .time = cm_click_row_stamp(click->click_timestamp, flags),
        .address = address_of(rules, names, device, &failed),
        .who = number,
        .look = look_of(rules, names, click, device, &failed),
        .campaign = intern(names, CM_NAME_CAMPAIGN, keys->campaign, keys->campaign_hash, &failed),
    };
    if (failed)
        return cm_error_memory(error, "a dictionary", click->device.user_agent.size);
    made->texts = (cm_click_texts){click->click_id, keys->params[CM_PARAM_FBCLID],
                                   keys->params[CM_PARAM_GCLID], click->reference};
    made->findable_end =
        cm_click_findable_end(rules->model, click->click_timestamp, keys->expires_at);
    return CM_OK;
}

#include "model/build.h"

#include <stddef.h>

#include "model/column.h"

#define CLICK(member) offsetof(cm_click, member)

static const cm_column CLICK_COLUMNS[CM_CLICK_FIELD_COUNT] = {
    [CM_CLICK_TENANT_ID] = {cm_read_id, CLICK(tenant_id)},
    [CM_CLICK_CLICK_ID] = {cm_read_id, CLICK(click_id)},
    [CM_CLICK_CLICK_TIMESTAMP] = {cm_read_time, CLICK(click_timestamp)},
    [CM_CLICK_EXPIRES_AT] = {cm_read_expiry, CLICK(expires_at)},
    [CM_CLICK_IS_VALID] = {cm_read_flag, CLICK(is_valid)},
    [CM_CLICK_FBCLID] = {cm_read_id, CLICK(fbclid)},
    [CM_CLICK_GCLID] = {cm_read_id, CLICK(gclid)},
    [CM_CLICK_CAMPAIGN_ID] = {cm_read_text, CLICK(campaign_id)},
    [CM_CLICK_ADSET_ID] = {cm_read_text, CLICK(adset_id)},
    [CM_CLICK_AD_ID] = {cm_read_text, CLICK(ad_id)},
    [CM_CLICK_CREATIVE_ID] = {cm_read_text, CLICK(creative_id)},
    [CM_CLICK_FINGERPRINT_HASH] = {cm_read_fingerprint, CLICK(device)},
    [CM_CLICK_IP_ADDRESS] = {cm_read_address, CLICK(device.ip_address)},
    [CM_CLICK_USER_AGENT] = {cm_read_text, CLICK(device.user_agent)},
    [CM_CLICK_DEVICE_TYPE] = {cm_read_text, CLICK(device.device_type)},
    [CM_CLICK_OS] = {cm_read_text, CLICK(device.os)},
    [CM_CLICK_BROWSER] = {cm_read_text, CLICK(device.browser)},
    [CM_CLICK_SCREEN_WIDTH] = {cm_read_whole, CLICK(device.screen_width)},
    [CM_CLICK_SCREEN_HEIGHT] = {cm_read_whole, CLICK(device.screen_height)},
    [CM_CLICK_TIMEZONE] = {cm_read_text, CLICK(device.timezone)},
    [CM_CLICK_TIMEZONE_OFFSET] = {cm_read_whole, CLICK(device.timezone_offset)},
};

#define CONVERSION(member) offsetof(cm_conversion, member)

static const cm_column CONVERSION_COLUMNS[CM_CONVERSION_FIELD_COUNT] = {
    [CM_CONVERSION_TENANT_ID] = {cm_read_id, CONVERSION(tenant_id)},
    [CM_CONVERSION_CONVERSION_ID] = {cm_read_id, CONVERSION(conversion_id)},
    [CM_CONVERSION_CONVERSION_TIMESTAMP] = {cm_read_time, CONVERSION(conversion_timestamp)},
    [CM_CONVERSION_CLICK_ID] = {cm_read_id, CONVERSION(click_id)},
    [CM_CONVERSION_FBCLID] = {cm_read_id, CONVERSION(fbclid)},
    [CM_CONVERSION_GCLID] = {cm_read_id, CONVERSION(gclid)},
    [CM_CONVERSION_CONVERSION_FINGERPRINT_HASH] = {cm_read_fingerprint, CONVERSION(device)},
    [CM_CONVERSION_FINGERPRINT_HASH] = {cm_read_fingerprint, CONVERSION(device)},
    [CM_CONVERSION_IP_ADDRESS] = {cm_read_address, CONVERSION(device.ip_address)},
    [CM_CONVERSION_USER_AGENT] = {cm_read_text, CONVERSION(device.user_agent)},
    [CM_CONVERSION_DEVICE_TYPE] = {cm_read_text, CONVERSION(device.device_type)},
    [CM_CONVERSION_OS] = {cm_read_text, CONVERSION(device.os)},
    [CM_CONVERSION_BROWSER] = {cm_read_text, CONVERSION(device.browser)},
    [CM_CONVERSION_SCREEN_WIDTH] = {cm_read_whole, CONVERSION(device.screen_width)},
    [CM_CONVERSION_SCREEN_HEIGHT] = {cm_read_whole, CONVERSION(device.screen_height)},
    [CM_CONVERSION_TIMEZONE] = {cm_read_text, CONVERSION(device.timezone)},
    [CM_CONVERSION_TIMEZONE_OFFSET] = {cm_read_whole, CONVERSION(device.timezone_offset)},
};

static bool is_missing(const cm_value *value)
{
    return value->kind == CM_VALUE_MISSING ||
           (value->kind == CM_VALUE_TEXT && value->text.size == 0);
}

/* Fills a record of which everything is missing. */
static cm_status fill(const cm_filling *filling, const cm_column *columns, size_t count,
                      const cm_value *values, const cm_build_options *options,
                      uint64_t *lenient_counts, cm_reject *reject)
{
    for (size_t i = 0; i < count; i++) {
        bool is_required = i < CM_FIELD_REQUIRED_COUNT;
        const char *fault = is_required ? CM_FAULT_MISSING : NULL;
        if (!is_missing(&values[i]))
            fault = columns[i].read(filling, &columns[i], &values[i]);
        if (fault == NULL)
            continue;
        if (fault == CM_FAULT_MEMORY)
            return CM_ERROR_MEMORY;
        if (is_required || !options->lenient) {
            *reject = (cm_reject){i, fault};
            return CM_ERROR_FORMAT;
        }
        if (lenient_counts != NULL)
            lenient_counts[i]++;
    }
    return CM_OK;
}

cm_status cm_click_build(const cm_value *values, const cm_build_options *options, cm_arena *arena,
                         uint64_t *lenient_counts, cm_click *click, cm_reject *reject)
{
    *click = (cm_click){.expires_at = CM_TIME_MISSING, .is_valid = true};
    cm_filling filling = {click, arena};
    return fill(&filling, CLICK_COLUMNS, CM_CLICK_FIELD_COUNT, values, options, lenient_counts,
                reject);
}

cm_status cm_conversion_build(const cm_value *values, const cm_build_options *options,
                              cm_arena *arena, uint64_t *lenient_counts, cm_conversion *conversion,
                              cm_reject *reject)
{
    *conversion = (cm_conversion){0};
    cm_filling filling = {conversion, arena};
    return fill(&filling, CONVERSION_COLUMNS, CM_CONVERSION_FIELD_COUNT, values, options,
                lenient_counts, reject);
}

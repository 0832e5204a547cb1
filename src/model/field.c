#include "model/field.h"

static const char *const CLICK_NAMES[CM_CLICK_FIELD_COUNT] = {
    [CM_CLICK_TENANT_ID] = "tenant_id",
    [CM_CLICK_CLICK_ID] = "click_id",
    [CM_CLICK_CLICK_TIMESTAMP] = "click_timestamp",
    [CM_CLICK_EXPIRES_AT] = "expires_at",
    [CM_CLICK_IS_VALID] = "is_valid",
    [CM_CLICK_FBCLID] = "fbclid",
    [CM_CLICK_GCLID] = "gclid",
    [CM_CLICK_CAMPAIGN_ID] = "campaign_id",
    [CM_CLICK_ADSET_ID] = "adset_id",
    [CM_CLICK_AD_ID] = "ad_id",
    [CM_CLICK_CREATIVE_ID] = "creative_id",
    [CM_CLICK_FINGERPRINT_HASH] = "fingerprint_hash",
    [CM_CLICK_IP_ADDRESS] = "ip_address",
    [CM_CLICK_USER_AGENT] = "user_agent",
    [CM_CLICK_DEVICE_TYPE] = "device_type",
    [CM_CLICK_OS] = "os",
    [CM_CLICK_BROWSER] = "browser",
    [CM_CLICK_SCREEN_WIDTH] = "screen_width",
    [CM_CLICK_SCREEN_HEIGHT] = "screen_height",
    [CM_CLICK_TIMEZONE] = "timezone",
    [CM_CLICK_TIMEZONE_OFFSET] = "timezone_offset",
};

static const char *const CONVERSION_NAMES[CM_CONVERSION_FIELD_COUNT] = {
    [CM_CONVERSION_TENANT_ID] = "tenant_id",
    [CM_CONVERSION_CONVERSION_ID] = "conversion_id",
    [CM_CONVERSION_CONVERSION_TIMESTAMP] = "conversion_timestamp",
    [CM_CONVERSION_CLICK_ID] = "click_id",
    [CM_CONVERSION_FBCLID] = "fbclid",
    [CM_CONVERSION_GCLID] = "gclid",
    [CM_CONVERSION_CONVERSION_FINGERPRINT_HASH] = "conversion_fingerprint_hash",
    [CM_CONVERSION_FINGERPRINT_HASH] = "fingerprint_hash",
    [CM_CONVERSION_IP_ADDRESS] = "ip_address",
    [CM_CONVERSION_USER_AGENT] = "user_agent",
    [CM_CONVERSION_DEVICE_TYPE] = "device_type",
    [CM_CONVERSION_OS] = "os",
    [CM_CONVERSION_BROWSER] = "browser",
    [CM_CONVERSION_SCREEN_WIDTH] = "screen_width",
    [CM_CONVERSION_SCREEN_HEIGHT] = "screen_height",
    [CM_CONVERSION_TIMEZONE] = "timezone",
    [CM_CONVERSION_TIMEZONE_OFFSET] = "timezone_offset",
};

static const char *const CLICK_TRUTH_NAMES[CM_CLICK_TRUTH_FIELD_COUNT] = {
    [CM_CLICK_TRUTH_TENANT_ID] = "tenant_id",
    [CM_CLICK_TRUTH_CLICK_ID] = "click_id",
    [CM_CLICK_TRUTH_DEVICE] = "device",
};

static const char *const CONVERSION_TRUTH_NAMES[CM_CONVERSION_TRUTH_FIELD_COUNT] = {
    [CM_CONVERSION_TRUTH_TENANT_ID] = "tenant_id",
    [CM_CONVERSION_TRUTH_CONVERSION_ID] = "conversion_id",
    [CM_CONVERSION_TRUTH_DEVICE] = "device",
};

static const struct {
    const char *const *names;
    size_t count;
} KINDS[] = {
    [CM_ROW_CLICK] = {CLICK_NAMES, CM_CLICK_FIELD_COUNT},
    [CM_ROW_CONVERSION] = {CONVERSION_NAMES, CM_CONVERSION_FIELD_COUNT},
    [CM_ROW_CLICK_TRUTH] = {CLICK_TRUTH_NAMES, CM_CLICK_TRUTH_FIELD_COUNT},
    [CM_ROW_CONVERSION_TRUTH] = {CONVERSION_TRUTH_NAMES, CM_CONVERSION_TRUTH_FIELD_COUNT},
};

const char *cm_field_name(cm_row_kind kind, size_t field)
{
    return KINDS[kind].names[field];
}

size_t cm_field_count(cm_row_kind kind)
{
    return KINDS[kind].count;
}

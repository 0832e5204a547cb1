#include "model/build.h"

#include <stddef.h>
#include <string.h>

#include "model/column.h"
#include "model/pii.h"
#include "util/text.h"

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

/* A record being filled. Each take_* fills one field of it, whatever was there before, and is false
 * where that is the end: the status says why. */
typedef struct building {
    const cm_value *values;
    const cm_column *columns;
    const cm_build_options *options;
    size_t bytes_max; /* of a text */
    uint64_t *lenient_counts;
    cm_filling filling;
    cm_reject *reject;
    cm_status status;
} building;

static bool is_missing(const cm_value *value)
{
    return value->kind == CM_VALUE_MISSING ||
           (value->kind == CM_VALUE_TEXT && value->text.size == 0);
}

static bool is_long(const building *b, const cm_value *value)
{
    return value->kind == CM_VALUE_TEXT && value->text.size > b->bytes_max;
}

/* Every value but usual text: its field holds what stands for a missing one. */
__attribute__((noinline)) static bool take_other(building *b, size_t field)
{
    bool is_required = field < CM_FIELD_REQUIRED_COUNT;
    const cm_value *value = &b->values[field];
    const char *fault = is_required ? CM_FAULT_MISSING : NULL;
    if (is_long(b, value))
        fault = CM_FAULT_LONG;
    else if (!is_missing(value))
        fault = b->columns[field].read(&b->filling, &b->columns[field], value);
    if (fault == NULL)
        return true;
    if (fault == CM_FAULT_MEMORY) {
        b->status = CM_ERROR_MEMORY;
        return false;
    }
    if (is_required || !b->options->lenient) {
        *b->reject = (cm_reject){field, fault};
        b->status = CM_ERROR_FORMAT;
        return false;
    }
    if (b->lenient_counts != NULL)
        b->lenient_counts[field]++;
    return true;
}

/* Text of any bytes. Chosen without a branch: which fields are there is a guess at every row. */
static inline bool take_text(building *b, size_t field, cm_slice *slot)
{
    const cm_value *value = &b->values[field];
    size_t size = value->kind == CM_VALUE_TEXT ? value->text.size : 0;
    if (__builtin_expect(size > b->bytes_max, 0)) {
        *slot = (cm_slice){NULL, 0};
        return take_other(b, field);
    }
    slot->size = size;
    slot->data = size > 0 ? value->text.data : NULL;
    return value->kind <= CM_VALUE_TEXT || take_other(b, field);
}

static inline bool take_id(building *b, size_t field, cm_slice *slot)
{
    cm_slice text = b->values[field].text;
    *slot = (cm_slice){NULL, 0};
    if (b->values[field].kind == CM_VALUE_TEXT && text.size - 1 < CM_ID_BYTES_SURE &&
        cm_text_is_plain(text)) {
        *slot = text;
        return true;
    }
    return take_other(b, field);
}

static inline bool take_optional_id(building *b, size_t field, cm_slice *slot)
{
    if (!is_missing(&b->values[field]))
        return take_id(b, field, slot);
    *slot = (cm_slice){NULL, 0};
    return true;
}

static inline bool take_time(building *b, size_t field, int64_t *slot)
{
    const cm_value *value = &b->values[field];
    return (value->kind == CM_VALUE_TEXT && value->text.size <= b->bytes_max &&
            cm_time_parse(value->text, slot)) ||
           take_other(b, field);
}

static inline bool take_expiry(building *b, cm_click *click)
{
    click->expires_at = CM_TIME_MISSING;
    return is_missing(&b->values[CM_CLICK_EXPIRES_AT]) || take_other(b, CM_CLICK_EXPIRES_AT);
}

static inline bool take_flag(building *b, cm_click *click)
{
    const cm_value *value = &b->values[CM_CLICK_IS_VALID];
    click->is_valid = true;
    if (is_missing(value) || (value->kind == CM_VALUE_TEXT && value->text.size == 4 &&
                              memcmp(value->text.data, "true", 4) == 0))
        return true;
    return take_other(b, CM_CLICK_IS_VALID);
}

/* The address of a device and what is before it. */
static inline bool take_fingerprint(building *b, size_t field, cm_device *device)
{
    const cm_value *value = &b->values[field];
    memset(device, 0, offsetof(cm_device, user_agent)); /* what is between the fields, too */
    if (is_missing(value))
        return true;
    if (value->kind == CM_VALUE_TEXT && cm_fingerprint_parse(value->text, device->fingerprint)) {
        device->has_fingerprint = true;
        return true;
    }
    memset(device->fingerprint, 0, sizeof device->fingerprint);
    return take_other(b, field);
}

static inline bool take_address(building *b, size_t field, cm_address *slot)
{
    const cm_value *value = &b->values[field];
    if (is_missing(value) || (value->kind == CM_VALUE_TEXT && value->text.size <= b->bytes_max &&
                              cm_address_parse(value->text, slot)))
        return true;
    *slot = (cm_address){0};
    return take_other(b, field);
}

/* The fields from user_agent on, which follow each other in clicks and conversions alike. */
static inline bool take_components(building *b, size_t user_agent, cm_device *device)
{
    return take_text(b, user_agent, &device->user_agent) &&
           take_text(b, user_agent + 1, &device->device_type) &&
           take_text(b, user_agent + 2, &device->os) &&
           take_text(b, user_agent + 3, &device->browser) &&
           take_text(b, user_agent + 4, &device->screen_width) &&
           take_text(b, user_agent + 5, &device->screen_height) &&
           take_text(b, user_agent + 6, &device->timezone) &&
           take_text(b, user_agent + 7, &device->timezone_offset);
}

_Static_assert(CM_CLICK_TIMEZONE_OFFSET == CM_CLICK_USER_AGENT + 7, "take_components counts on it");
_Static_assert(CM_CONVERSION_TIMEZONE_OFFSET == CM_CONVERSION_USER_AGENT + 7, "and on this");

/* The last step: hash what is personal, where that is asked for. */
static inline cm_status hide(const building *b, cm_slice tenant, cm_arena *arena, cm_device *device)
{
    if (b->status != CM_OK || b->options->pii == NULL ||
        cm_pii_hide(b->options->pii, tenant, arena, device))
        return b->status;
    return CM_ERROR_MEMORY;
}

/* No limit is one that no text reaches. */
static size_t text_bytes_max(const cm_build_options *options)
{
    return options->field_bytes_max == 0 ? SIZE_MAX : options->field_bytes_max;
}

cm_status cm_click_build(const cm_value *values, const cm_build_options *options, cm_arena *arena,
                         uint64_t *lenient_counts, cm_click *click, cm_reject *reject)
{
    building b = {.values = values,
                  .columns = CLICK_COLUMNS,
                  .options = options,
                  .bytes_max = text_bytes_max(options),
                  .lenient_counts = lenient_counts,
                  .filling = {click, arena},
                  .reject = reject};
    memset(&click->is_valid, 0, CLICK(fbclid) - CLICK(is_valid)); /* what is behind it, too */
    click->reference = (cm_slice){NULL, 0};
    /* In the order of the columns: the first that is malformed is named. */
    if (take_id(&b, CM_CLICK_TENANT_ID, &click->tenant_id) &&
        take_id(&b, CM_CLICK_CLICK_ID, &click->click_id) &&
        take_time(&b, CM_CLICK_CLICK_TIMESTAMP, &click->click_timestamp) &&
        take_expiry(&b, click) && take_flag(&b, click) &&
        take_optional_id(&b, CM_CLICK_FBCLID, &click->fbclid) &&
        take_optional_id(&b, CM_CLICK_GCLID, &click->gclid) &&
        take_text(&b, CM_CLICK_CAMPAIGN_ID, &click->campaign_id) &&
        take_text(&b, CM_CLICK_ADSET_ID, &click->adset_id) &&
        take_text(&b, CM_CLICK_AD_ID, &click->ad_id) &&
        take_text(&b, CM_CLICK_CREATIVE_ID, &click->creative_id) &&
        take_fingerprint(&b, CM_CLICK_FINGERPRINT_HASH, &click->device) &&
        take_address(&b, CM_CLICK_IP_ADDRESS, &click->device.ip_address))
        take_components(&b, CM_CLICK_USER_AGENT, &click->device);
    return hide(&b, click->tenant_id, arena, &click->device);
}

/* Of the two columns for the fingerprint the second counts where the first is missing. */
static inline bool take_second_fingerprint(building *b)
{
    return is_missing(&b->values[CM_CONVERSION_FINGERPRINT_HASH]) ||
           take_other(b, CM_CONVERSION_FINGERPRINT_HASH);
}

cm_status cm_conversion_build(const cm_value *values, const cm_build_options *options,
                              cm_arena *arena, uint64_t *lenient_counts, cm_conversion *conversion,
                              cm_reject *reject)
{
    building b = {.values = values,
                  .columns = CONVERSION_COLUMNS,
                  .options = options,
                  .bytes_max = text_bytes_max(options),
                  .lenient_counts = lenient_counts,
                  .filling = {conversion, arena},
                  .reject = reject};
    cm_device *device = &conversion->device;
    if (take_id(&b, CM_CONVERSION_TENANT_ID, &conversion->tenant_id) &&
        take_id(&b, CM_CONVERSION_CONVERSION_ID, &conversion->conversion_id) &&
        take_time(&b, CM_CONVERSION_CONVERSION_TIMESTAMP, &conversion->conversion_timestamp) &&
        take_optional_id(&b, CM_CONVERSION_CLICK_ID, &conversion->click_id) &&
        take_optional_id(&b, CM_CONVERSION_FBCLID, &conversion->fbclid) &&
        take_optional_id(&b, CM_CONVERSION_GCLID, &conversion->gclid) &&
        take_fingerprint(&b, CM_CONVERSION_CONVERSION_FINGERPRINT_HASH, device) &&
        take_second_fingerprint(&b) &&
        take_address(&b, CM_CONVERSION_IP_ADDRESS, &device->ip_address))
        take_components(&b, CM_CONVERSION_USER_AGENT, device);
    return hide(&b, conversion->tenant_id, arena, device);
}

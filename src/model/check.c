#include <string.h>

#include "model/build.h"
#include "model/column.h"
#include "util/text.h"
#include "util/time.h"

#define ID_CHARACTERS_MAX ((size_t)255)
#define REFERENCE_BYTES_MAX ((size_t)255)

const char *cm_id_fault(cm_slice id)
{
    size_t characters;
    if (id.size <= ID_CHARACTERS_MAX && cm_text_is_plain(id))
        return NULL;
    if (!cm_utf8_count(id, &characters))
        return "not valid UTF-8";
    if (memchr(id.data, '\0', id.size) != NULL)
        return "contains a NUL";
    return characters > ID_CHARACTERS_MAX ? "longer than 255 characters" : NULL;
}

/*
 * A check goes through the fields in order until one is at fault. Each step takes the faults of
 * those before it, so that the first stays.
 */
static bool note(cm_reject *reject, size_t field, const char *fault)
{
    if (fault != NULL)
        *reject = (cm_reject){field, fault};
    return fault == NULL;
}

static bool check_required_id(cm_reject *reject, size_t field, cm_slice id)
{
    return note(reject, field, id.size == 0 ? CM_FAULT_MISSING : cm_id_fault(id));
}

static bool check_id(cm_reject *reject, size_t field, cm_slice id)
{
    return id.size == 0 || note(reject, field, cm_id_fault(id));
}

static bool check_time(cm_reject *reject, size_t field, int64_t time_us)
{
    if (time_us == CM_TIME_MISSING)
        return note(reject, field, CM_FAULT_MISSING);
    return note(reject, field, cm_time_is_in_range(time_us) ? NULL : CM_FAULT_TIME_RANGE);
}

static bool check_expiry(cm_reject *reject, const cm_click *click)
{
    if (click->expires_at == CM_TIME_MISSING)
        return true;
    return check_time(reject, CM_CLICK_EXPIRES_AT, click->expires_at) &&
           note(reject, CM_CLICK_EXPIRES_AT,
                click->expires_at < click->click_timestamp ? CM_FAULT_EXPIRY : NULL);
}

static bool check_address(cm_reject *reject, size_t field, const cm_address *address)
{
    bool is_known = address->version == 0 || address->version == 4 || address->version == 6;
    return note(reject, field, is_known ? NULL : CM_FAULT_ADDRESS);
}

bool cm_click_check(const cm_click *click, cm_reject *reject)
{
    return check_required_id(reject, CM_CLICK_TENANT_ID, click->tenant_id) &&
           check_required_id(reject, CM_CLICK_CLICK_ID, click->click_id) &&
           check_time(reject, CM_CLICK_CLICK_TIMESTAMP, click->click_timestamp) &&
           check_expiry(reject, click) && check_id(reject, CM_CLICK_FBCLID, click->fbclid) &&
           check_id(reject, CM_CLICK_GCLID, click->gclid) &&
           check_address(reject, CM_CLICK_IP_ADDRESS, &click->device.ip_address) &&
           note(reject, CM_FIELD_NONE,
                click->reference.size > REFERENCE_BYTES_MAX ? "reference is longer than 255 bytes"
                                                            : NULL);
}

bool cm_conversion_check(const cm_conversion *conversion, cm_reject *reject)
{
    return check_required_id(reject, CM_CONVERSION_TENANT_ID, conversion->tenant_id) &&
           check_required_id(reject, CM_CONVERSION_CONVERSION_ID, conversion->conversion_id) &&
           check_time(reject, CM_CONVERSION_CONVERSION_TIMESTAMP,
                      conversion->conversion_timestamp) &&
           check_id(reject, CM_CONVERSION_CLICK_ID, conversion->click_id) &&
           check_id(reject, CM_CONVERSION_FBCLID, conversion->fbclid) &&
           check_id(reject, CM_CONVERSION_GCLID, conversion->gclid) &&
           check_address(reject, CM_CONVERSION_IP_ADDRESS, &conversion->device.ip_address);
}

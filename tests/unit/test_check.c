/* Records that a caller filled by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "model/build.h"
#include "util/slice.h"
#include "util/time.h"

#define T0 1773144000000000

static char many[256]; /* filled with letters */

static int fill_many(void **state)
{
    (void)state;
    memset(many, 'x', sizeof many);
    return 0;
}

static cm_click good_click(void)
{
    return (cm_click){.tenant_id = CM_SLICE("tenant"),
                      .click_id = cm_slice_of(many, 255),
                      .click_timestamp = T0,
                      .expires_at = CM_TIME_MISSING,
                      .is_valid = true};
}

static cm_conversion good_conversion(void)
{
    return (cm_conversion){.tenant_id = CM_SLICE("tenant"),
                           .conversion_id = cm_slice_of(many, 255),
                           .conversion_timestamp = T0};
}

/* A NULL reason: nothing is wrong. */
static void assert_click(const cm_click *click, size_t field, const char *reason)
{
    cm_reject reject = {0, NULL};
    assert_int_equal(cm_click_check(click, &reject), reason == NULL);
    if (reason == NULL)
        return;
    assert_int_equal(reject.field, field);
    assert_string_equal(reject.reason, reason);
}

static void assert_conversion(const cm_conversion *conversion, size_t field, const char *reason)
{
    cm_reject reject = {0, NULL};
    assert_int_equal(cm_conversion_check(conversion, &reject), reason == NULL);
    if (reason == NULL)
        return;
    assert_int_equal(reject.field, field);
    assert_string_equal(reject.reason, reason);
}

/* Each change of a good click, and what is said of it. */
#define CLICK(field, reason, ...)                                                                  \
    do {                                                                                           \
        cm_click click = good_click();                                                             \
        __VA_ARGS__;                                                                               \
        assert_click(&click, field, reason);                                                       \
    } while (0)

static void clicks_are_checked(void **state)
{
    (void)state;
    CLICK(0, NULL, click.reference = cm_slice_of(many, 255));
    CLICK(0, NULL, click.expires_at = T0);
    CLICK(0, NULL, click.device.ip_address.version = 6);
    CLICK(CM_CLICK_TENANT_ID, "missing", click.tenant_id.size = 0);
    CLICK(CM_CLICK_TENANT_ID, "contains a NUL", click.tenant_id = CM_SLICE("\0"));
    CLICK(CM_CLICK_CLICK_ID, "missing", click.click_id.size = 0);
    CLICK(CM_CLICK_CLICK_ID, "longer than 255 characters", click.click_id.size = 256);
    CLICK(CM_CLICK_CLICK_TIMESTAMP, "missing", click.click_timestamp = CM_TIME_MISSING);
    CLICK(CM_CLICK_CLICK_TIMESTAMP, "outside 1970 to 9999", click.click_timestamp = -1);
    CLICK(CM_CLICK_CLICK_TIMESTAMP, "outside 1970 to 9999", click.click_timestamp = CM_TIME_END_US);
    CLICK(CM_CLICK_EXPIRES_AT, "before click_timestamp", click.expires_at = T0 - 1);
    CLICK(CM_CLICK_EXPIRES_AT, "outside 1970 to 9999", click.expires_at = INT64_MAX);
    CLICK(CM_CLICK_FBCLID, "not valid UTF-8", click.fbclid = CM_SLICE("\xFF"));
    CLICK(CM_CLICK_GCLID, "contains a NUL", click.gclid = CM_SLICE("a\0"));
    CLICK(CM_CLICK_IP_ADDRESS, "not an IP address", click.device.ip_address.version = 5);
    CLICK(CM_FIELD_NONE, "reference is longer than 255 bytes",
          click.reference = cm_slice_of(many, 256));
    CLICK(CM_CLICK_TENANT_ID, "missing", click.tenant_id.size = 0; click.click_timestamp = -1);
}

#define CONVERSION(field, reason, ...)                                                             \
    do {                                                                                           \
        cm_conversion conversion = good_conversion();                                              \
        __VA_ARGS__;                                                                               \
        assert_conversion(&conversion, field, reason);                                             \
    } while (0)

static void conversions_are_checked(void **state)
{
    (void)state;
    CONVERSION(0, NULL, conversion.gclid = CM_SLICE("g"));
    CONVERSION(CM_CONVERSION_TENANT_ID, "missing", conversion.tenant_id.size = 0);
    CONVERSION(CM_CONVERSION_CONVERSION_ID, "missing", conversion.conversion_id.size = 0);
    CONVERSION(CM_CONVERSION_CONVERSION_ID, "longer than 255 characters",
               conversion.conversion_id.size = 256);
    CONVERSION(CM_CONVERSION_CONVERSION_TIMESTAMP, "missing",
               conversion.conversion_timestamp = CM_TIME_MISSING);
    CONVERSION(CM_CONVERSION_CONVERSION_TIMESTAMP, "outside 1970 to 9999",
               conversion.conversion_timestamp = CM_TIME_END_US);
    CONVERSION(CM_CONVERSION_CLICK_ID, "contains a NUL", conversion.click_id = CM_SLICE("\0"));
    CONVERSION(CM_CONVERSION_FBCLID, "not valid UTF-8", conversion.fbclid = CM_SLICE("\x80"));
    CONVERSION(CM_CONVERSION_GCLID, "longer than 255 characters",
               conversion.gclid = cm_slice_of(many, 256));
    CONVERSION(CM_CONVERSION_IP_ADDRESS, "not an IP address",
               conversion.device.ip_address.version = 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clicks_are_checked),
        cmocka_unit_test(conversions_are_checked),
    };
    return cmocka_run_group_tests(tests, fill_many, NULL);
}

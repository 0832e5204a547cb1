/* Rows into clicks and conversions: every reason for which a row is rejected. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "model/build.h"
#include "util/slice.h"
#include "util/time.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
/* Initialisers, so that tables can be constant. */
#define TEXT(literal)                                                                              \
    {                                                                                              \
        .kind = CM_VALUE_TEXT, .text = { literal, sizeof(literal) - 1 }                            \
    }
#define NUMBER(literal)                                                                            \
    {                                                                                              \
        .kind = CM_VALUE_NUMBER, .text = { literal, sizeof(literal) - 1 }                          \
    }
#define OF(value_kind, number)                                                                     \
    {                                                                                              \
        .kind = (value_kind), .integer = (number)                                                  \
    }
#define T0 1773144000000000 /* 2026-03-10T12:00:00Z */
#define HEX "0123456789abcdefABCDEF0123456789abcdefABCDEF0123456789abcdefABCD"
#define TEXT_5 "12345"
#define TEXT_50 TEXT_5 TEXT_5 TEXT_5 TEXT_5 TEXT_5 TEXT_5 TEXT_5 TEXT_5 TEXT_5 TEXT_5
#define TEXT_255 TEXT_50 TEXT_50 TEXT_50 TEXT_50 TEXT_50 TEXT_5
#define WIDE_5 "\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC"
#define WIDE_50 WIDE_5 WIDE_5 WIDE_5 WIDE_5 WIDE_5 WIDE_5 WIDE_5 WIDE_5 WIDE_5 WIDE_5
#define WIDE_255 WIDE_50 WIDE_50 WIDE_50 WIDE_50 WIDE_50 WIDE_5

static const cm_build_options STRICT = {.lenient = false}, LENIENT = {.lenient = true};

/* A row with the required fields only. */
static void fill_required(cm_value values[CM_FIELD_COUNT_MAX])
{
    memset(values, 0, CM_FIELD_COUNT_MAX * sizeof *values);
    values[0] = (cm_value)TEXT("tenant");
    values[1] = (cm_value)TEXT("id");
    values[2] = (cm_value)TEXT("2026-03-10T12:00:00Z");
}

#define WRONG_KIND                                                                                 \
    {                                                                                              \
        .kind = CM_VALUE_WRONG                                                                     \
    }

/* One changed field of a row that is good otherwise, and what is said of it. */
struct click_case {
    size_t field;
    cm_value value;
    const char *reason; /* NULL: accepted */
};

static const struct click_case CLICK_CASES[] = {
    {CM_CLICK_TENANT_ID, {.kind = CM_VALUE_MISSING}, "missing"},
    {CM_CLICK_TENANT_ID, TEXT(""), "missing"},
    {CM_CLICK_CLICK_ID, {.kind = CM_VALUE_MISSING}, "missing"},
    {CM_CLICK_CLICK_TIMESTAMP, {.kind = CM_VALUE_MISSING}, "missing"},
    {CM_CLICK_CLICK_TIMESTAMP, TEXT(""), "missing"},
    {CM_CLICK_TENANT_ID, TEXT("a\xFF"), "not valid UTF-8"},
    {CM_CLICK_TENANT_ID, TEXT("\xED\xA0\x80"), "not valid UTF-8"},
    {CM_CLICK_CLICK_ID, TEXT("a\0b"), "contains a NUL"},
    {CM_CLICK_CLICK_ID, TEXT("\0"), "contains a NUL"},
    {CM_CLICK_CLICK_ID, TEXT(TEXT_255), NULL},
    {CM_CLICK_CLICK_ID, TEXT(TEXT_255 "6"), "longer than 255 characters"},
    {CM_CLICK_CLICK_ID, TEXT(WIDE_255), NULL},
    {CM_CLICK_CLICK_ID, TEXT(WIDE_255 "6"), "longer than 255 characters"},
    {CM_CLICK_CLICK_ID, TEXT(WIDE_255 "\xE2"), "not valid UTF-8"},
    {CM_CLICK_CLICK_ID, NUMBER("17"), "not text"},
    {CM_CLICK_CLICK_ID, OF(CM_VALUE_INTEGER, 17), "not text"},
    {CM_CLICK_CLICK_ID, OF(CM_VALUE_BOOLEAN, 1), "not text"},
    {CM_CLICK_CLICK_ID, WRONG_KIND, "not text"},
    {CM_CLICK_FBCLID, TEXT("fb.1.2.x"), NULL},
    {CM_CLICK_FBCLID, TEXT("x\0"), "contains a NUL"},
    {CM_CLICK_GCLID, TEXT("\xC0\x80"), "not valid UTF-8"},
    {CM_CLICK_GCLID, OF(CM_VALUE_TIME, T0), "not text"},
    {CM_CLICK_CLICK_TIMESTAMP, TEXT("yesterday"), "not a time"},
    {CM_CLICK_CLICK_TIMESTAMP, NUMBER("1773144000000"), NULL},
    {CM_CLICK_CLICK_TIMESTAMP, NUMBER("-1"), "outside 1970 to 9999"},
    {CM_CLICK_CLICK_TIMESTAMP, OF(CM_VALUE_TIME, T0), NULL},
    {CM_CLICK_CLICK_TIMESTAMP, OF(CM_VALUE_TIME, CM_TIME_END_US - 1), NULL},
    {CM_CLICK_CLICK_TIMESTAMP, OF(CM_VALUE_TIME, CM_TIME_END_US), "outside 1970 to 9999"},
    {CM_CLICK_CLICK_TIMESTAMP, OF(CM_VALUE_TIME, -1), "outside 1970 to 9999"},
    {CM_CLICK_CLICK_TIMESTAMP, OF(CM_VALUE_TIME, INT64_MIN), "outside 1970 to 9999"},
    {CM_CLICK_CLICK_TIMESTAMP, OF(CM_VALUE_TIME, INT64_MAX), "outside 1970 to 9999"},
    {CM_CLICK_CLICK_TIMESTAMP, OF(CM_VALUE_INTEGER, 1), "not a time"},
    {CM_CLICK_CLICK_TIMESTAMP, OF(CM_VALUE_BOOLEAN, 1), "not a time"},
    {CM_CLICK_CLICK_TIMESTAMP, WRONG_KIND, "not a time"},
    {CM_CLICK_EXPIRES_AT, TEXT("2026-03-10T12:00:00Z"), NULL},
    {CM_CLICK_EXPIRES_AT, TEXT("9999-01-01T00:00:00Z"), NULL},
    {CM_CLICK_EXPIRES_AT, TEXT("2026-03-10T11:59:59.999999Z"), "before click_timestamp"},
    {CM_CLICK_EXPIRES_AT, OF(CM_VALUE_TIME, T0 - 1), "before click_timestamp"},
    {CM_CLICK_EXPIRES_AT, OF(CM_VALUE_TIME, INT64_MAX), "outside 1970 to 9999"},
    {CM_CLICK_EXPIRES_AT, TEXT("never"), "not a time"},
    {CM_CLICK_IS_VALID, TEXT("yes"), "neither true nor false"},
    {CM_CLICK_IS_VALID, NUMBER("2"), "neither true nor false"},
    {CM_CLICK_IS_VALID, NUMBER("1.0"), "neither true nor false"},
    {CM_CLICK_IS_VALID, OF(CM_VALUE_INTEGER, 1), "neither true nor false"},
    {CM_CLICK_IS_VALID, WRONG_KIND, "neither true nor false"},
    {CM_CLICK_CAMPAIGN_ID, TEXT("any\0\xFF" TEXT_255), NULL},
    {CM_CLICK_CAMPAIGN_ID, NUMBER("1"), "not text"},
    {CM_CLICK_ADSET_ID, OF(CM_VALUE_BOOLEAN, 0), "not text"},
    {CM_CLICK_AD_ID, WRONG_KIND, "not text"},
    {CM_CLICK_CREATIVE_ID, NUMBER("1"), "not text"},
    {CM_CLICK_FINGERPRINT_HASH, TEXT(HEX), NULL},
    {CM_CLICK_FINGERPRINT_HASH, TEXT(HEX "0"), "not 64 hex digits"},
    {CM_CLICK_FINGERPRINT_HASH, TEXT("null"), "not 64 hex digits"},
    {CM_CLICK_FINGERPRINT_HASH, NUMBER("1"), "not text"},
    {CM_CLICK_IP_ADDRESS, TEXT("203.0.113.7"), NULL},
    {CM_CLICK_IP_ADDRESS, TEXT("203.0.113.7, 203.0.113.8"), "not an IP address"},
    {CM_CLICK_IP_ADDRESS, NUMBER("1"), "not text"},
    {CM_CLICK_USER_AGENT, NUMBER("1"), "not text"},
    {CM_CLICK_DEVICE_TYPE, NUMBER("1"), "not text"},
    {CM_CLICK_OS, NUMBER("1"), "not text"},
    {CM_CLICK_BROWSER, NUMBER("1"), "not text"},
    {CM_CLICK_TIMEZONE, NUMBER("1"), "not text"},
    {CM_CLICK_SCREEN_WIDTH, TEXT("wide"), NULL},
    {CM_CLICK_SCREEN_WIDTH, NUMBER("390.5"), "not a whole number"},
    {CM_CLICK_SCREEN_HEIGHT, NUMBER("1e999999999"), "not a whole number"},
    {CM_CLICK_SCREEN_HEIGHT, OF(CM_VALUE_BOOLEAN, 1), "not text or a whole number"},
    {CM_CLICK_TIMEZONE_OFFSET, WRONG_KIND, "not text or a whole number"},
};

static void clicks_are_rejected_with_field_and_reason(void **state)
{
    (void)state;
    cm_arena arena = {0};
    for (size_t i = 0; i < COUNT(CLICK_CASES); i++) {
        const struct click_case *given = &CLICK_CASES[i];
        cm_value values[CM_FIELD_COUNT_MAX];
        cm_click click;
        cm_reject reject = {CM_FIELD_NONE, "none"};
        fill_required(values);
        values[given->field] = given->value;
        cm_status status = cm_click_build(values, &STRICT, &arena, NULL, &click, &reject);
        assert_int_equal(status, given->reason == NULL ? CM_OK : CM_ERROR_FORMAT);
        assert_string_equal(reject.reason, given->reason == NULL ? "none" : given->reason);
        if (given->reason != NULL)
            assert_int_equal(reject.field, given->field);
    }
    cm_arena_destroy(&arena);
}

static void lenient_takes_malformed_optional_fields_as_missing(void **state)
{
    (void)state;
    cm_arena arena = {0};
    for (size_t i = 0; i < COUNT(CLICK_CASES); i++) {
        const struct click_case *given = &CLICK_CASES[i];
        cm_value values[CM_FIELD_COUNT_MAX];
        cm_click click, bare;
        cm_reject reject = {CM_FIELD_NONE, "none"};
        uint64_t counts[CM_CLICK_FIELD_COUNT] = {0};
        bool is_required = given->field < CM_FIELD_REQUIRED_COUNT;
        if (given->reason == NULL)
            continue;
        fill_required(values);
        assert_int_equal(cm_click_build(values, &LENIENT, &arena, counts, &bare, &reject), CM_OK);
        values[given->field] = given->value;
        cm_status status = cm_click_build(values, &LENIENT, &arena, counts, &click, &reject);
        assert_int_equal(status, is_required ? CM_ERROR_FORMAT : CM_OK);
        assert_string_equal(reject.reason, is_required ? given->reason : "none");
        assert_int_equal(counts[given->field], is_required ? 0 : 1);
        if (!is_required)
            assert_memory_equal(&click, &bare, sizeof click);
        assert_int_equal(cm_click_build(values, &LENIENT, &arena, NULL, &click, &reject), status);
    }
    cm_arena_destroy(&arena);
}

static void the_first_malformed_field_is_named(void **state)
{
    (void)state;
    cm_arena arena = {0};
    cm_value values[CM_FIELD_COUNT_MAX];
    cm_click click;
    cm_reject reject;
    for (size_t first = CM_CLICK_FIELD_COUNT; first-- > 0;) {
        fill_required(values);
        for (size_t field = first; field < CM_CLICK_FIELD_COUNT; field++)
            values[field].kind = CM_VALUE_WRONG;
        assert_int_equal(cm_click_build(values, &STRICT, &arena, NULL, &click, &reject),
                         CM_ERROR_FORMAT);
        assert_int_equal(reject.field, first);
    }
    cm_arena_destroy(&arena);
}

static void a_bare_click_has_the_defaults(void **state)
{
    (void)state;
    cm_value values[CM_FIELD_COUNT_MAX];
    cm_click click;
    cm_reject reject;
    fill_required(values);
    assert_int_equal(cm_click_build(values, &STRICT, NULL, NULL, &click, &reject), CM_OK);
    assert_ptr_equal(click.tenant_id.data, values[0].text.data);
    assert_int_equal(click.click_timestamp, T0);
    assert_true(click.expires_at == CM_TIME_MISSING);
    assert_true(click.is_valid);
    assert_false(click.device.has_fingerprint);
    assert_int_equal(click.device.ip_address.version, 0);
    assert_int_equal(click.fbclid.size + click.gclid.size + click.reference.size, 0);
    assert_true(cm_click_check(&click, &reject));
}

static void flags_are_read(void **state)
{
    (void)state;
    static const struct {
        cm_value value;
        bool is_valid;
    } cases[] = {
        {TEXT("true"), true},
        {TEXT("TRUE"), true},
        {TEXT("t"), true},
        {TEXT("T"), true},
        {TEXT("1"), true},
        {NUMBER("1"), true},
        {TEXT(""), true},
        {OF(CM_VALUE_BOOLEAN, 1), true},
        {TEXT("false"), false},
        {TEXT("False"), false},
        {TEXT("f"), false},
        {TEXT("F"), false},
        {TEXT("0"), false},
        {NUMBER("0"), false},
        {OF(CM_VALUE_BOOLEAN, 0), false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        cm_value values[CM_FIELD_COUNT_MAX];
        cm_click click;
        cm_reject reject;
        fill_required(values);
        values[CM_CLICK_IS_VALID] = cases[i].value;
        assert_int_equal(cm_click_build(values, &STRICT, NULL, NULL, &click, &reject), CM_OK);
        assert_int_equal(click.is_valid, cases[i].is_valid);
    }
}

static void numbers_become_plain_integers(void **state)
{
    (void)state;
    static const struct {
        cm_value value;
        const char *text;
    } cases[] = {
        {TEXT("0390.0"), "0390.0"},
        {NUMBER("390"), "390"},
        {NUMBER("390.0"), "390"},
        {NUMBER("3.9e2"), "390"},
        {NUMBER("-60"), "-60"},
        {NUMBER("-0"), "0"},
        {OF(CM_VALUE_INTEGER, 390), "390"},
        {OF(CM_VALUE_INTEGER, 0), "0"},
        {OF(CM_VALUE_INTEGER, -60), "-60"},
        {OF(CM_VALUE_INTEGER, INT64_MAX), "9223372036854775807"},
        {OF(CM_VALUE_INTEGER, INT64_MIN), "-9223372036854775808"},
    };
    cm_arena arena = {0};
    for (size_t i = 0; i < COUNT(cases); i++) {
        cm_value values[CM_FIELD_COUNT_MAX];
        cm_click click;
        cm_reject reject;
        fill_required(values);
        values[CM_CLICK_SCREEN_WIDTH] = cases[i].value;
        values[CM_CLICK_TIMEZONE_OFFSET] = cases[i].value;
        assert_int_equal(cm_click_build(values, &STRICT, &arena, NULL, &click, &reject), CM_OK);
        cm_slice text = cm_slice_of_text(cases[i].text);
        assert_true(cm_slice_equal(click.device.screen_width, text));
        assert_true(cm_slice_equal(click.device.timezone_offset, text));
    }
    cm_arena_destroy(&arena);
}

static void addresses_are_unmapped_whatever_the_source(void **state)
{
    (void)state;
    static const cm_address expected = {.version = 4, .bytes = {203, 0, 113, 7}};
    cm_value given[] = {
        TEXT("203.0.113.7/24"),
        TEXT("::ffff:cb00:7107"),
        {.kind = CM_VALUE_ADDRESS, .address = expected},
        {.kind = CM_VALUE_ADDRESS,
         .address = {6, {[10] = 0xFF, [11] = 0xFF, [12] = 203, [14] = 113, [15] = 7}}},
    };
    for (size_t i = 0; i < COUNT(given); i++) {
        cm_value values[CM_FIELD_COUNT_MAX];
        cm_conversion conversion;
        cm_reject reject;
        fill_required(values);
        values[CM_CONVERSION_IP_ADDRESS] = given[i];
        assert_int_equal(cm_conversion_build(values, &STRICT, NULL, NULL, &conversion, &reject),
                         CM_OK);
        assert_memory_equal(&conversion.device.ip_address, &expected, sizeof expected);
    }
}

static void a_conversions_own_fingerprint_comes_first(void **state)
{
    (void)state;
    static const char own[] = "1111111111111111111111111111111111111111111111111111111111111111";
    static const char bad[] = "22";
    static const struct {
        const char *own, *other;
        size_t rejected; /* CM_FIELD_NONE: accepted */
        int first_byte;  /* -1: no fingerprint */
        bool lenient;
    } cases[] = {
        {NULL, NULL, CM_FIELD_NONE, -1, false},
        {own, NULL, CM_FIELD_NONE, 0x11, false},
        {own, HEX, CM_FIELD_NONE, 0x11, false},
        {"", HEX, CM_FIELD_NONE, 0x01, false},
        {NULL, HEX, CM_FIELD_NONE, 0x01, false},
        {bad, HEX, CM_CONVERSION_CONVERSION_FINGERPRINT_HASH, -1, false},
        {own, bad, CM_CONVERSION_FINGERPRINT_HASH, -1, false},
        {bad, HEX, CM_FIELD_NONE, 0x01, true},
        {own, bad, CM_FIELD_NONE, 0x11, true},
        {bad, bad, CM_FIELD_NONE, -1, true},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        cm_value values[CM_FIELD_COUNT_MAX];
        cm_conversion conversion;
        cm_reject reject = {CM_FIELD_NONE, NULL};
        fill_required(values);
        values[CM_CONVERSION_CONVERSION_FINGERPRINT_HASH] =
            (cm_value){.kind = CM_VALUE_TEXT, .text = cm_slice_of_text(cases[i].own)};
        values[CM_CONVERSION_FINGERPRINT_HASH] =
            (cm_value){.kind = CM_VALUE_TEXT, .text = cm_slice_of_text(cases[i].other)};
        cm_status status = cm_conversion_build(values, cases[i].lenient ? &LENIENT : &STRICT, NULL,
                                               NULL, &conversion, &reject);
        assert_int_equal(status, cases[i].rejected == CM_FIELD_NONE ? CM_OK : CM_ERROR_FORMAT);
        assert_int_equal(reject.field, cases[i].rejected);
        if (status == CM_OK)
            assert_int_equal(conversion.device.has_fingerprint ? conversion.device.fingerprint[0]
                                                               : -1,
                             cases[i].first_byte);
    }
}

/* Every field is given its own name, where it takes text. */
static void conversions_take_every_field(void **state)
{
    (void)state;
    cm_value values[CM_FIELD_COUNT_MAX];
    cm_conversion conversion;
    cm_reject reject;
    fill_required(values);
    for (size_t field = 3; field < CM_CONVERSION_FIELD_COUNT; field++)
        values[field] =
            (cm_value){.kind = CM_VALUE_TEXT,
                       .text = cm_slice_of_text(cm_field_name(CM_ROW_CONVERSION, field))};
    values[CM_CONVERSION_CONVERSION_FINGERPRINT_HASH] = (cm_value)TEXT("");
    values[CM_CONVERSION_FINGERPRINT_HASH] = (cm_value)TEXT(HEX);
    values[CM_CONVERSION_IP_ADDRESS] = (cm_value)TEXT("2001:db8::1");
    assert_int_equal(cm_conversion_build(values, &STRICT, NULL, NULL, &conversion, &reject), CM_OK);
    const cm_device *device = &conversion.device;
    const struct {
        cm_slice slice;
        size_t field;
    } slices[] = {
        {conversion.tenant_id, CM_CONVERSION_TENANT_ID},
        {conversion.conversion_id, CM_CONVERSION_CONVERSION_ID},
        {conversion.click_id, CM_CONVERSION_CLICK_ID},
        {conversion.fbclid, CM_CONVERSION_FBCLID},
        {conversion.gclid, CM_CONVERSION_GCLID},
        {device->user_agent, CM_CONVERSION_USER_AGENT},
        {device->device_type, CM_CONVERSION_DEVICE_TYPE},
        {device->os, CM_CONVERSION_OS},
        {device->browser, CM_CONVERSION_BROWSER},
        {device->screen_width, CM_CONVERSION_SCREEN_WIDTH},
        {device->screen_height, CM_CONVERSION_SCREEN_HEIGHT},
        {device->timezone, CM_CONVERSION_TIMEZONE},
        {device->timezone_offset, CM_CONVERSION_TIMEZONE_OFFSET},
    };
    for (size_t i = 0; i < COUNT(slices); i++)
        assert_true(cm_slice_equal(slices[i].slice, values[slices[i].field].text));
    assert_int_equal(conversion.conversion_timestamp, T0);
    assert_true(device->has_fingerprint);
    assert_int_equal(device->ip_address.version, 6);
    assert_true(cm_conversion_check(&conversion, &reject));
}

static void field_names_are_unique(void **state)
{
    (void)state;
    for (int kind = CM_ROW_CLICK; kind <= CM_ROW_CONVERSION; kind++)
        for (size_t i = 0; i < cm_field_count((cm_row_kind)kind); i++)
            for (size_t j = 0; j < i; j++)
                assert_string_not_equal(cm_field_name((cm_row_kind)kind, i),
                                        cm_field_name((cm_row_kind)kind, j));
    assert_string_equal(cm_field_name(CM_ROW_CLICK, CM_CLICK_TIMEZONE_OFFSET), "timezone_offset");
    assert_string_equal(cm_field_name(CM_ROW_CONVERSION, 2), "conversion_timestamp");
    assert_in_range(cm_field_count(CM_ROW_CLICK), 21, CM_FIELD_COUNT_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clicks_are_rejected_with_field_and_reason),
        cmocka_unit_test(lenient_takes_malformed_optional_fields_as_missing),
        cmocka_unit_test(the_first_malformed_field_is_named),
        cmocka_unit_test(a_bare_click_has_the_defaults),
        cmocka_unit_test(flags_are_read),
        cmocka_unit_test(numbers_become_plain_integers),
        cmocka_unit_test(addresses_are_unmapped_whatever_the_source),
        cmocka_unit_test(a_conversions_own_fingerprint_comes_first),
        cmocka_unit_test(conversions_take_every_field),
        cmocka_unit_test(field_names_are_unique),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Keyed hashes of what is personal: their values, that tenants and secrets have none in common,
 * that equal stays equal, and sealed bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/build.h"
#include "model/normal.h"
#include "model/pii.h"
#include "util/slice.h"

static const char SECRET[] = "0123456789abcdef0123456789abcdef";

static cm_pii *make(const char *secret, const char *json)
{
    cm_pii *pii;
    cm_model *model;
    assert_int_equal(cm_pii_create(secret, strlen(secret), &pii, NULL), CM_OK);
    assert_int_equal(cm_model_create(json, strlen(json), &model, NULL), CM_OK);
    assert_int_equal(cm_pii_take_model(pii, model, NULL), CM_OK);
    assert_true(cm_bucket_is_wide(model, 4) && cm_bucket_is_wide(model, 6));
    cm_model_destroy(model);
    return pii;
}

static cm_device device_of(const char *address, const char *user_agent)
{
    cm_device device = {.user_agent = cm_slice_of_text(user_agent)};
    assert_true(cm_address_parse(cm_slice_of_text(address), &device.ip_address));
    return device;
}

static cm_device hidden(cm_pii *pii, const char *tenant, const char *address,
                        const char *user_agent, cm_arena *arena)
{
    cm_device device = device_of(address, user_agent);
    assert_true(cm_pii_hide(pii, cm_slice_of_text(tenant), arena, &device));
    return device;
}

static void expect_hex(const uint8_t *bytes, size_t size, const char *hex)
{
    char text[128];
    for (size_t i = 0; i < size; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    assert_string_equal(text, hex);
}

/* By Python's hmac, from the formulas of pii.h. */
static void test_values(void **state)
{
    (void)state;
    cm_arena arena = {0};
    cm_pii *pii = make(SECRET, "{}");
    for (int round = 0; round < 2; round++) { /* made, then remembered */
        cm_device four = hidden(pii, "shop", "203.0.113.9", "Mozilla", &arena);
        cm_device six = hidden(pii, "shop", "2001:db8:1:2:3:4:5:6", "", &arena);
        assert_int_equal(four.user_agent.size, 64);
        assert_memory_equal(four.user_agent.data,
                            "f5644bf3580385a5832fe4adf356ab0a7475800abc7ee476d31a55f0dd352870", 64);
        assert_int_equal(four.ip_address.version, 4);
        expect_hex(four.ip_address.bytes, 16, "084669aca5bc332e5cee0dbba3bda755");
        assert_int_equal(six.ip_address.version, 6);
        expect_hex(six.ip_address.bytes, 16, "20deb75f7f8eae7febe2854944b270b9");
        assert_int_equal(six.user_agent.size, 0);
    }
    cm_pii_destroy(pii);
    cm_arena_destroy(&arena);
}

static bool same(cm_address a, cm_address b)
{
    return a.version == b.version && memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
}

static void test_equal_where_the_bucket_is(void **state)
{
    (void)state;
    cm_arena arena = {0};
    cm_pii *pii = make(SECRET, "{\"ipv4_prefix\":24,\"ipv6_prefix\":48}");
    cm_device a = hidden(pii, "shop", "81.2.3.4", "x", &arena);
    assert_true(same(a.ip_address, hidden(pii, "shop", "81.2.3.5", "x", &arena).ip_address));
    assert_true(same(a.ip_address, hidden(pii, "shop", "::ffff:81.2.3.9", "", &arena).ip_address));
    assert_false(same(a.ip_address, hidden(pii, "shop", "81.2.4.4", "x", &arena).ip_address));
    cm_device six = hidden(pii, "shop", "2001:db8:1:2::", "x", &arena);
    assert_true(same(six.ip_address, hidden(pii, "shop", "2001:db8:1::", "", &arena).ip_address));
    assert_false(same(six.ip_address, hidden(pii, "shop", "2001:db8:2::", "", &arena).ip_address));
    assert_true(cm_address_is_evidence(&a.ip_address) && cm_address_is_evidence(&six.ip_address));
    assert_int_equal(hidden(pii, "shop", "10.0.0.1", "x", &arena).ip_address.version, 0);
    cm_pii_destroy(pii);
    cm_arena_destroy(&arena);
}

static void test_tenants_and_secrets_have_none_in_common(void **state)
{
    (void)state;
    cm_arena arena = {0};
    cm_pii *one = make(SECRET, "{}");
    cm_pii *two = make("another secret of thirty-two bytes", "{}");
    cm_device a = hidden(one, "shop", "81.2.3.4", "x", &arena);
    cm_device b = hidden(one, "shop2", "81.2.3.4", "x", &arena);
    cm_device c = hidden(two, "shop", "81.2.3.4", "x", &arena);
    assert_false(same(a.ip_address, b.ip_address) || same(a.ip_address, c.ip_address));
    assert_false(cm_slice_equal(a.user_agent, b.user_agent));
    assert_false(cm_slice_equal(a.user_agent, c.user_agent));
    assert_true(cm_pii_id(one) != cm_pii_id(two) && cm_pii_id(one) != 0 && cm_pii_id(NULL) == 0);
    cm_pii_destroy(one);
    cm_pii_destroy(two);
    cm_arena_destroy(&arena);
}

static void test_models_must_have_the_same_prefixes(void **state)
{
    (void)state;
    static const char other[] = "{\"ipv6_prefix\":48}";
    cm_pii *pii = make(SECRET, "{}");
    cm_model *model;
    cm_error error;
    assert_int_equal(cm_model_create(other, sizeof other - 1, &model, NULL), CM_OK);
    assert_int_equal(cm_pii_take_model(pii, model, &error), CM_ERROR_MODEL);
    assert_non_null(strstr(error.message, "ipv6_prefix"));
    assert_int_equal(cm_pii_take_model(NULL, model, &error), CM_OK);
    cm_model_destroy(model);
    cm_pii_destroy(pii);
}

/* Records hold nothing of what was there as soon as they are made. */
static void test_records(void **state)
{
    (void)state;
    cm_arena arena = {0};
    cm_pii *pii = make(SECRET, "{}");
    const cm_build_options options = {.pii = pii};
    cm_value values[CM_CLICK_FIELD_COUNT] = {0};
    cm_click click;
    cm_reject reject;
    const struct {
        size_t field;
        const char *text;
    } given[] = {{CM_CLICK_TENANT_ID, "shop"},
                 {CM_CLICK_CLICK_ID, "k"},
                 {CM_CLICK_CLICK_TIMESTAMP, "2026-03-01T00:00:00Z"},
                 {CM_CLICK_IP_ADDRESS, "203.0.113.9"},
                 {CM_CLICK_USER_AGENT, "Mozilla"}};
    for (size_t i = 0; i < sizeof given / sizeof *given; i++)
        values[given[i].field] =
            (cm_value){.kind = CM_VALUE_TEXT, .text = cm_slice_of_text(given[i].text)};
    assert_int_equal(cm_click_build(values, &options, &arena, NULL, &click, &reject), CM_OK);
    cm_device wanted = hidden(pii, "shop", "203.0.113.9", "Mozilla", &arena);
    assert_true(same(click.device.ip_address, wanted.ip_address));
    assert_true(cm_slice_equal(click.device.user_agent, wanted.user_agent));
    cm_pii_destroy(pii);
    cm_arena_destroy(&arena);
}

static void test_sealed(void **state)
{
    (void)state;
    cm_pii *one = make(SECRET, "{}");
    cm_pii *two = make("another secret of thirty-two bytes", "{}");
    static char text[3 << 20];
    memset(text, 'x', sizeof text);
    const size_t sizes[] = {0, 1, 100, sizeof text};
    for (size_t i = 0; i < 4; i++) {
        cm_buffer sealed = {0}, back = {0};
        assert_true(cm_pii_seal(one, cm_slice_of(text, sizes[i]), &sealed));
        cm_slice all = cm_slice_of(sealed.data, sealed.size);
        assert_null(memmem(sealed.data, sealed.size, "xxxxxxxx", 8));
        assert_true(cm_pii_unseal(one, all, &back));
        assert_int_equal(back.size, sizes[i]);
        assert_memory_equal(sizes[i] > 0 ? back.data : "", text, sizes[i]);
        assert_false(cm_pii_unseal(two, all, &back));
        assert_false(cm_pii_unseal(one, cm_slice_of(sealed.data, sealed.size - 1), &back));
        for (size_t at = 0; at < sealed.size; at += 1 + sealed.size / 7) {
            sealed.data[at] ^= 4;
            assert_false(cm_pii_unseal(one, all, &back));
            sealed.data[at] ^= 4;
        }
        cm_buffer_destroy(&sealed);
        cm_buffer_destroy(&back);
    }
    cm_pii_destroy(one);
    cm_pii_destroy(two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_equal_where_the_bucket_is),
        cmocka_unit_test(test_tenants_and_secrets_have_none_in_common),
        cmocka_unit_test(test_models_must_have_the_same_prefixes),
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_sealed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

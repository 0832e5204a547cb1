/*
 * The clicks that a conversion's address and fingerprint lead to, against a filter of all clicks:
 * few and many, of several types, whatever the window, the limit and the model's IPv6 prefix.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "harness/random.h"
#include "util/slice.h"

#define CLICKS_MAX 300u
#define TIMES 400 /* ids decide among equal ones */
#define TYPES 4u
#define ADDRESSES 3u

static const char *const types[TYPES + 1] = {"mobile", "", "desktop", "Tablet", "of no click"};

struct fixture {
    cm_engine *engine;
    unsigned prefix; /* of IPv6 */
    const cm_address *addresses;
    char ids[CLICKS_MAX][8];
    cm_click clicks[CLICKS_MAX];
    uint32_t count;
    uint32_t first;    /* number of the first click of the tenant that is looked at */
    cm_who_cache whos; /* for all conversions */
};

/* Alike in the first 64 bits, different in the next 8; no click has the last. */
static const cm_address usual[ADDRESSES] = {
    {6, {0x20, 0x01, 0x0d, 0xb8, 1, 2, 3, 4, 0}},
    {6, {0x20, 0x01, 0x0d, 0xb8, 1, 2, 3, 4, 1}},
    {6, {0x20, 0x01, 0x0d, 0xb8, 1, 2, 3, 4, 2}},
};

/* The same number, of either kind. */
static const cm_address twins[ADDRESSES] = {
    {4, {203, 0, 113, 7}},
    {6, {[4] = 203, 0, 113, 7}},
    {6, {[4] = 203, 0, 113, 8}},
};

static void make_click(struct fixture *fixture, uint32_t i, uint64_t *random)
{
    cm_click *click = &fixture->clicks[i];
    snprintf(fixture->ids[i], sizeof fixture->ids[i], "%u", i * 7919 % 1000);
    *click = (cm_click){.tenant_id = CM_SLICE("t"),
                        .click_id = cm_slice_of_text(fixture->ids[i]),
                        .click_timestamp = random_below(random, TIMES),
                        .expires_at = CM_TIME_MISSING,
                        .is_valid = random_below(random, 20) > 0};
    click->device.ip_address = fixture->addresses[random_below(random, 8) == 0];
    if (click->device.ip_address.version == 6)
        click->device.ip_address.bytes[15] = (uint8_t)random_below(random, 4);
    click->device.device_type = cm_slice_of_text(types[random_below(random, TYPES)]);
    click->device.has_fingerprint = true;
    memset(click->device.fingerprint, 1, 32);
}

static void setup(struct fixture *fixture, uint32_t count, unsigned prefix,
                  const cm_address *addresses)
{
    char json[64];
    cm_model *model;
    uint64_t random = count;
    int size = snprintf(json, sizeof json, "{\"ipv6_prefix\": %u}", prefix);
    *fixture = (struct fixture){.count = count, .prefix = prefix, .addresses = addresses};
    assert_int_equal(cm_model_create(json, (size_t)size, &model, NULL), CM_OK);
    assert_int_equal(cm_engine_create(NULL, model, &fixture->engine, NULL), CM_OK);
    cm_model_destroy(model);
    for (uint32_t i = 0; i < count; i++)
        make_click(fixture, i, &random);
    assert_int_equal(cm_engine_add(fixture->engine, fixture->clicks, count, NULL, NULL), CM_OK);
}

/* ---- the rule ---- */

static bool shares_address(const struct fixture *fixture, const cm_click *click,
                           const cm_conversion *conversion)
{
    cm_slice type = conversion->device.device_type;
    if (click->device.ip_address.version != conversion->device.ip_address.version ||
        memcmp(click->device.ip_address.bytes, conversion->device.ip_address.bytes,
               fixture->prefix / 8) != 0)
        return false;
    return type.size == 0 || click->device.device_type.size == 0 ||
           cm_slice_equal(click->device.device_type, type);
}

static int compare_newest_first(const void *a, const void *b, void *clicks)
{
    const cm_click *x = (const cm_click *)clicks + *(const uint32_t *)a;
    const cm_click *y = (const cm_click *)clicks + *(const uint32_t *)b;
    if (x->click_timestamp != y->click_timestamp)
        return x->click_timestamp > y->click_timestamp ? -1 : 1;
    return cm_slice_compare(x->click_id, y->click_id);
}

static uint32_t expect(const struct fixture *fixture, const cm_conversion *conversion,
                       bool by_address, int64_t window, uint32_t *clicks)
{
    uint32_t count = 0;
    int64_t t = conversion->conversion_timestamp;
    for (uint32_t i = 0; i < fixture->count; i++) {
        const cm_click *click = &fixture->clicks[i];
        if (click->is_valid && click->click_timestamp <= t && click->click_timestamp > t - window &&
            (!by_address || shares_address(fixture, click, conversion)))
            clicks[count++] = i;
    }
    if (count > 1)
        qsort_r(clicks, count, sizeof *clicks, compare_newest_first, (void *)fixture->clicks);
    return count;
}

/* ---- the view ---- */

static void assert_view(const struct fixture *fixture, const cm_view *view,
                        const cm_conversion *conversion, bool by_address, int64_t window)
{
    static const size_t limits[] = {1, 5, 1024};
    uint32_t expected[CLICKS_MAX] = {0};
    uint32_t clicks[CM_MAX_CANDIDATES_LIMIT];
    int64_t t = conversion->conversion_timestamp;
    uint32_t count = expect(fixture, conversion, by_address, window, expected);
    assert_int_equal(cm_recent_count(view, t, window), count);
    if (view->count == 1 && !view->is_filtered)
        assert_true(cm_recent_count_at_least(view, t, window) <= count);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        uint64_t total = UINT64_MAX;
        size_t first = cm_recent_first(view, t, window, limits[i], clicks, &total);
        assert_int_equal(total, count);
        assert_int_equal(first, count < limits[i] ? count : limits[i]);
        for (size_t j = 0; j < first; j++) /* numbers are given in the order of adding */
            assert_int_equal(clicks[j], fixture->first + expected[j]);
    }
}

static void assert_shares(const struct fixture *fixture, const cm_query *query)
{
    const cm_click_store *store = &fixture->engine->index.catalog.store;
    const cm_shared_address shared = cm_query_shared_address(query);
    for (uint32_t i = 0; i < fixture->count; i++)
        assert_int_equal(cm_shares_address(&shared, cm_click_store_row(store, fixture->first + i)),
                         shares_address(fixture, &fixture->clicks[i], query->conversion));
}

static void check(struct fixture *fixture, const cm_conversion *conversion)
{
    static const int64_t windows[] = {1, 40, TIMES + 1};
    const cm_click_index *index = &fixture->engine->index;
    cm_key_scratch scratch = {0};
    cm_query query = {.conversion = conversion, .t = conversion->conversion_timestamp};
    assert_true(cm_conversion_keys_make(&index->rules, conversion, &scratch, &query.keys));
    cm_query_start(index, &query);
    assert_true(cm_conversion_keys_make_device(&index->rules, conversion, &scratch, &query.keys));
    cm_query_prefetch_device(index, &query);
    cm_query_prefetch_groups(index, &query);
    cm_query_prefetch_lists(index, &query);
    cm_query_prefetch_chunks(index, &query);
    cm_query_seek(index, &query);
    cm_query_seek_places(index, &query);
    cm_query_find_device(index, &fixture->whos, &query);
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        assert_view(fixture, &query.same_address, conversion, true, windows[i]);
        assert_view(fixture, &query.same_fingerprint, conversion, false, windows[i]);
    }
    assert_shares(fixture, &query);
    cm_key_scratch_destroy(&scratch);
}

static void check_all(uint32_t count, unsigned prefix, const cm_address *addresses)
{
    static struct fixture fixture;
    setup(&fixture, count, prefix, addresses);
    for (size_t type = 0; type <= TYPES; type++)
        for (unsigned address = 0; address < ADDRESSES; address++)
            for (int64_t t = 0; t <= TIMES; t += 57) {
                cm_conversion conversion = {.tenant_id = CM_SLICE("t"),
                                            .conversion_id = CM_SLICE("c"),
                                            .conversion_timestamp = t};
                conversion.device = fixture.clicks[0].device;
                conversion.device.ip_address = addresses[address];
                conversion.device.device_type = cm_slice_of_text(types[type]);
                check(&fixture, &conversion);
            }
    cm_engine_expire(fixture.engine, INT64_MAX);
    assert_int_equal(cm_engine_click_count(fixture.engine), 0);
    cm_engine_destroy(fixture.engine);
}

static void test_addresses_of_64_bits(void **state)
{
    (void)state;
    for (uint32_t count = 1; count <= CLICKS_MAX; count += count < 70 ? 3 : 29)
        check_all(count, 64, usual);
    check_all(CLICKS_MAX, 64, usual);
}

/* Buckets that have a number of their own: no two are mixed up, and one that no click has is empty.
 */
static void test_wide_addresses(void **state)
{
    (void)state;
    for (unsigned prefix = 72; prefix <= 128; prefix += 56)
        for (uint32_t count = 1; count <= CLICKS_MAX; count += count < 70 ? 11 : 61)
            check_all(count, prefix, usual);
}

static void test_ipv4_and_ipv6_are_apart(void **state)
{
    (void)state;
    for (uint32_t count = 1; count <= CLICKS_MAX; count += count < 70 ? 11 : 61)
        check_all(count, 64, twins);
}

/* The same clicks for tenant u, whose number is one of those that have the place of t's in a cache:
 * between them come tenants of one click. */
static void add_for_others(struct fixture *fixture, uint32_t count)
{
    static const char names[] = "abcdefghijklmno";
    for (unsigned i = 1; i < CM_WHO_CACHE; i++) {
        cm_click click = fixture->clicks[0];
        click.tenant_id = cm_slice_of(&names[i - 1], 1);
        assert_int_equal(cm_engine_add(fixture->engine, &click, 1, NULL, NULL), CM_OK);
    }
    for (uint32_t i = 0; i < count; i++) {
        cm_click click = fixture->clicks[i];
        click.tenant_id = CM_SLICE("u");
        assert_int_equal(cm_engine_add(fixture->engine, &click, 1, NULL, NULL), CM_OK);
    }
}

/* The same address of another tenant is another bucket, wide or not. */
static void test_tenants_are_apart(void **state)
{
    (void)state;
    for (unsigned prefix = 64; prefix <= 128; prefix += 64) {
        static struct fixture fixture;
        setup(&fixture, 100, prefix, usual);
        add_for_others(&fixture, 100);
        cm_conversion conversion = {.tenant_id = CM_SLICE("t"),
                                    .conversion_id = CM_SLICE("c"),
                                    .conversion_timestamp = TIMES,
                                    .device = fixture.clicks[0].device};
        for (size_t i = 0; i < 2 * TYPES; i++) {
            conversion.device.device_type = cm_slice_of_text(types[i / 2]);
            conversion.tenant_id = i % 2 == 0 ? CM_SLICE("t") : CM_SLICE("u");
            fixture.first = i % 2 == 0 ? 0 : 100 + CM_WHO_CACHE - 1;
            check(&fixture, &conversion);
            check(&fixture, &conversion);
        }
        cm_engine_destroy(fixture.engine);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses_of_64_bits),
        cmocka_unit_test(test_wide_addresses),
        cmocka_unit_test(test_ipv4_and_ipv6_are_apart),
        cmocka_unit_test(test_tenants_are_apart),
    };
    return cmocka_run_group_tests_name("recent", tests, NULL, NULL);
}

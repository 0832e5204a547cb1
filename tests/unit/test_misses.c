/* Clicks that share a key with a conversion and did not count: which, why, and by how much. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <openssl/err.h>

#include "engine/engine.h"
#include "harness/failing_malloc.h"
#include "model/normal.h"
#include "oracle/world.h"
#include "util/slice.h"

#define HOUR CM_HOUR_US
#define T0 ((int64_t)1772366400 * 1000000) /* 2026-03-01T12:00:00Z */

static cm_click some_click(const char *id, int64_t age_us)
{
    return (cm_click){
        .tenant_id = CM_SLICE("t"),
        .click_id = cm_slice_of_text(id),
        .click_timestamp = T0 - age_us,
        .expires_at = CM_TIME_MISSING,
        .is_valid = true,
        .fbclid = CM_SLICE("fb1"),
        .device = {.has_fingerprint = true,
                   .fingerprint = {1, 2, 3},
                   .ip_address = {4, {203, 0, 113, 7}},
                   .device_type = CM_SLICE("mobile")},
    };
}

static cm_conversion some_conversion(void)
{
    cm_device device = some_click("", 0).device;
    return (cm_conversion){.tenant_id = CM_SLICE("t"),
                           .conversion_id = CM_SLICE("c"),
                           .conversion_timestamp = T0,
                           .fbclid = CM_SLICE("fb.1.1554763741205.fb1"),
                           .device = device};
}

struct fixture {
    cm_model *model;
    cm_conversion conversion;
    cm_misses *misses;
};

static void begin(struct fixture *fixture, const cm_conversion *conversion)
{
    fixture->conversion = *conversion;
    assert_int_equal(cm_model_create(NULL, 0, &fixture->model, NULL), CM_OK);
    assert_int_equal(cm_misses_create(fixture->model, &fixture->conversion, &fixture->misses, NULL),
                     CM_OK);
}

static void end(struct fixture *fixture)
{
    cm_misses_destroy(fixture->misses);
    cm_model_destroy(fixture->model);
}

/* How many misses a click is, of every layer and reason. */
static uint64_t count_all(const cm_misses *misses)
{
    uint64_t count = 0;
    for (unsigned layer = 1; layer <= CM_LAYER_COUNT; layer++)
        for (unsigned reason = 0; reason < CM_MISS_REASON_COUNT; reason++)
            count += cm_misses_of(misses, layer, (cm_miss_reason)reason, NULL);
    return count;
}

struct expected {
    unsigned layer;
    cm_miss_reason reason;
    const char *key;
    int64_t by_us;
};

/* A click alone: it is so many misses, and those. */
static void check_click(const cm_click *click, const struct expected *expected, size_t count)
{
    struct fixture fixture;
    const cm_conversion conversion = some_conversion();
    begin(&fixture, &conversion);
    assert_int_equal(cm_misses_look(fixture.misses, click, NULL), CM_OK);
    assert_int_equal(count_all(fixture.misses), count);
    for (size_t i = 0; i < count; i++) {
        const cm_miss *miss;
        assert_int_equal(cm_misses_of(fixture.misses, expected[i].layer, expected[i].reason, &miss),
                         1);
        assert_string_equal(miss->key, expected[i].key);
        assert_int_equal(miss->by_us, expected[i].by_us);
        assert_true(cm_slice_equal(miss->click_id, click->click_id));
        assert_int_equal(miss->click_timestamp, click->click_timestamp);
        assert_int_equal(miss->is_flagged, !click->is_valid);
    }
    end(&fixture);
}

static void test_reasons(void **state)
{
    (void)state;
    const cm_click counts = some_click("k", HOUR);
    check_click(&counts, NULL, 0);
    cm_click click = some_click("k", 0); /* at the very microsecond */
    check_click(&click, NULL, 0);
    click = some_click("k", -1);
    const struct expected later[] = {{1, CM_MISS_LATER, "fbclid", 1},
                                     {2, CM_MISS_LATER, "fingerprint", 1},
                                     {3, CM_MISS_LATER, "address", 1}};
    check_click(&click, later, 3);
    click = some_click("k", 25 * HOUR);
    const struct expected outside_3[] = {{3, CM_MISS_OUTSIDE, "address", HOUR}};
    check_click(&click, outside_3, 1);
    click = some_click("k", 168 * HOUR); /* the windows' beginning and the expiry are exclusive */
    const struct expected expired[] = {{1, CM_MISS_EXPIRED, "fbclid", 0},
                                       {2, CM_MISS_OUTSIDE, "fingerprint", 0},
                                       {3, CM_MISS_OUTSIDE, "address", 144 * HOUR}};
    check_click(&click, expired, 3);
    click = some_click("k", 3 * HOUR);
    click.expires_at = T0 - 2 * HOUR;
    const struct expected early[] = {{1, CM_MISS_EXPIRED, "fbclid", 2 * HOUR},
                                     {2, CM_MISS_EXPIRED, "fingerprint", 2 * HOUR},
                                     {3, CM_MISS_EXPIRED, "address", 2 * HOUR}};
    check_click(&click, early, 3);
    click.is_valid = false; /* no reason of its own where it would not have counted anyway */
    check_click(&click, early, 3);
    click = some_click("k", HOUR);
    click.is_valid = false;
    const struct expected flagged[] = {{1, CM_MISS_FLAGGED, "fbclid", 0},
                                       {2, CM_MISS_FLAGGED, "fingerprint", 0},
                                       {3, CM_MISS_FLAGGED, "address", 0}};
    check_click(&click, flagged, 3);
}

static void test_other_types(void **state)
{
    (void)state;
    cm_click click = some_click("k", HOUR);
    click.device.device_type = CM_SLICE("Desktop");
    const struct expected other[] = {{3, CM_MISS_OTHER_TYPE, "address", 0}};
    check_click(&click, other, 1);
    click.is_valid = false; /* of layer 3 two things keep it out */
    const struct expected flagged[] = {{1, CM_MISS_FLAGGED, "fbclid", 0},
                                       {2, CM_MISS_FLAGGED, "fingerprint", 0}};
    check_click(&click, flagged, 2);
    click = some_click("k", HOUR);
    click.device.device_type = (cm_slice){0};
    check_click(&click, NULL, 0);
    click.device.device_type = CM_SLICE("MOBILE");
    check_click(&click, NULL, 0);
}

static void test_what_is_not_shared(void **state)
{
    (void)state;
    cm_click click = some_click("k", -HOUR);
    click.tenant_id = CM_SLICE("u");
    check_click(&click, NULL, 0);
    click = some_click("k", -HOUR);
    click.fbclid = CM_SLICE("fb2");
    click.device.fingerprint[0] = 7;
    const struct expected by_address[] = {{3, CM_MISS_LATER, "address", HOUR}};
    check_click(&click, by_address, 1);
    click.device.ip_address.bytes[3] = 8;
    check_click(&click, NULL, 0);
}

/* Of an IPv6 bucket of more than 64 bits all count that the prefix has. */
static void test_wide_addresses(void **state)
{
    (void)state;
    static const char json[] = "{\"ipv6_prefix\": 96}";
    static const uint8_t differs_at[] = {15, 12, 11, 8, 7}; /* the prefix ends before byte 12 */
    struct fixture fixture;
    uint64_t expected = 0;
    fixture.conversion = some_conversion();
    fixture.conversion.device.ip_address = (cm_address){6, {0x20, 1, 0xd, 0xb8, 1, 2, 3, 4, 5, 6}};
    assert_int_equal(cm_model_create(json, sizeof json - 1, &fixture.model, NULL), CM_OK);
    assert_int_equal(cm_misses_create(fixture.model, &fixture.conversion, &fixture.misses, NULL),
                     CM_OK);
    for (size_t i = 0; i < sizeof differs_at; i++) {
        cm_click click = some_click("k", -HOUR);
        click.device.ip_address = fixture.conversion.device.ip_address;
        click.device.ip_address.bytes[differs_at[i]] ^= 0x40;
        assert_int_equal(cm_misses_look(fixture.misses, &click, NULL), CM_OK);
        expected += differs_at[i] >= 12;
        assert_int_equal(cm_misses_of(fixture.misses, 3, CM_MISS_LATER, NULL), expected);
    }
    assert_int_equal(expected, 2);
    end(&fixture);
}

static void test_ids(void **state)
{
    (void)state;
    struct fixture fixture;
    cm_conversion conversion = some_conversion();
    cm_click click = some_click("k", -HOUR);
    const cm_miss *miss;
    conversion.click_id = CM_SLICE("k");
    conversion.gclid = click.gclid = CM_SLICE("g");
    begin(&fixture, &conversion);
    assert_int_equal(cm_misses_look(fixture.misses, &click, NULL), CM_OK);
    click.click_id = CM_SLICE("other");
    click.fbclid = (cm_slice){0};
    assert_int_equal(cm_misses_look(fixture.misses, &click, NULL), CM_OK);
    assert_int_equal(cm_misses_of(fixture.misses, 1, CM_MISS_LATER, &miss), 2);
    assert_string_equal(miss[0].key, "click_id"); /* at equal times the smaller id is the newer */
    assert_string_equal(miss[1].key, "gclid");
    end(&fixture);
}

/* In any order the same eight are kept: the nearest. */
static void test_the_nearest_are_kept(void **state)
{
    (void)state;
    static const size_t steps[] = {1, 3, 7, 9, 11, 13, 17, 19}; /* prime to 20: each click once */
    for (size_t round = 0; round < sizeof steps / sizeof *steps; round++) {
        struct fixture fixture;
        const cm_conversion conversion = some_conversion();
        const cm_miss *miss;
        begin(&fixture, &conversion);
        for (size_t i = 0; i < 20; i++) {
            char id[8];
            size_t at = i * steps[round] % 20;
            (void)snprintf(id, sizeof id, "k%02zu", at);
            cm_click click = some_click(id, -(int64_t)(at / 2 + 1) * HOUR);
            assert_int_equal(cm_misses_look(fixture.misses, &click, NULL), CM_OK);
        }
        assert_int_equal(cm_misses_of(fixture.misses, 2, CM_MISS_LATER, &miss), 20);
        for (size_t i = 0; i < CM_MISSES_KEPT; i++) {
            char id[8];
            (void)snprintf(id, sizeof id, "k%02zu", i);
            assert_true(cm_slice_equal(miss[i].click_id, cm_slice_of_text(id)));
            assert_int_equal(miss[i].by_us, (int64_t)(i / 2 + 1) * HOUR);
        }
        end(&fixture);
    }
}

static void test_long_ids(void **state)
{
    (void)state;
    struct fixture fixture;
    const cm_conversion conversion = some_conversion();
    char id[255 * 4 + 1];
    cm_error error;
    begin(&fixture, &conversion);
    for (size_t i = 0; i < sizeof id; i++)
        id[i] = "\xF0\x9F\x98\x80"[i % 4];
    cm_click click = some_click("k", -HOUR);
    click.click_id = cm_slice_of(id, 255 * 4);
    assert_int_equal(cm_misses_look(fixture.misses, &click, &error), CM_OK);
    assert_int_equal(count_all(fixture.misses), 3);
    click.click_id.size++;
    assert_int_equal(cm_misses_look(fixture.misses, &click, &error), CM_ERROR_ARGUMENT);
    assert_int_equal(count_all(fixture.misses), 3);
    end(&fixture);
}

/* ---- against an engine ---- */

static bool has_same_fingerprint(const cm_device *a, const cm_device *b)
{
    return a->has_fingerprint && b->has_fingerprint && !cm_fingerprint_is_missing(a->fingerprint) &&
           memcmp(a->fingerprint, b->fingerprint, sizeof a->fingerprint) == 0;
}

/* Each valid click of a fingerprint either counts in layer 2 or is missed, in one way. */
static void check_conversion(const cm_engine *engine, const world *of,
                             const cm_conversion *conversion, bool *are_firsts, size_t totals[2])
{
    struct fixture fixture;
    cm_trace *trace;
    uint64_t sharing = 0;
    begin(&fixture, conversion);
    assert_int_equal(cm_engine_explain(engine, &fixture.conversion, &trace, NULL), CM_OK);
    for (size_t i = 0; i < of->click_count; i++) {
        const cm_click *click = &of->clicks[i];
        if (!are_firsts[i])
            continue;
        assert_int_equal(cm_misses_look(fixture.misses, click, NULL), CM_OK);
        sharing += cm_slice_equal(click->tenant_id, conversion->tenant_id) &&
                   has_same_fingerprint(&click->device, &conversion->device);
    }
    const cm_trace_layer *layer = &trace->layers[1];
    uint64_t later = cm_misses_of(fixture.misses, 2, CM_MISS_LATER, NULL);
    uint64_t outside = cm_misses_of(fixture.misses, 2, CM_MISS_OUTSIDE, NULL);
    uint64_t expired = cm_misses_of(fixture.misses, 2, CM_MISS_EXPIRED, NULL);
    if (layer->word != CM_LAYER_NOT_ATTEMPTED) {
        assert_int_equal(sharing, layer->clicks + later + outside);
        if (layer->left == 0)
            assert_int_equal(expired, layer->expired);
        totals[0] += later + outside;
        totals[1] += expired;
    }
    if (trace->layers[0].word == CM_LAYER_EXPIRED)
        assert_true(cm_misses_of(fixture.misses, 1, CM_MISS_EXPIRED, NULL) > 0);
    cm_trace_destroy(trace);
    end(&fixture);
}

static void test_worlds(void **state)
{
    (void)state;
    size_t totals[2] = {0, 0};
    for (uint64_t seed = 0; seed < 12; seed++) {
        const world_options options = {.seed = seed,
                                       .shape = (world_shape)(seed % WORLD_SHAPE_COUNT),
                                       .click_count = 250,
                                       .conversion_count = 60,
                                       .without = 1u << WORLD_COMPONENTS};
        world *made = world_create(&options);
        bool are_firsts[250];
        cm_engine *engine;
        assert_int_equal(cm_engine_create(NULL, NULL, &engine, NULL), CM_OK);
        for (size_t i = 0; i < made->click_count; i++) {
            cm_add_counts counts;
            made->clicks[i].is_valid = true;
            assert_int_equal(cm_engine_add(engine, &made->clicks[i], 1, &counts, NULL), CM_OK);
            are_firsts[i] = counts.added == 1;
        }
        for (size_t i = 0; i < made->conversion_count; i++)
            check_conversion(engine, made, &made->conversions[i], are_firsts, totals);
        cm_engine_destroy(engine);
        world_destroy(made);
    }
    assert_true(totals[0] > 500 && totals[1] > 50);
}

/* ---- what can fail ---- */

static void test_a_bad_conversion_is_refused(void **state)
{
    (void)state;
    cm_conversion conversion = some_conversion();
    cm_model *model;
    cm_misses *misses;
    conversion.tenant_id = (cm_slice){0};
    assert_int_equal(cm_model_create(NULL, 0, &model, NULL), CM_OK);
    assert_int_equal(cm_misses_create(model, &conversion, &misses, NULL), CM_ERROR_ARGUMENT);
    assert_null(misses);
    cm_misses_destroy(NULL);
    cm_model_destroy(model);
}

static void test_no_memory(void **state)
{
    (void)state;
    if (!failing_malloc_works)
        skip();
    cm_conversion conversion = some_conversion();
    cm_click click = some_click("k", -HOUR);
    cm_model *model;
    conversion.device.has_fingerprint = click.device.has_fingerprint = false;
    conversion.device.screen_width = click.device.screen_width = CM_SLICE("390");
    assert_int_equal(cm_model_create(NULL, 0, &model, NULL), CM_OK);
    bool has_failed = true;
    for (size_t round = 0; has_failed; round++) {
        ptrdiff_t before = failing_malloc_live();
        cm_misses *misses;
        failing_malloc_arm(round);
        cm_status status = cm_misses_create(model, &conversion, &misses, NULL);
        if (status == CM_OK)
            status = cm_misses_look(misses, &click, NULL);
        has_failed = failing_malloc_disarm();
        assert_true(status == CM_OK || (has_failed && status == CM_ERROR_MEMORY));
        if (status == CM_OK)
            assert_int_equal(cm_misses_of(misses, 2, CM_MISS_LATER, NULL), 1);
        cm_misses_destroy(misses);
        ERR_clear_error();
        assert_int_equal(failing_malloc_live(), before);
    }
    cm_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_other_types),
        cmocka_unit_test(test_what_is_not_shared),
        cmocka_unit_test(test_wide_addresses),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_the_nearest_are_kept),
        cmocka_unit_test(test_long_ids),
        cmocka_unit_test(test_worlds),
        cmocka_unit_test(test_a_bad_conversion_is_refused),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests_name("misses", tests, NULL, NULL);
}

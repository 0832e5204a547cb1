/*
 * The rules that the model is measured against (docs/evaluate.md): the newest click of the key,
 * whatever else there is; and the model blind to time and rivals.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "harness/bits.h"
#include "util/slice.h"

#define HOUR CM_HOUR_US
#define T0 ((int64_t)1772366400 * 1000000) /* 2026-03-01T12:00:00Z */

/* Nothing but the delay depends on how long ago a click was. */
static const char json[] = "{\"fingerprint_m\": [0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8],"
                           " \"ip_m\": [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]}";

static const cm_address home = {4, {203, 0, 113, 7}};

static cm_click some_click(const char *id, int64_t hours, bool has_fingerprint)
{
    return (cm_click){.tenant_id = CM_SLICE("t"),
                      .click_id = cm_slice_of_text(id),
                      .click_timestamp = T0 - hours * HOUR,
                      .expires_at = CM_TIME_MISSING,
                      .is_valid = true,
                      .device = {.has_fingerprint = has_fingerprint,
                                 .fingerprint = {1, 2, 3},
                                 .ip_address = home,
                                 .user_agent = cm_slice_of_text(id),
                                 .device_type = CM_SLICE("mobile")}};
}

static cm_conversion some_conversion(bool has_fingerprint, bool has_address)
{
    cm_conversion conversion = {.tenant_id = CM_SLICE("t"),
                                .conversion_id = CM_SLICE("c"),
                                .conversion_timestamp = T0,
                                .device = {.has_fingerprint = has_fingerprint,
                                           .fingerprint = {1, 2, 3},
                                           .device_type = CM_SLICE("mobile")}};
    if (has_address)
        conversion.device.ip_address = home;
    return conversion;
}

static cm_result match(cm_rule rule, const cm_click *clicks, size_t count,
                       const cm_conversion *conversion)
{
    cm_model *model;
    cm_engine *engine;
    static char ids[CM_RESULT_CANDIDATES_MAX][8]; /* what results point to goes with the engine */
    cm_result result;
    assert_int_equal(cm_model_create(json, sizeof json - 1, &model, NULL), CM_OK);
    assert_int_equal(cm_engine_create(NULL, model, &engine, NULL), CM_OK);
    cm_model_destroy(model);
    assert_int_equal(cm_engine_add(engine, clicks, count, NULL, NULL), CM_OK);
    cm_engine_set_rule(engine, rule);
    assert_int_equal(cm_engine_match(engine, conversion, 1, &result, NULL), CM_OK);
    for (uint32_t i = 0; i < result.candidate_count; i++) {
        cm_slice *id = &result.candidates[i].click_id;
        memcpy(ids[i], id->data, id->size);
        id->data = ids[i];
    }
    cm_engine_destroy(engine);
    return result;
}

/* ---- the newest click of the key ---- */

static void assert_claims(const cm_result *result, cm_method method, const char *id,
                          double probability)
{
    assert_int_equal(result->method, method);
    assert_int_equal(result->candidate_count, 1);
    assert_true(cm_slice_equal(result->candidates[0].click_id, cm_slice_of_text(id)));
    assert_true(same_bits(result->probability, probability));
    assert_true(same_bits(result->confidence, probability));
    assert_true(same_bits(result->candidates[0].probability, probability));
}

static void test_the_newest_of_the_fingerprint(void **state)
{
    (void)state;
    cm_click clicks[] = {some_click("old", 100, true), some_click("new", 90, true),
                         some_click("address", 1, false)};
    const cm_conversion conversion = some_conversion(true, true);
    cm_result result = match(CM_RULE_NEWEST, clicks, 3, &conversion);
    assert_claims(&result, CM_METHOD_FINGERPRINT, "new", 0.90);
    clicks[1].expires_at = T0; /* what has expired is passed over */
    result = match(CM_RULE_NEWEST, clicks, 3, &conversion);
    assert_claims(&result, CM_METHOD_FINGERPRINT, "old", 0.90);
    clicks[0].expires_at = T0; /* all have: then the address */
    result = match(CM_RULE_NEWEST, clicks, 3, &conversion);
    assert_int_equal(result.layers[1], CM_LAYER_NO_MATCH);
    assert_claims(&result, CM_METHOD_PROBABILISTIC, "address", 0.60);
}

static void test_the_newest_of_the_address(void **state)
{
    (void)state;
    cm_click clicks[] = {some_click("old", 20, false), some_click("new", 10, false),
                         some_click("another", 1, false)};
    cm_conversion conversion = some_conversion(true, true); /* a fingerprint that no click has */
    clicks[2].device.device_type = CM_SLICE("desktop");
    cm_result result = match(CM_RULE_NEWEST, clicks, 3, &conversion);
    assert_int_equal(result.layers[1], CM_LAYER_NO_MATCH);
    assert_claims(&result, CM_METHOD_PROBABILISTIC, "new", 0.60);
    conversion = some_conversion(false, true);
    clicks[1].expires_at = T0;
    result = match(CM_RULE_NEWEST, clicks, 3, &conversion);
    assert_int_equal(result.layers[1], CM_LAYER_NO_FINGERPRINT);
    assert_claims(&result, CM_METHOD_PROBABILISTIC, "old", 0.60);
    clicks[0].click_timestamp = T0 - 24 * HOUR; /* the window's beginning is exclusive */
    result = match(CM_RULE_NEWEST, clicks, 3, &conversion);
    assert_int_equal(result.method, CM_METHOD_UNATTRIBUTED);
    assert_int_equal(result.layers[2], CM_LAYER_NO_CANDIDATES);
    conversion = some_conversion(false, false);
    result = match(CM_RULE_NEWEST, clicks, 3, &conversion);
    assert_int_equal(result.layers[2], CM_LAYER_NO_SIGNAL);
    assert_int_equal(result.candidate_count, 0);
}

/* ---- blind ---- */

/*
 * One candidate or two of different ages that are alike in all else. Where neither delay nor rivals
 * count, both weigh the same, and the second adds as much to the total as the first: 1 / p rises by
 * one. By the model the newer one is the more likely, and rivals count.
 */
static void check_blind(bool is_layer_2)
{
    const cm_conversion conversion = some_conversion(is_layer_2, !is_layer_2);
    cm_click clicks[] = {some_click("new", 1, is_layer_2), some_click("old", 20, is_layer_2)};
    clicks[1].device.ip_address.bytes[3] = is_layer_2 ? 8 : 7; /* another device to the layer */
    cm_result one = match(CM_RULE_BLIND, clicks, 1, &conversion);
    cm_result two = match(CM_RULE_BLIND, clicks, 2, &conversion);
    assert_int_equal(one.candidate_count, 1);
    assert_int_equal(two.candidate_count, 2);
    assert_true(same_bits(two.candidates[0].probability, two.candidates[1].probability));
    double first = one.candidates[0].probability, both = two.candidates[0].probability;
    assert_true(fabs(1 / both - 1 / first - 1) < 1e-9);
    two = match(CM_RULE_MODEL, clicks, 2, &conversion);
    assert_true(cm_slice_equal(two.candidates[0].click_id, CM_SLICE("new")));
    assert_true(two.candidates[0].probability > 1.5 * two.candidates[1].probability);
    one = match(CM_RULE_MODEL, clicks, 1, &conversion);
    first = one.candidates[0].probability;
    both = two.candidates[0].probability;
    assert_true(fabs(1 / both - 1 / first - 1) > 0.1);
}

static void test_blind_by_fingerprint(void **state)
{
    (void)state;
    check_blind(true);
}

static void test_blind_by_address(void **state)
{
    (void)state;
    check_blind(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_newest_of_the_fingerprint),
        cmocka_unit_test(test_the_newest_of_the_address),
        cmocka_unit_test(test_blind_by_fingerprint),
        cmocka_unit_test(test_blind_by_address),
    };
    return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}

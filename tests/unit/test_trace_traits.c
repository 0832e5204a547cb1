/* Traits in a trace: factors like the others, in their order, and what would have been if they were
 * equal. */
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

static const char traits_json[] =
    "{\"fingerprint\": {\"prior\": 0.1, \"traits\": {\"os\": [0.98, 0.4], \"screen\": [0.97, "
    "0.1]}},"
    " \"probabilistic\": {\"traits\": {\"timezone\": [0.99, 0.5], \"browser\": [0.9, 0.3],"
    " \"os\": [0.98, 0.4]}}}";

static const cm_device shown = {
    .has_fingerprint = true,
    .fingerprint = {1, 2, 3},
    .ip_address = {4, {203, 0, 113, 7}},
    .user_agent = CM_SLICE("agent 1"),
    .device_type = CM_SLICE("mobile"),
    .os = CM_SLICE("iOS"),
    .browser = CM_SLICE("Safari"),
    .screen_width = CM_SLICE("390"),
    .screen_height = CM_SLICE("844"),
    .timezone = CM_SLICE("UTC"),
};

static cm_conversion some_conversion(void)
{
    return (cm_conversion){
        .tenant_id = CM_SLICE("t"),
        .conversion_id = CM_SLICE("c"),
        .conversion_timestamp = T0,
        .device = shown,
    };
}

/* With one click, two hours before. */
static cm_engine *create_with(const cm_device *device)
{
    const cm_click click = {
        .tenant_id = CM_SLICE("t"),
        .click_id = CM_SLICE("k"),
        .click_timestamp = T0 - 2 * HOUR,
        .expires_at = CM_TIME_MISSING,
        .is_valid = true,
        .device = *device,
    };
    cm_engine *engine;
    cm_model *model;
    assert_int_equal(cm_model_create(traits_json, sizeof traits_json - 1, &model, NULL), CM_OK);
    assert_int_equal(cm_engine_create(NULL, model, &engine, NULL), CM_OK);
    assert_int_equal(cm_engine_add(engine, &click, 1, NULL, NULL), CM_OK);
    cm_model_destroy(model);
    return engine;
}

/* The same, of the device that is shown. */
static cm_engine *create(void)
{
    return create_with(&shown);
}

static cm_trace *explain(const cm_engine *engine, const cm_conversion *conversion)
{
    cm_trace *trace;
    assert_int_equal(cm_engine_explain(engine, conversion, &trace, NULL), CM_OK);
    return trace;
}

static const cm_trace_factor *factor_named(const cm_trace_candidate *candidate, const char *name)
{
    for (uint32_t i = 0; i < candidate->factor_count; i++)
        if (strcmp(candidate->factors[i].name, name) == 0)
            return &candidate->factors[i];
    fail_msg("no factor %s", name);
    return NULL;
}

/* What is said to be enough is what the engine says once it is so. */
static void check_if_equal(const cm_conversion *without, const cm_conversion *with, size_t layer,
                           const char *name)
{
    cm_engine *engine = create();
    cm_trace *trace = explain(engine, without);
    cm_trace *wished = explain(engine, with);
    const cm_trace_candidate *candidate = &trace->layers[layer].candidates[0];
    assert_int_equal(trace->layers[layer].candidate_count, 1);
    assert_int_equal(wished->layers[layer].candidate_count, 1);
    assert_true(factor_named(candidate, name)->outcome != CM_COMPARE_EQUAL);
    assert_true(wished->layers[layer].probability > trace->layers[layer].probability);
    assert_true(
        same_bits(factor_named(candidate, name)->p_if_equal, wished->layers[layer].probability));
    assert_true(factor_named(&wished->layers[layer].candidates[0], name)->p_if_equal == -1);
    cm_trace_destroy(wished);
    cm_trace_destroy(trace);
    cm_engine_destroy(engine);
}

static void test_what_traits_would_have_been_enough(void **state)
{
    (void)state;
    cm_conversion same = some_conversion();
    cm_conversion other = same;
    other.device.os = CM_SLICE("Android");
    check_if_equal(&other, &same, 1, "os");
    other.device.os = CM_SLICE("ios");
    other.device.screen_height = CM_SLICE("800");
    check_if_equal(&other, &same, 1, "screen");
    same.device.fingerprint[0] = 9;
    other = same;
    other.device.browser = CM_SLICE("Chrome");
    check_if_equal(&other, &same, 2, "browser");
    other = same;
    other.device.timezone = CM_SLICE("");
    check_if_equal(&other, &same, 2, "timezone");
}

/* Those that the layer's model has, behind the user agent, in their order. */
static void test_traits_are_factors(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        cm_comparison outcome;
        double same, stranger;
    } wanted[] = {{"os", CM_COMPARE_DIFFERENT, 1 - 0.98, 1 - 0.4},
                  {"browser", CM_COMPARE_EQUAL, 0.9, 0.3},
                  {"timezone", CM_COMPARE_MISSING, 1, 1}};
    cm_conversion conversion = some_conversion();
    conversion.device.fingerprint[0] = 9;
    conversion.device.os = CM_SLICE("Android");
    conversion.device.timezone = CM_SLICE("");
    cm_engine *engine = create();
    cm_trace *trace = explain(engine, &conversion);
    assert_int_equal(trace->layers[2].candidate_count, 1);
    const cm_trace_candidate *candidate = &trace->layers[2].candidates[0];
    assert_int_equal(candidate->factor_count, 9);
    assert_string_equal(candidate->factors[5].name, "user_agent");
    assert_true(cm_slice_equal(candidate->device.user_agent, shown.user_agent));
    double bits = 0;
    for (size_t i = 0; i < 3; i++) {
        const cm_trace_factor *factor = &candidate->factors[6 + i];
        assert_string_equal(factor->name, wanted[i].name);
        assert_int_equal(factor->outcome, wanted[i].outcome);
        assert_true(factor->same == wanted[i].same && factor->stranger == wanted[i].stranger);
    }
    for (size_t i = 0; i < candidate->factor_count; i++)
        bits += candidate->factors[i].bits;
    assert_true(fabs(bits - candidate->bits) < 1e-9);
    cm_trace_destroy(trace);
    cm_engine_destroy(engine);
}

/* An engine whose clicks show neither user agent nor traits has no looks at all. */
static void test_clicks_that_show_nothing(void **state)
{
    (void)state;
    const cm_device bare = {.has_fingerprint = true, .fingerprint = {1, 2, 3}};
    const cm_conversion conversion = some_conversion();
    cm_engine *engine = create_with(&bare);
    cm_trace *trace = explain(engine, &conversion);
    const cm_trace_candidate *candidate = &trace->layers[1].candidates[0];
    assert_int_equal(trace->layers[1].candidate_count, 1);
    assert_int_equal(factor_named(candidate, "os")->outcome, CM_COMPARE_MISSING);
    assert_int_equal(factor_named(candidate, "screen")->outcome, CM_COMPARE_MISSING);
    assert_int_equal(factor_named(candidate, "user_agent")->outcome, CM_COMPARE_MISSING);
    for (size_t i = 0; i < CM_TRACE_TRAITS; i++)
        assert_int_equal(candidate->device.traits[i].size, 0);
    assert_true(cm_slice_equal(trace->device.traits[2], CM_SLICE("390x844")));
    cm_trace_destroy(trace);
    cm_engine_destroy(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_traits_would_have_been_enough),
        cmocka_unit_test(test_traits_are_factors),
        cmocka_unit_test(test_clicks_that_show_nothing),
    };
    return cmocka_run_group_tests_name("trace_traits", tests, NULL, NULL);
}

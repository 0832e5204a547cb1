/* A trace against the engine it explains: words, candidates and probabilities to the bit, and bits
 * that add up to the weights. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include <openssl/err.h>

#include "engine/engine.h"
#include "harness/bits.h"
#include "harness/failing_malloc.h"
#include "harness/results.h"
#include "oracle/world.h"
#include "util/slice.h"

#define WORLDS 60
#define HOUR CM_HOUR_US
#define T0 ((int64_t)1772366400 * 1000000) /* 2026-03-01T12:00:00Z */

/* ---- random worlds ---- */

struct fixture {
    cm_model *model;
    world *world;
    cm_engine *engine;
};

/* Every second world has the default model, the others random ones, calibration included. */
static void setup(struct fixture *fixture, uint64_t number)
{
    reference_model numbers;
    char *json = world_model(number, &numbers);
    bool is_default = number % 2 == 0;
    if (is_default)
        numbers = reference_model_default;
    assert_int_equal(cm_model_create(is_default ? NULL : json, is_default ? 0 : strlen(json),
                                     &fixture->model, NULL),
                     CM_OK);
    free(json);
    const world_options options = {.seed = number,
                                   .shape = (world_shape)(number / 2 % WORLD_SHAPE_COUNT),
                                   .click_count = 300,
                                   .conversion_count = 100,
                                   .model = &numbers};
    fixture->world = world_create(&options);
    assert_int_equal(cm_engine_create(NULL, fixture->model, &fixture->engine, NULL), CM_OK);
    assert_int_equal(cm_engine_add(fixture->engine, fixture->world->clicks,
                                   fixture->world->click_count, NULL, NULL),
                     CM_OK);
}

static void teardown(struct fixture *fixture)
{
    cm_engine_destroy(fixture->engine);
    cm_model_destroy(fixture->model);
    world_destroy(fixture->world);
}

static cm_trace *explain(const cm_engine *engine, const cm_conversion *conversion)
{
    cm_trace *trace;
    assert_int_equal(cm_engine_explain(engine, conversion, &trace, NULL), CM_OK);
    return trace;
}

/* The layer that a result's candidates and probability come from: the last that weighed any. */
static const cm_trace_layer *last_weighed(const cm_trace *trace)
{
    for (size_t i = CM_LAYER_COUNT; i > 1; i--)
        if (trace->layers[i - 1].candidate_count > 0)
            return &trace->layers[i - 1];
    return NULL;
}

static void check_against_result(const cm_trace *trace, const cm_result *result)
{
    const cm_trace_layer *layer = last_weighed(trace);
    results_assert_same(result, &trace->result, 1);
    for (size_t i = 0; i < CM_LAYER_COUNT; i++)
        assert_int_equal(trace->layers[i].word, result->layers[i]);
    assert_int_equal(trace->matched_by != NULL, result->method == CM_METHOD_URL_PARAM);
    assert_int_equal(trace->layers[1].candidate_count > 0, result->layer_2_weighed);
    assert_true(same_bits(trace->layers[1].probability, result->layer_2_probability));
    if (layer == NULL) {
        assert_int_equal(result->candidate_count, 0);
        return;
    }
    size_t shown = layer->candidate_count < CM_RESULT_CANDIDATES_MAX ? layer->candidate_count
                                                                     : CM_RESULT_CANDIDATES_MAX;
    assert_int_equal(shown, result->candidate_count);
    for (size_t i = 0; i < shown; i++) {
        assert_true(cm_slice_equal(layer->candidates[i].click_id, result->candidates[i].click_id));
        assert_true(same_bits(layer->candidates[i].probability, result->candidates[i].probability));
    }
    if (layer->word != CM_LAYER_SUCCESS)
        return;
    assert_true(same_bits(layer->probability, result->probability));
    assert_true(same_bits(layer->confidence, result->confidence));
    assert_true(cm_slice_equal(layer->candidates[0].click_id, result->click.click_id));
}

static void check_id(const cm_trace *trace, const cm_conversion *conversion)
{
    if (trace->matched_by == NULL)
        return;
    bool is_id = cm_slice_equal(conversion->click_id, trace->result.click.click_id);
    assert_int_equal(strcmp(trace->matched_by, "click_id") == 0, is_id);
    if (strcmp(trace->matched_by, "fbclid") == 0)
        assert_true(trace->fbclid.size > 0);
    if (strcmp(trace->matched_by, "gclid") == 0)
        assert_true(conversion->gclid.size > 0);
}

static void test_worlds(void **state)
{
    (void)state;
    size_t weighed = 0;
    size_t by_id = 0;
    for (uint64_t number = 0; number < WORLDS; number++) {
        struct fixture fixture;
        setup(&fixture, number);
        for (size_t i = 0; i < fixture.world->conversion_count; i++) {
            const cm_conversion *conversion = &fixture.world->conversions[i];
            cm_result result;
            cm_trace *trace = explain(fixture.engine, conversion);
            assert_int_equal(cm_engine_match(fixture.engine, conversion, 1, &result, NULL), CM_OK);
            check_against_result(trace, &result);
            check_id(trace, conversion);
            weighed += last_weighed(trace) != NULL;
            by_id += trace->matched_by != NULL;
            cm_trace_destroy(trace);
        }
        teardown(&fixture);
    }
    assert_true(weighed > 1000 && by_id > 500);
}

/* ---- sums ---- */

static void check_candidate(const cm_trace_candidate *candidate)
{
    double bits = 0, product = 1;
    for (uint32_t i = 0; i < candidate->factor_count; i++) {
        const cm_trace_factor *factor = &candidate->factors[i];
        bits += factor->bits;
        product *= factor->same / factor->stranger;
        if (factor->is_comparison && factor->outcome == CM_COMPARE_MISSING)
            assert_true(factor->bits == 0);
    }
    assert_true(same_bits(candidate->bits, log2(candidate->weight)));
    bool is_tiny = bits < -900; /* where repeat is next to nothing products may underflow */
    assert_true(is_tiny ? candidate->weight < 1e-250 : fabs(bits - candidate->bits) < 1e-9);
    assert_true(is_tiny || fabs(product - candidate->weight) <= 1e-12 * candidate->weight);
}

static size_t check_layer(const cm_trace_layer *layer, bool is_calibrated)
{
    double total = layer->nobody + layer->rest;
    assert_int_equal(layer->clicks, layer->considered + layer->left);
    assert_int_equal(layer->considered,
                     layer->expired + layer->repeats + layer->candidate_count - layer->newer);
    for (size_t i = 0; i < layer->candidate_count; i++) {
        const cm_trace_candidate *candidate = &layer->candidates[i];
        check_candidate(candidate);
        total += candidate->weight;
        if (!is_calibrated)
            assert_true(same_bits(candidate->probability, candidate->weight / layer->total));
        if (i > 0)
            assert_true(candidate->weight <= candidate[-1].weight);
    }
    assert_true(fabs(total - layer->total) <= 1e-12 * total);
    return layer->candidate_count;
}

static void test_bits_add_up(void **state)
{
    (void)state;
    size_t candidates = 0;
    uint64_t left = 0;
    uint64_t repeats = 0;
    uint64_t expired = 0;
    for (uint64_t number = 0; number < WORLDS; number++) {
        struct fixture fixture;
        setup(&fixture, number);
        for (size_t i = 0; i < fixture.world->conversion_count; i++) {
            const cm_conversion *conversion = &fixture.world->conversions[i];
            cm_trace *trace = explain(fixture.engine, conversion);
            const cm_parameters *parameters = &fixture.model->parameters[cm_model_parameters_of(
                fixture.model, conversion->tenant_id, trace->device.device_type)];
            const cm_layer_model *models[] = {&parameters->fingerprint, &parameters->probabilistic};
            for (size_t at = 0; at < 2; at++) {
                const cm_trace_layer *layer = &trace->layers[1 + at];
                candidates += check_layer(layer, models[at]->knot_count > 0);
                left += layer->left;
                repeats += layer->repeats;
                expired += layer->expired;
            }
            cm_trace_destroy(trace);
        }
        teardown(&fixture);
    }
    assert_true(candidates > 10000 && left > 0 && repeats > 0 && expired > 0);
}

/* ---- what would have been ---- */

static cm_click some_click(const char *id, int64_t age_us)
{
    return (cm_click){
        .tenant_id = CM_SLICE("t"),
        .click_id = cm_slice_of_text(id),
        .click_timestamp = T0 - age_us,
        .expires_at = CM_TIME_MISSING,
        .is_valid = true,
        .device = {.has_fingerprint = true,
                   .fingerprint = {1, 2, 3},
                   .ip_address = {4, {203, 0, 113, 7}},
                   .user_agent = CM_SLICE("agent 1"),
                   .device_type = CM_SLICE("mobile")},
    };
}

static cm_conversion some_conversion(void)
{
    return (cm_conversion){
        .tenant_id = CM_SLICE("t"),
        .conversion_id = CM_SLICE("c"),
        .conversion_timestamp = T0,
        .device = some_click("", 0).device,
    };
}

static cm_engine *create(const cm_click *clicks, size_t count)
{
    cm_engine *engine;
    assert_int_equal(cm_engine_create(NULL, NULL, &engine, NULL), CM_OK);
    assert_int_equal(cm_engine_add(engine, clicks, count, NULL, NULL), CM_OK);
    return engine;
}

static const cm_trace_factor *factor_named(const cm_trace_candidate *candidate, const char *name)
{
    for (uint32_t i = 0; i < candidate->factor_count; i++)
        if (strcmp(candidate->factors[i].name, name) == 0)
            return &candidate->factors[i];
    fail_msg("no factor %s", name);
    return NULL;
}

/* Of the only candidate, what is said to be enough is what the engine says once it is so. */
static void check_if_equal(const cm_conversion *without, const cm_conversion *with, size_t layer,
                           const char *name)
{
    const cm_click click = some_click("k", 2 * HOUR);
    cm_engine *engine = create(&click, 1);
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

static void test_what_would_have_been_enough(void **state)
{
    (void)state;
    const cm_conversion same = some_conversion();
    cm_conversion other = same;
    other.device.user_agent = CM_SLICE("agent 2");
    check_if_equal(&other, &same, 1, "user_agent");
    other = same;
    other.device.ip_address.bytes[3] = 8;
    check_if_equal(&other, &same, 1, "address");
    other.device.ip_address.version = 0;
    check_if_equal(&other, &same, 1, "address");
    /* One comparison at a time: the other one stays as it is. */
    cm_conversion neither = other;
    neither.device.user_agent = CM_SLICE("agent 2");
    check_if_equal(&neither, &other, 1, "user_agent");
}

/* Layer 3 runs where layer 2 found nothing: here the fingerprint is another one, or missing. */
static void test_what_would_have_been_enough_in_layer_3(void **state)
{
    (void)state;
    const cm_click click = some_click("k", 2 * HOUR);
    cm_engine *engine = create(&click, 1);
    cm_conversion conversion = some_conversion();
    conversion.device.fingerprint[0] = 9;
    cm_trace *trace = explain(engine, &conversion);
    const cm_trace_candidate *candidate = &trace->layers[2].candidates[0];
    double different = candidate->probability;
    double if_equal = factor_named(candidate, "fingerprint")->p_if_equal;
    assert_int_equal(factor_named(candidate, "fingerprint")->outcome, CM_COMPARE_DIFFERENT);
    assert_int_equal(factor_named(candidate, "user_agent")->outcome, CM_COMPARE_EQUAL);
    cm_trace_destroy(trace);
    conversion.device.has_fingerprint = false;
    trace = explain(engine, &conversion);
    candidate = &trace->layers[2].candidates[0];
    assert_int_equal(factor_named(candidate, "fingerprint")->outcome, CM_COMPARE_MISSING);
    assert_true(candidate->probability > different);
    assert_true(same_bits(factor_named(candidate, "fingerprint")->p_if_equal, if_equal));
    cm_trace_destroy(trace);
    cm_engine_destroy(engine);
}

/* A conversion is explained by the section that it is weighed by. */
static void test_sections(void **state)
{
    (void)state;
    static const char json[] = "{\"devices\": {\"mobile\": {\"fingerprint\": {\"prior\": 0.07}}}}";
    const cm_click click = some_click("k", 2 * HOUR);
    const cm_conversion conversion = some_conversion();
    cm_engine *engine;
    cm_model *model;
    assert_int_equal(cm_model_create(json, sizeof json - 1, &model, NULL), CM_OK);
    assert_int_equal(cm_engine_create(NULL, model, &engine, NULL), CM_OK);
    cm_model_destroy(model);
    assert_int_equal(cm_engine_add(engine, &click, 1, NULL, NULL), CM_OK);
    cm_trace *trace = explain(engine, &conversion);
    assert_true(same_bits(trace->layers[1].probability, trace->result.layer_2_probability));
    cm_trace_destroy(trace);
    cm_engine_destroy(engine);
}

/* ---- devices ---- */

static void test_devices(void **state)
{
    (void)state;
    cm_click clicks[2] = {some_click("k4", HOUR), some_click("k6", 2 * HOUR)};
    cm_conversion conversion = some_conversion();
    clicks[1].device.ip_address = (cm_address){6, {0x20, 1, 0xd, 0xb8, 1, 2, 3, 4, 5, 6}};
    conversion.device.device_type = CM_SLICE("Mobile");
    cm_engine *engine = create(clicks, 2);
    cm_trace *trace = explain(engine, &conversion);
    const cm_trace_device *shown = &trace->device;
    assert_true(shown->has_fingerprint && !shown->is_fingerprint_made);
    assert_memory_equal(shown->fingerprint, conversion.device.fingerprint, 32);
    assert_int_equal(shown->address_bits, 32);
    assert_true(cm_slice_equal(shown->device_type, CM_SLICE("mobile")));
    assert_int_equal(trace->layers[1].candidate_count, 2);
    const cm_trace_device *of_click = &trace->layers[1].candidates[0].device;
    assert_memory_equal(of_click->fingerprint, conversion.device.fingerprint, 32);
    assert_memory_equal(of_click->address.bytes, clicks[0].device.ip_address.bytes, 16);
    assert_true(cm_slice_equal(of_click->user_agent, CM_SLICE("agent 1")));
    of_click = &trace->layers[1].candidates[1].device;
    assert_int_equal(of_click->address.version, 6);
    assert_int_equal(of_click->address_bits, 64);
    assert_memory_equal(of_click->address.bytes, clicks[1].device.ip_address.bytes, 8);
    assert_int_equal(of_click->address.bytes[8], 0);
    cm_trace_destroy(trace);
    cm_engine_destroy(engine);
}

/* A bucket of more than 64 bits has a number in the store, and its bytes elsewhere. */
static void test_wide_buckets(void **state)
{
    (void)state;
    static const char json[] = "{\"ipv6_prefix\": 120}";
    const cm_address address = {6, {0x20, 1, 0xd, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}};
    cm_click click = some_click("k", HOUR);
    cm_conversion conversion = some_conversion();
    cm_model *model;
    cm_engine *engine;
    click.device.ip_address = conversion.device.ip_address = address;
    assert_int_equal(cm_model_create(json, sizeof json - 1, &model, NULL), CM_OK);
    assert_int_equal(cm_engine_create(NULL, model, &engine, NULL), CM_OK);
    assert_int_equal(cm_engine_add(engine, &click, 1, NULL, NULL), CM_OK);
    cm_trace *trace = explain(engine, &conversion);
    const cm_trace_device *of_click = &trace->layers[1].candidates[0].device;
    assert_int_equal(of_click->address_bits, 120);
    assert_memory_equal(of_click->address.bytes, address.bytes, 15);
    assert_int_equal(of_click->address.bytes[15], 0);
    assert_memory_equal(&trace->device.address, &of_click->address, sizeof of_click->address);
    cm_trace_destroy(trace);
    cm_engine_destroy(engine);
    cm_model_destroy(model);
}

static void test_a_fingerprint_made_of_components(void **state)
{
    (void)state;
    cm_click click = some_click("k", HOUR);
    cm_conversion conversion = some_conversion();
    click.device.has_fingerprint = conversion.device.has_fingerprint = false;
    click.device.screen_width = conversion.device.screen_width = CM_SLICE("390");
    cm_engine *engine = create(&click, 1);
    cm_trace *trace = explain(engine, &conversion);
    assert_true(trace->device.has_fingerprint && trace->device.is_fingerprint_made);
    assert_int_equal(trace->layers[1].candidate_count, 1);
    assert_memory_equal(trace->layers[1].candidates[0].device.fingerprint,
                        trace->device.fingerprint, 32);
    cm_trace_destroy(trace);
    cm_engine_destroy(engine);
}

/* ---- what can fail ---- */

static void test_a_bad_conversion_is_refused(void **state)
{
    (void)state;
    cm_engine *engine = create(NULL, 0);
    cm_conversion conversion = some_conversion();
    cm_error error;
    cm_trace *trace;
    conversion.conversion_timestamp = -1;
    assert_int_equal(cm_engine_explain(engine, &conversion, &trace, &error), CM_ERROR_ARGUMENT);
    assert_null(trace);
    assert_non_null(strstr(error.message, "conversion_timestamp"));
    conversion = some_conversion();
    trace = explain(engine, &conversion); /* of a tenant that has no click */
    assert_int_equal(trace->layers[1].word, CM_LAYER_NO_MATCH);
    assert_int_equal(trace->layers[2].word, CM_LAYER_NO_CANDIDATES);
    cm_trace_destroy(trace);
    cm_trace_destroy(NULL);
    cm_engine_destroy(engine);
}

/* It is known by its name, and in no list. */
static void test_a_tenant_whose_clicks_are_all_flagged(void **state)
{
    (void)state;
    cm_click click = some_click("k", HOUR);
    cm_conversion conversion = some_conversion();
    click.is_valid = false;
    conversion.click_id = click.click_id;
    cm_engine *engine = create(&click, 1);
    cm_trace *trace = explain(engine, &conversion);
    assert_int_equal(trace->layers[0].word, CM_LAYER_INVALID);
    assert_int_equal(trace->layers[1].word, CM_LAYER_NO_MATCH);
    assert_int_equal(trace->layers[1].tenant_clicks, 0);
    assert_int_equal(trace->layers[2].word, CM_LAYER_NO_CANDIDATES);
    cm_trace_destroy(trace);
    cm_engine_destroy(engine);
}

static void test_no_memory(void **state)
{
    (void)state;
    if (!failing_malloc_works)
        skip();
    cm_click clicks[40];
    char ids[40][4] = {{0}};
    cm_conversion conversion = some_conversion();
    for (size_t i = 0; i < 40; i++) { /* 40 devices, so that the arena grows */
        ids[i][0] = 'k';
        ids[i][1] = (char)('a' + i % 26);
        ids[i][2] = (char)('a' + i / 26);
        clicks[i] = some_click(ids[i], (int64_t)(i + 1) * HOUR);
        clicks[i].device.ip_address.bytes[3] = (uint8_t)(i + 1);
    }
    cm_engine *engine = create(clicks, 40);
    size_t rounds = 0;
    for (bool has_failed = true; has_failed; rounds++) {
        ptrdiff_t before = failing_malloc_live();
        cm_error error = {0};
        cm_trace *trace;
        failing_malloc_arm(rounds);
        cm_status status = cm_engine_explain(engine, &conversion, &trace, &error);
        has_failed = failing_malloc_disarm();
        assert_true(status == CM_OK || (has_failed && status == CM_ERROR_MEMORY));
        assert_int_equal(error.code, status);
        if (status == CM_OK)
            assert_int_equal(trace->layers[1].candidate_count, 40);
        cm_trace_destroy(trace);
        ERR_clear_error();
        assert_int_equal(failing_malloc_live(), before);
    }
    assert_true(rounds > 4);
    cm_engine_destroy(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_worlds),
        cmocka_unit_test(test_bits_add_up),
        cmocka_unit_test(test_what_would_have_been_enough),
        cmocka_unit_test(test_what_would_have_been_enough_in_layer_3),
        cmocka_unit_test(test_sections),
        cmocka_unit_test(test_devices),
        cmocka_unit_test(test_wide_buckets),
        cmocka_unit_test(test_a_fingerprint_made_of_components),
        cmocka_unit_test(test_a_bad_conversion_is_refused),
        cmocka_unit_test(test_a_tenant_whose_clicks_are_all_flagged),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}

/* Strangers' delays in a trace: as a layer has them, or the bin's share of the window. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "harness/bits.h"
#include "util/slice.h"

#define HOUR CM_HOUR_US
#define T0 ((int64_t)1772366400 * 1000000) /* 2026-03-01T12:00:00Z */

/* Bins of 1, 2 and 5 hours; newer clicks are told from older ones. */
#define START                                                                                      \
    "{\"window_hours\": 8, \"probabilistic_window_hours\": 8, \"delay_hours\": [1, 3, 8],"         \
    " \"delay_m\": [0.5, 0.25, 0.125], \"fingerprint_m\": [0.5, 0.5, 0.5],"                        \
    " \"ip_m\": [0.5, 0.5, 0.5], "

static const char even[] = START "\"probabilistic\": {\"repeat\": 8}}";
static const char uneven[] =
    START "\"fingerprint\": {\"delay_u\": [0.75, 0.375, 0.0625]},"
          " \"probabilistic\": {\"repeat\": 8, \"delay_u\": [0.1875, 0.625, 0.875]}}";

static const cm_address HERE = {4, {203, 0, 113, 7}};
static const cm_address ELSEWHERE = {4, {203, 0, 113, 8}};

static cm_click click_of(const char *id, int64_t age_us, cm_address address, bool has_fingerprint)
{
    return (cm_click){.tenant_id = CM_SLICE("t"),
                      .click_id = cm_slice_of_text(id),
                      .click_timestamp = T0 - age_us,
                      .expires_at = CM_TIME_MISSING,
                      .is_valid = true,
                      .device = {.has_fingerprint = has_fingerprint,
                                 .fingerprint = {has_fingerprint},
                                 .ip_address = address}};
}

/* The trace of a conversion here: two hours after a click of its fingerprint elsewhere, half an
 * hour after one without a fingerprint here. Layer 3 has the latter alone. */
static cm_trace *explain(const char *json, bool has_fingerprint, cm_engine **engine)
{
    const cm_click clicks[] = {click_of("older", 2 * HOUR, ELSEWHERE, true),
                               click_of("newer", HOUR / 2, HERE, false)};
    const cm_conversion conversion = {
        .tenant_id = CM_SLICE("t"),
        .conversion_id = CM_SLICE("c"),
        .conversion_timestamp = T0,
        .device = click_of("", 0, HERE, has_fingerprint).device,
    };
    cm_model *model;
    cm_trace *trace;
    assert_int_equal(cm_model_create(json, strlen(json), &model, NULL), CM_OK);
    assert_int_equal(cm_engine_create(NULL, model, engine, NULL), CM_OK);
    cm_model_destroy(model);
    assert_int_equal(cm_engine_add(*engine, clicks, 2, NULL, NULL), CM_OK);
    assert_int_equal(cm_engine_explain(*engine, &conversion, &trace, NULL), CM_OK);
    return trace;
}

static const cm_trace_candidate *candidate_of(const cm_trace_layer *layer, const char *id)
{
    for (size_t i = 0; i < layer->candidate_count; i++)
        if (cm_slice_equal(layer->candidates[i].click_id, cm_slice_of_text(id)))
            return &layer->candidates[i];
    fail_msg("no candidate %s", id);
    return NULL;
}

/* The factor of the delay; the others' bits and its own add up to those of the weight. */
static void check(const cm_trace_layer *layer, const char *id, double same, double stranger)
{
    const cm_trace_candidate *candidate = candidate_of(layer, id);
    double bits = 0;
    bool is_found = false;
    for (size_t i = 0; i < candidate->factor_count; i++) {
        const cm_trace_factor *factor = &candidate->factors[i];
        bits += factor->bits;
        if (strcmp(factor->name, "delay") != 0)
            continue;
        is_found = true;
        assert_true(same_bits(factor->same, same));
        assert_true(same_bits(factor->stranger, stranger));
    }
    assert_true(is_found);
    assert_float_equal(bits, candidate->bits, 1e-9);
}

/* What layer 2 says of both clicks, and layer 3, where there is no fingerprint, of the newer. */
static void check_model(const char *json, double older, double newer, double of_layer_3)
{
    cm_engine *engine;
    cm_trace *trace = explain(json, true, &engine);
    check(&trace->layers[1], "older", 0.25, older);
    check(&trace->layers[1], "newer", 0.5, newer);
    cm_trace_destroy(trace);
    cm_engine_destroy(engine);
    trace = explain(json, false, &engine);
    check(&trace->layers[2], "newer", 0.5, of_layer_3);
    cm_trace_destroy(trace);
    cm_engine_destroy(engine);
}

static void test_a_share_of_the_window(void **state)
{
    (void)state;
    check_model(even, 0.25, 0.125, 0.125);
}

/* Each layer by its own; a newer click in layer 2 by neither's. */
static void test_as_the_layer_has_them(void **state)
{
    (void)state;
    check_model(uneven, 0.375, 0.125, 0.1875);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_share_of_the_window),
        cmocka_unit_test(test_as_the_layer_has_them),
    };
    return cmocka_run_group_tests_name("trace_delays", tests, NULL, NULL);
}

/* Families of addresses in a trace: of what differs, the shares that the model gives each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "harness/bits.h"
#include "util/slice.h"

#define HOUR CM_HOUR_US
#define T0 ((int64_t)1772366400 * 1000000) /* 2026-03-01T12:00:00Z */

/* Another ip_m in each bin. */
#define BINS                                                                                       \
    "\"window_hours\": 24, \"delay_hours\": [1, 3, 24], \"delay_m\": [0.5, 0.25, 0.125],"          \
    " \"fingerprint_m\": [0.9, 0.9, 0.9], \"ip_m\": [0.875, 0.5, 0.25]"

static const cm_address V4 = {4, {203, 0, 113, 7}};
static const cm_address OTHER_V4 = {4, {203, 0, 113, 8}};
static const cm_address V6 = {6, {0x20, 1, 0xd, 0xb8}};

static cm_device device_at(cm_address address)
{
    return (cm_device){.has_fingerprint = true, .fingerprint = {1, 2, 3}, .ip_address = address};
}

/* What a conversion's trace says of the address of its only candidate. */
static cm_trace_factor address_factor(const char *json, int64_t age_us, cm_address address)
{
    const cm_click click = {.tenant_id = CM_SLICE("t"),
                            .click_id = CM_SLICE("k"),
                            .click_timestamp = T0 - age_us,
                            .expires_at = CM_TIME_MISSING,
                            .is_valid = true,
                            .device = device_at(address)};
    const cm_conversion conversion = {.tenant_id = CM_SLICE("t"),
                                      .conversion_id = CM_SLICE("c"),
                                      .conversion_timestamp = T0,
                                      .device = device_at(V4)};
    cm_model *model;
    cm_engine *engine;
    cm_trace *trace;
    assert_int_equal(cm_model_create(json, strlen(json), &model, NULL), CM_OK);
    assert_int_equal(cm_engine_create(NULL, model, &engine, NULL), CM_OK);
    cm_model_destroy(model);
    assert_int_equal(cm_engine_add(engine, &click, 1, NULL, NULL), CM_OK);
    assert_int_equal(cm_engine_explain(engine, &conversion, &trace, NULL), CM_OK);
    assert_int_equal(trace->layers[1].candidate_count, 1);
    const cm_trace_factor *factors = trace->layers[1].candidates[0].factors;
    cm_trace_factor factor = factors[4];
    assert_string_equal(factor.name, "address");
    cm_trace_destroy(trace);
    cm_engine_destroy(engine);
    return factor;
}

static void check(const char *json, int64_t age_us, cm_address address, cm_comparison outcome,
                  double same, double stranger)
{
    cm_trace_factor factor = address_factor(json, age_us, address);
    assert_int_equal(factor.outcome, outcome);
    assert_true(same_bits(factor.same, same));
    assert_true(same_bits(factor.stranger, stranger));
}

/* How many differ is the bin's; how many of these are of the other family is not. */
static void test_shares_of_what_differs(void **state)
{
    (void)state;
    static const char json[] = "{" BINS ", \"ip_other_m\": 0.75, \"ip_other_u\": 0.375}";
    check(json, HOUR / 2, V6, CM_COMPARE_OTHER_FAMILY, 0.125 * 0.75, 0.375);
    check(json, 2 * HOUR, V6, CM_COMPARE_OTHER_FAMILY, 0.5 * 0.75, 0.375);
    check(json, 5 * HOUR, V6, CM_COMPARE_OTHER_FAMILY, 0.75 * 0.75, 0.375);
    check(json, HOUR / 2, OTHER_V4, CM_COMPARE_DIFFERENT, 0.125 * 0.25, 0.625);
    check(json, 5 * HOUR, OTHER_V4, CM_COMPARE_DIFFERENT, 0.75 * 0.25, 0.625);
}

static void test_not_told_apart(void **state)
{
    (void)state;
    static const char json[] = "{" BINS "}";
    check(json, 5 * HOUR, V6, CM_COMPARE_DIFFERENT, 0.75, 1);
    check(json, 5 * HOUR, OTHER_V4, CM_COMPARE_DIFFERENT, 0.75, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares_of_what_differs),
        cmocka_unit_test(test_not_told_apart),
    };
    return cmocka_run_group_tests_name("trace_families", tests, NULL, NULL);
}

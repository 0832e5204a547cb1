/* The engine as `bench` calls it: one conversion at a time allocates nothing (what section latency
 * claims), candidates are counted right, and the parts of the memory are all of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after those it needs */
#include <cmocka.h>

#include "cmd/bench_engine.h"
#include "engine/engine.h"
#include "harness/failing_malloc.h"
#include "util/slice.h"

#define CLICKS 400u
#define CONVERSIONS 6u
#define OF_COMPONENTS 3 /* its fingerprint is made; OpenSSL allocates once for each SHA-256 */
#define HOUR INT64_C(3600000000)
#define START (INT64_C(500000) * HOUR)

static cm_address address_of(unsigned number)
{
    return (cm_address){4, {203, 0, (uint8_t)(number % 7), 9}};
}

/* Some of each: own fingerprints, fingerprints of components, shared addresses. */
static cm_engine *make_engine(void)
{
    static cm_click clicks[CLICKS];
    static char ids[CLICKS][8];
    for (unsigned i = 0; i < CLICKS; i++) {
        ids[i][0] = 'k';
        ids[i][1] = (char)('a' + i / 26 % 26);
        ids[i][2] = (char)('a' + i % 26);
        clicks[i] = (cm_click){
            .tenant_id = CM_SLICE("shop"),
            .click_id = cm_slice_of(ids[i], 3),
            .click_timestamp = START + i * HOUR / 8,
            .expires_at = CM_TIME_MISSING,
            .is_valid = true,
            .fbclid = i % 3 == 0 ? cm_slice_of(ids[i], 3) : (cm_slice){0},
            .device = {.has_fingerprint = i % 2 == 0,
                       .fingerprint = {1, (uint8_t)(i % 11)},
                       .ip_address = address_of(i),
                       .user_agent = CM_SLICE("Agent"),
                       .device_type = CM_SLICE("Mobile"),
                       .timezone = i % 5 == 0 ? CM_SLICE("UTC") : (cm_slice){0}},
        };
    }
    cm_engine *engine;
    assert_int_equal(cm_bench_engine_create(1, &engine, NULL), CM_OK);
    assert_int_equal(cm_engine_add(engine, clicks, CLICKS, NULL, NULL), CM_OK);
    return engine;
}

static void make_conversions(cm_conversion *conversions)
{
    const cm_device shared = {.ip_address = address_of(3),
                              .user_agent = CM_SLICE("Agent"),
                              .device_type = CM_SLICE("MOBILE")};
    for (unsigned i = 0; i < CONVERSIONS; i++)
        conversions[i] = (cm_conversion){.tenant_id = CM_SLICE("shop"),
                                         .conversion_id = CM_SLICE("c"),
                                         .conversion_timestamp = START + 49 * HOUR,
                                         .device = shared};
    conversions[0].click_id = CM_SLICE("kaa");
    conversions[1].fbclid = CM_SLICE("fb.1.1700000000.kad");
    conversions[2].device.has_fingerprint = true;
    conversions[2].device.fingerprint[0] = 1;
    conversions[OF_COMPONENTS].device.timezone = CM_SLICE("UTC");
    conversions[4].tenant_id = CM_SLICE("no such shop");
}

static void test_one_at_a_time(void **state)
{
    (void)state;
    if (!failing_malloc_works)
        skip();
    cm_engine *engine = make_engine();
    cm_matcher *matcher;
    cm_conversion conversions[CONVERSIONS];
    cm_result result;
    unsigned outcomes = 0;
    make_conversions(conversions);
    assert_int_equal(cm_matcher_create(engine, &matcher, NULL), CM_OK);
    for (unsigned i = 0; i < 2 * CONVERSIONS; i++) {
        unsigned of = i % CONVERSIONS;
        size_t before = failing_malloc_made();
        assert_int_equal(cm_bench_matcher_run(matcher, &conversions[of], 1, &result, NULL), CM_OK);
        if (i >= CONVERSIONS)
            assert_int_equal(failing_malloc_made() - before, of == OF_COMPONENTS);
        outcomes |= 1u << result.method;
    }
    assert_true((outcomes & (1u << CM_METHOD_URL_PARAM)) != 0);
    assert_true((outcomes & (1u << CM_METHOD_PROBABILISTIC)) != 0 ||
                (outcomes & (1u << CM_METHOD_FINGERPRINT)) != 0);
    cm_matcher_destroy(matcher);
    cm_engine_destroy(engine);
}

/* What was allocated is seen, or the test above would show nothing. */
static void test_allocations_are_counted(void **state)
{
    (void)state;
    if (!failing_malloc_works)
        skip();
    size_t before = failing_malloc_made();
    cm_engine *engine = make_engine();
    assert_true(failing_malloc_made() > before);
    cm_engine_destroy(engine);
}

static void test_candidates_are_counted(void **state)
{
    (void)state;
    cm_engine *engine = make_engine();
    cm_conversion conversions[CONVERSIONS];
    double means[CONVERSIONS];
    make_conversions(conversions);
    for (unsigned i = 0; i < CONVERSIONS; i++)
        assert_int_equal(cm_bench_candidates_mean(engine, &conversions[i], 1, &means[i], NULL),
                         CM_OK);
    assert_true(means[0] == 0); /* found by its click id */
    assert_true(means[4] == 0);
    assert_true(means[2] > 0);
    assert_true(means[5] == 27); /* 8 an hour, one in 7, in the 24 hours before */
    double mean;
    assert_int_equal(cm_bench_candidates_mean(engine, conversions + 4, 2, &mean, NULL), CM_OK);
    assert_true(mean == means[5] / 2);
    assert_int_equal(cm_bench_candidates_mean(engine, conversions, 0, &mean, NULL), CM_OK);
    assert_true(mean == 0);
    cm_engine_destroy(engine);
}

static void test_memory_parts_sum_up(void **state)
{
    (void)state;
    cm_memory_part parts[CM_MEMORY_PARTS_MAX];
    cm_engine *engine = make_engine();
    size_t count = cm_engine_memory_parts(engine, parts);
    size_t sum = 0;
    assert_in_range(count, 1, CM_MEMORY_PARTS_MAX);
    for (size_t i = 0; i < count; i++)
        sum += parts[i].bytes;
    assert_int_equal(sum, cm_engine_memory(engine));
    cm_engine_destroy(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_at_a_time),
        cmocka_unit_test(test_allocations_are_counted),
        cmocka_unit_test(test_candidates_are_counted),
        cmocka_unit_test(test_memory_parts_sum_up),
    };
    return cmocka_run_group_tests_name("bench_engine", tests, NULL, NULL);
}

/* Memory that is short while a conversion is traced: at each place that takes some, it is told, and
 * the next try gives the whole trace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "harness/bits.h"
#include "harness/failing_malloc.h"
#include "match/trace.h"
#include "util/slice.h"

#define HOUR CM_HOUR_US
#define T0 ((int64_t)1772366400 * 1000000) /* 2026-03-01T12:00:00Z */
#define CLICKS 3u
#define BLOCK_BYTES (16 * 1024) /* of an arena's first block: util/arena.c */

/* Screens are told with room of their own. */
static const char json[] =
    "{\"fingerprint\": {\"traits\": {\"os\": [0.9, 0.4], \"screen\": [0.97, 0.1]}}}";

struct fixture {
    cm_engine *engine;
    cm_matcher *matcher; /* as it is before its first conversion: with no memory yet */
};

static cm_device some_device(uint8_t address)
{
    return (cm_device){.has_fingerprint = true,
                       .fingerprint = {1, 2, 3},
                       .ip_address = {4, {203, 0, 113, address}},
                       .user_agent = CM_SLICE("agent"),
                       .device_type = CM_SLICE("mobile"),
                       .os = CM_SLICE("ios"),
                       .screen_width = CM_SLICE("390"),
                       .screen_height = CM_SLICE("844")};
}

static cm_conversion some_conversion(bool has_param)
{
    return (cm_conversion){.tenant_id = CM_SLICE("t"),
                           .conversion_id = CM_SLICE("c"),
                           .conversion_timestamp = T0,
                           .gclid = has_param ? CM_SLICE("of-no-click") : (cm_slice){0},
                           .device = some_device(0)};
}

static void setup(struct fixture *fixture)
{
    static const char ids[CLICKS][3] = {"k0", "k1", "k2"};
    cm_model *model;
    assert_int_equal(cm_model_create(json, sizeof json - 1, &model, NULL), CM_OK);
    assert_int_equal(cm_engine_create(NULL, model, &fixture->engine, NULL), CM_OK);
    cm_model_destroy(model);
    for (unsigned i = 0; i < CLICKS; i++) {
        const cm_click click = {.tenant_id = CM_SLICE("t"),
                                .click_id = cm_slice_of_text(ids[i]),
                                .click_timestamp = T0 - (int64_t)(i + 1) * HOUR,
                                .expires_at = CM_TIME_MISSING,
                                .is_valid = true,
                                .device = some_device((uint8_t)i)};
        assert_int_equal(cm_engine_add(fixture->engine, &click, 1, NULL, NULL), CM_OK);
    }
    fixture->matcher = calloc(1, sizeof *fixture->matcher);
    assert_non_null(fixture->matcher);
    cm_matcher_init(fixture->matcher, &fixture->engine->index, &fixture->engine->scoring);
}

static void teardown(struct fixture *fixture)
{
    cm_matcher_release(fixture->matcher);
    free(fixture->matcher);
    cm_engine_destroy(fixture->engine);
}

/* ---- tracing ---- */

/* With so many bytes of the arena's first block taken, and no memory for another. */
static cm_status trace_in(const struct fixture *fixture, size_t taken, bool *has_failed)
{
    const cm_conversion conversion = some_conversion(true);
    cm_arena arena = {0};
    cm_trace trace;
    cm_error error = {0};
    assert_non_null(cm_arena_take(&arena, taken));
    failing_malloc_arm(0);
    cm_status status = cm_trace_run(fixture->matcher, &conversion, &arena, &trace, &error);
    *has_failed = failing_malloc_disarm();
    assert_int_equal(error.code, status);
    if (status == CM_OK) {
        assert_int_equal(trace.layers[1].candidate_count, CLICKS);
        for (size_t i = 0; i < CLICKS; i++)
            assert_true(cm_slice_equal(trace.layers[1].candidates[i].device.traits[CM_TRAIT_SCREEN],
                                       CM_SLICE("390x844")));
    }
    cm_arena_destroy(&arena);
    return status;
}

/* Each step of 16 bytes lets the block end at another place. */
static void test_an_arena_that_ends_anywhere(void **state)
{
    (void)state;
    if (!failing_malloc_works)
        skip();
    struct fixture fixture;
    size_t failures = 0, count = 0;
    setup(&fixture);
    const cm_conversion conversion = some_conversion(true);
    cm_arena arena = {0};
    cm_trace trace;
    assert_int_equal(cm_trace_run(fixture.matcher, &conversion, &arena, &trace, NULL), CM_OK);
    cm_arena_destroy(&arena);
    for (size_t taken = 16; taken <= BLOCK_BYTES; taken += 16, count++) {
        bool has_failed;
        cm_status status = trace_in(&fixture, taken, &has_failed);
        assert_int_equal(status, has_failed ? CM_ERROR_MEMORY : CM_OK);
        failures += has_failed;
    }
    assert_true(failures > 100 && failures < count);
    teardown(&fixture);
}

/* The keys of layer 1 come first, if there are any; then those of the device. */
static void test_tracing_without_keys(void **state)
{
    (void)state;
    if (!failing_malloc_works)
        skip();
    for (int has_param = 0; has_param < 2; has_param++) {
        struct fixture fixture;
        cm_arena arena = {0};
        cm_trace trace;
        cm_error error = {0};
        setup(&fixture);
        const cm_conversion conversion = some_conversion(has_param);
        failing_malloc_arm(0);
        cm_status status = cm_trace_run(fixture.matcher, &conversion, &arena, &trace, &error);
        assert_true(failing_malloc_disarm());
        assert_int_equal(status, CM_ERROR_MEMORY);
        assert_int_equal(error.code, CM_ERROR_MEMORY);
        assert_int_equal(cm_trace_run(fixture.matcher, &conversion, &arena, &trace, NULL), CM_OK);
        assert_int_equal(trace.layers[1].candidate_count, CLICKS);
        cm_arena_destroy(&arena);
        teardown(&fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_arena_that_ends_anywhere),
        cmocka_unit_test(test_tracing_without_keys),
    };
    return cmocka_run_group_tests_name("trace_memory", tests, NULL, NULL);
}

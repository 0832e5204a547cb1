/* What learning sees of conversions: what each layer was asked for, in which order they come, and
 * that memory which is short is told before any is shown, or between batches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "harness/failing_malloc.h"
#include "match/sample.h"
#include "util/slice.h"

#define T0 ((int64_t)1772366400 * 1000000) /* 2026-03-01T12:00:00Z */
#define MANY (2 * CM_MATCH_BATCH)

struct fixture {
    cm_engine *engine;
    cm_matcher *matcher; /* as it is before its first conversion: with no memory yet */
};

static cm_device some_device(void)
{
    return (cm_device){.has_fingerprint = true,
                       .fingerprint = {1, 2, 3},
                       .ip_address = {4, {203, 0, 113, 7}},
                       .device_type = CM_SLICE("mobile")};
}

static cm_conversion some_conversion(cm_slice gclid)
{
    return (cm_conversion){.tenant_id = CM_SLICE("t"),
                           .conversion_id = CM_SLICE("c"),
                           .conversion_timestamp = T0,
                           .gclid = gclid,
                           .device = some_device()};
}

static void setup(struct fixture *fixture)
{
    const cm_click click = {.tenant_id = CM_SLICE("t"),
                            .click_id = CM_SLICE("k"),
                            .click_timestamp = T0 - CM_HOUR_US,
                            .expires_at = CM_TIME_MISSING,
                            .is_valid = true,
                            .device = some_device()};
    assert_int_equal(cm_engine_create(NULL, NULL, &fixture->engine, NULL), CM_OK);
    assert_int_equal(cm_engine_add(fixture->engine, &click, 1, NULL, NULL), CM_OK);
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

struct visits {
    size_t count;
    bool are_attempted[MANY][CM_WEIGHED_LAYER_COUNT];
    bool are_labelled[MANY];
    size_t candidates[MANY][CM_WEIGHED_LAYER_COUNT];
};

static void visit(void *context, size_t number, const cm_conversion *conversion,
                  const cm_sample *sample)
{
    struct visits *visits = context;
    (void)conversion;
    assert_int_equal(number, visits->count);
    for (size_t layer = 0; layer < CM_WEIGHED_LAYER_COUNT; layer++) {
        visits->are_attempted[number][layer] = sample->layers[layer].is_attempted;
        visits->candidates[number][layer] = sample->layers[layer].count;
    }
    visits->are_labelled[number] = sample->label != CM_NUMBER_NONE;
    visits->count++;
}

/* ---- what is seen ---- */

static void test_a_layer_needs_its_key(void **state)
{
    (void)state;
    struct fixture fixture;
    static struct visits visits;
    cm_conversion conversions[MANY];
    visits = (struct visits){0};
    setup(&fixture);
    for (size_t i = 0; i < MANY; i++) {
        conversions[i] = some_conversion((cm_slice){0});
        conversions[i].device.has_fingerprint = (i & 1) != 0;
        conversions[i].device.ip_address.version = (i & 2) != 0 ? 4 : 0;
        conversions[i].click_id = (i & 4) != 0 ? CM_SLICE("k") : (cm_slice){0};
    }
    assert_int_equal(cm_matcher_sample(fixture.matcher, conversions, MANY, visit, &visits, NULL),
                     CM_OK);
    assert_int_equal(visits.count, MANY);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(visits.are_attempted[i][CM_WEIGH_FINGERPRINT], (i & 1) != 0);
        assert_int_equal(visits.are_attempted[i][CM_WEIGH_PROBABILISTIC], (i & 2) != 0);
        assert_int_equal(visits.candidates[i][CM_WEIGH_FINGERPRINT], (i & 1) != 0);
        assert_int_equal(visits.candidates[i][CM_WEIGH_PROBABILISTIC], (i & 2) != 0);
        assert_int_equal(visits.are_labelled[i], (i & 4) != 0);
    }
    teardown(&fixture);
}

/* ---- memory ---- */

/* Of the sample itself, or of the first keys: those of layer 1, if there are any, or the device's.
 */
static void test_no_memory_at_the_beginning(void **state)
{
    (void)state;
    if (!failing_malloc_works)
        skip();
    for (size_t round = 0; round < 4; round++) {
        struct fixture fixture;
        static struct visits visits;
        cm_error error = {0};
        visits = (struct visits){0};
        setup(&fixture);
        const cm_conversion conversion =
            some_conversion(round / 2 == 1 ? CM_SLICE("of-no-click") : (cm_slice){0});
        failing_malloc_arm(round % 2);
        cm_status status =
            cm_matcher_sample(fixture.matcher, &conversion, 1, visit, &visits, &error);
        assert_true(failing_malloc_disarm());
        assert_int_equal(status, CM_ERROR_MEMORY);
        assert_int_equal(error.code, CM_ERROR_MEMORY);
        assert_int_equal(visits.count, 0);
        assert_int_equal(cm_matcher_sample(fixture.matcher, &conversion, 1, visit, &visits, NULL),
                         CM_OK);
        assert_int_equal(visits.count, 1);
        assert_int_equal(visits.candidates[0][CM_WEIGH_FINGERPRINT], 1);
        teardown(&fixture);
    }
}

/* The second batch has texts that take more than is there: the first has been shown. */
static void test_no_memory_between_batches(void **state)
{
    (void)state;
    if (!failing_malloc_works)
        skip();
    struct fixture fixture;
    static struct visits visits;
    static char text[255];
    static cm_conversion conversions[MANY];
    cm_error error = {0};
    visits = (struct visits){0};
    setup(&fixture);
    memset(text, 'x', sizeof text);
    for (size_t i = 0; i < MANY; i++)
        conversions[i] = some_conversion(cm_slice_of(text, i < CM_MATCH_BATCH ? 0 : sizeof text));
    const cm_conversion first = conversions[0];
    assert_int_equal(cm_matcher_sample(fixture.matcher, &first, 1, visit, &visits, NULL), CM_OK);
    visits.count = 0;
    failing_malloc_arm(1);
    cm_status status =
        cm_matcher_sample(fixture.matcher, conversions, MANY, visit, &visits, &error);
    assert_true(failing_malloc_disarm());
    assert_int_equal(status, CM_ERROR_MEMORY);
    assert_int_equal(error.code, CM_ERROR_MEMORY);
    assert_int_equal(visits.count, CM_MATCH_BATCH);
    teardown(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_layer_needs_its_key),
        cmocka_unit_test(test_no_memory_at_the_beginning),
        cmocka_unit_test(test_no_memory_between_batches),
    };
    return cmocka_run_group_tests_name("sample", tests, NULL, NULL);
}

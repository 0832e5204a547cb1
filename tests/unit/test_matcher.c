/* A matcher of one's own: the results of cm_engine_match without its allocations, for as long as
 * the engine lives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include <openssl/err.h>

#include "harness/failing_malloc.h"
#include "harness/random.h"
#include "harness/results.h"
#include "match/matcher.h"
#include "oracle/world.h"
#include "util/slice.h"

struct fixture {
    world *world;
    cm_engine *engine;
    cm_matcher *matcher;
    cm_result *expected, *results; /* one per conversion */
};

static void setup(struct fixture *fixture, uint64_t seed, unsigned without)
{
    const world_options options = {.seed = seed,
                                   .click_count = 800,
                                   .conversion_count = 400,
                                   .without = without,
                                   .shape = (world_shape)(seed % WORLD_SHAPE_COUNT)};
    fixture->world = world_create(&options);
    assert_int_equal(cm_engine_create(NULL, NULL, &fixture->engine, NULL), CM_OK);
    assert_int_equal(cm_matcher_create(fixture->engine, &fixture->matcher, NULL), CM_OK);
    fixture->expected = calloc(options.conversion_count, sizeof *fixture->expected);
    fixture->results = calloc(options.conversion_count, sizeof *fixture->results);
    assert_non_null(fixture->expected);
    assert_non_null(fixture->results);
}

static void teardown(struct fixture *fixture)
{
    cm_matcher_destroy(fixture->matcher);
    cm_engine_destroy(fixture->engine);
    world_destroy(fixture->world);
    free(fixture->expected);
    free(fixture->results);
}

static void add(struct fixture *fixture, size_t begin, size_t end)
{
    assert_int_equal(
        cm_engine_add(fixture->engine, fixture->world->clicks + begin, end - begin, NULL, NULL),
        CM_OK);
}

/* The engine's own results, then the matcher's, in pieces of a size. */
static void check(struct fixture *fixture, size_t piece)
{
    const cm_conversion *conversions = fixture->world->conversions;
    size_t count = fixture->world->conversion_count;
    assert_int_equal(cm_engine_match(fixture->engine, conversions, count, fixture->expected, NULL),
                     CM_OK);
    memset(fixture->results, 0x55, count * sizeof *fixture->results);
    for (size_t at = 0; at < count; at += piece) {
        size_t size = piece < count - at ? piece : count - at;
        assert_int_equal(
            cm_matcher_match(fixture->matcher, conversions + at, size, fixture->results + at, NULL),
            CM_OK);
    }
    results_assert_same(fixture->expected, fixture->results, count);
}

static void test_gives_what_the_engine_gives(void **state)
{
    (void)state;
    static const size_t pieces[] = {1,  3,   CM_MATCH_BATCH - 1,     CM_MATCH_BATCH,
                                    65, 128, 2 * CM_MATCH_BATCH + 1, 400};
    for (uint64_t seed = 0; seed < 6; seed++) {
        struct fixture fixture;
        setup(&fixture, seed, 0);
        add(&fixture, 0, fixture.world->click_count);
        for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
            check(&fixture, pieces[i]);
        teardown(&fixture);
    }
}

/* It is made while the engine is empty; clicks come and go between its calls. */
static void test_serves_while_clicks_come_and_go(void **state)
{
    (void)state;
    struct fixture fixture;
    setup(&fixture, 8, 0);
    check(&fixture, 50);
    for (size_t at = 0; at < 800; at += 100) {
        add(&fixture, at, at + 100);
        check(&fixture, 50);
    }
    assert_true(cm_engine_expire(fixture.engine, INT64_MAX) > 0);
    check(&fixture, 50);
    add(&fixture, 200, 700);
    check(&fixture, 50);
    teardown(&fixture);
}

static void test_a_bad_conversion_is_refused_with_its_number(void **state)
{
    (void)state;
    struct fixture fixture;
    cm_conversion conversions[70];
    cm_error error = {0};
    setup(&fixture, 1, 0);
    memcpy(conversions, fixture.world->conversions, sizeof conversions);
    for (size_t bad = 0; bad < 70; bad += 23) {
        cm_slice kept = conversions[bad].conversion_id;
        conversions[bad].conversion_id = (cm_slice){0};
        assert_int_equal(
            cm_matcher_match(fixture.matcher, conversions, 70, fixture.results, &error),
            CM_ERROR_ARGUMENT);
        assert_int_equal(error.line, bad + 1);
        assert_non_null(strstr(error.message, "conversion_id"));
        assert_int_equal(cm_matcher_match(fixture.matcher, conversions, bad, fixture.results, NULL),
                         CM_OK);
        conversions[bad].conversion_id = kept;
    }
    assert_int_equal(cm_matcher_match(fixture.matcher, conversions, 70, fixture.results, NULL),
                     CM_OK);
    teardown(&fixture);
}

static void test_nothing_to_match_or_to_free(void **state)
{
    (void)state;
    struct fixture fixture;
    setup(&fixture, 2, 0);
    assert_int_equal(cm_matcher_match(fixture.matcher, NULL, 0, NULL, NULL), CM_OK);
    cm_matcher_destroy(NULL);
    teardown(&fixture);
}

/* ---- memory ---- */

/* Fingerprints that are given need no digest. */
static void test_matching_does_not_allocate(void **state)
{
    (void)state;
    if (!failing_malloc_works)
        skip();
    for (uint64_t seed = 0; seed < 6; seed++) {
        struct fixture fixture;
        setup(&fixture, seed, 1u << WORLD_COMPONENTS);
        add(&fixture, 0, fixture.world->click_count);
        size_t made = failing_malloc_made();
        assert_int_equal(cm_matcher_match(fixture.matcher, fixture.world->conversions,
                                          fixture.world->conversion_count, fixture.results, NULL),
                         CM_OK);
        for (size_t i = 0; i < fixture.world->conversion_count; i++)
            assert_int_equal(cm_matcher_match(fixture.matcher, &fixture.world->conversions[i], 1,
                                              fixture.results, NULL),
                             CM_OK);
        assert_int_equal(failing_malloc_made(), made);
        teardown(&fixture);
    }
}

/* Texts of 10 kB in one batch, of the sizes that take most room. */
static void test_texts_of_10_kB_take_no_memory(void **state)
{
    (void)state;
    if (!failing_malloc_works)
        skip();
    struct fixture fixture;
    static char text[80], user_agent[4 * CM_MATCH_BATCH];
    cm_conversion conversions[CM_MATCH_BATCH];
    setup(&fixture, 2, 1u << WORLD_COMPONENTS);
    memcpy(conversions, fixture.world->conversions, sizeof conversions);
    memset(text, '=', sizeof text);
    memset(user_agent, 'a', sizeof user_agent);
    for (size_t i = 0; i < CM_MATCH_BATCH; i++) {
        conversions[i].fbclid = cm_slice_of(text, 73);
        conversions[i].gclid = conversions[i].fbclid;
        conversions[i].device.device_type = cm_slice_of("something", 9);
        conversions[i].device.user_agent = cm_slice_of(user_agent, 4 * i);
    }
    size_t made = failing_malloc_made();
    assert_int_equal(
        cm_matcher_match(fixture.matcher, conversions, CM_MATCH_BATCH, fixture.results, NULL),
        CM_OK);
    assert_int_equal(failing_malloc_made(), made);
    teardown(&fixture);
}

/* Texts for which the arena must grow: of keys of layer 1, or of devices. That may fail, and is
 * told. */
static void check_long_texts(bool are_of_devices)
{
    struct fixture fixture;
    static char text[255];
    cm_conversion conversions[CM_MATCH_BATCH];
    cm_error error = {0};
    setup(&fixture, 2, 1u << WORLD_COMPONENTS);
    add(&fixture, 0, fixture.world->click_count);
    memcpy(conversions, fixture.world->conversions, sizeof conversions);
    memset(text, 'x', sizeof text);
    for (size_t i = 0; i < CM_MATCH_BATCH; i++) {
        cm_slice of_keys = cm_slice_of(text, are_of_devices ? 1 : sizeof text);
        conversions[i].click_id = (cm_slice){0};
        conversions[i].fbclid = of_keys;
        conversions[i].gclid = of_keys;
        conversions[i].device.device_type = cm_slice_of(text, are_of_devices ? sizeof text : 0);
    }
    failing_malloc_arm(0);
    cm_status status =
        cm_matcher_match(fixture.matcher, conversions, CM_MATCH_BATCH, fixture.results, &error);
    assert_true(failing_malloc_disarm());
    assert_int_equal(status, CM_ERROR_MEMORY);
    assert_int_equal(error.code, status);
    check(&fixture, 400);
    teardown(&fixture);
}

static void test_long_texts_take_memory(void **state)
{
    (void)state;
    if (!failing_malloc_works)
        skip();
    check_long_texts(false);
    check_long_texts(true);
}

static void test_a_matcher_is_made_or_not(void **state)
{
    (void)state;
    if (!failing_malloc_works)
        skip();
    struct fixture fixture;
    setup(&fixture, 2, 0);
    size_t round = 0;
    for (bool has_failed = true; has_failed; round++) {
        ptrdiff_t before = failing_malloc_live();
        cm_matcher *matcher;
        cm_error error = {0};
        failing_malloc_arm(round);
        cm_status status = cm_matcher_create(fixture.engine, &matcher, &error);
        has_failed = failing_malloc_disarm();
        ERR_clear_error();
        assert_int_equal(error.code, status);
        assert_int_equal(matcher != NULL, status == CM_OK);
        assert_true(status == CM_OK || (has_failed && status == CM_ERROR_MEMORY));
        cm_matcher_destroy(matcher);
        assert_int_equal(failing_malloc_live(), before);
    }
    assert_true(round > 3);
    teardown(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gives_what_the_engine_gives),
        cmocka_unit_test(test_serves_while_clicks_come_and_go),
        cmocka_unit_test(test_a_bad_conversion_is_refused_with_its_number),
        cmocka_unit_test(test_nothing_to_match_or_to_free),
        cmocka_unit_test(test_matching_does_not_allocate),
        cmocka_unit_test(test_texts_of_10_kB_take_no_memory),
        cmocka_unit_test(test_long_texts_take_memory),
        cmocka_unit_test(test_a_matcher_is_made_or_not),
    };
    return cmocka_run_group_tests_name("matcher", tests, NULL, NULL);
}

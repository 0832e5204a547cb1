/*
 * Every allocation of an engine failed in turn while clicks are added: what was added before stays
 * whole, the rest can be added again, and the results are those of an undisturbed engine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include <openssl/err.h>

#include "engine/engine.h"
#include "harness/bits.h"
#include "harness/failing_malloc.h"
#include "oracle/world.h"
#include "util/slice.h"

static world *some_world(void)
{
    const world_options options = {
        .seed = 11, .click_count = 700, .conversion_count = 60, .shape = WORLD_DENSE};
    return world_create(&options);
}

static bool same(const cm_result *a, const cm_result *b)
{
    return memcmp(a->layers, b->layers, sizeof a->layers) == 0 &&
           same_bits(a->probability, b->probability) &&
           cm_slice_equal(a->click.click_id, b->click.click_id) &&
           a->candidate_count == b->candidate_count;
}

/* Adds all clicks; where one fails, once more from there. False where no allocation was left to
 * fail. */
static bool add_through_failures(cm_engine *engine, const world *from, size_t allocations)
{
    size_t done = 0;
    failing_malloc_arm(allocations);
    while (done < from->click_count) {
        cm_error error = {0};
        size_t count = cm_engine_click_count(engine);
        cm_add_counts counts;
        cm_status status =
            cm_engine_add(engine, from->clicks + done, from->click_count - done, &counts, &error);
        if (status == CM_OK)
            break;
        assert_int_equal(status, CM_ERROR_MEMORY);
        assert_int_equal(counts.added + counts.duplicates, error.line - 1);
        assert_int_equal(cm_engine_click_count(engine), count + counts.added);
        done += error.line - 1;
    }
    return failing_malloc_disarm();
}

static void check_results(const cm_engine *engine, const world *from, const cm_result *expected)
{
    for (size_t i = 0; i < from->conversion_count; i++) {
        cm_result result;
        assert_int_equal(cm_engine_match(engine, &from->conversions[i], 1, &result, NULL), CM_OK);
        assert_true(same(&result, &expected[i]));
    }
}

static cm_result *match_all(const cm_engine *engine, const world *from)
{
    cm_result *results = calloc(from->conversion_count, sizeof *results);
    assert_non_null(results);
    assert_int_equal(
        cm_engine_match(engine, from->conversions, from->conversion_count, results, NULL), CM_OK);
    return results;
}

static void test_adding(void **state)
{
    (void)state;
    if (!failing_malloc_works)
        skip();
    world *from = some_world();
    cm_engine *undisturbed;
    assert_int_equal(cm_engine_create(NULL, NULL, &undisturbed, NULL), CM_OK);
    assert_int_equal(cm_engine_add(undisturbed, from->clicks, from->click_count, NULL, NULL),
                     CM_OK);
    cm_result *expected = match_all(undisturbed, from);
    size_t rounds = 0;
    for (bool has_failed = true; has_failed; rounds++) {
        ptrdiff_t before = failing_malloc_live();
        cm_engine *engine;
        assert_int_equal(cm_engine_create(NULL, NULL, &engine, NULL), CM_OK);
        has_failed = add_through_failures(engine, from, rounds);
        assert_int_equal(cm_engine_click_count(engine), cm_engine_click_count(undisturbed));
        check_results(engine, from, expected);
        cm_engine_expire(engine, INT64_MAX);
        assert_int_equal(cm_engine_click_count(engine), 0);
        cm_engine_destroy(engine);
        ERR_clear_error();
        assert_int_equal(failing_malloc_live(), before);
    }
    print_message("%zu allocations failed in turn\n", rounds - 1);
    assert_true(rounds > 20);
    free(expected);
    cm_engine_destroy(undisturbed);
    world_destroy(from);
}

static void test_creating(void **state)
{
    (void)state;
    if (!failing_malloc_works)
        skip();
    bool has_failed = true;
    for (size_t round = 0; has_failed; round++) {
        ptrdiff_t before = failing_malloc_live();
        cm_engine *engine;
        cm_error error = {0};
        failing_malloc_arm(round);
        cm_status status = cm_engine_create(NULL, NULL, &engine, &error);
        has_failed = failing_malloc_disarm();
        assert_int_equal(status, has_failed ? CM_ERROR_MEMORY : CM_OK);
        assert_int_equal(error.code, status);
        cm_engine_destroy(engine);
        assert_int_equal(failing_malloc_live(), before);
    }
}

static void test_matching(void **state)
{
    (void)state;
    if (!failing_malloc_works)
        skip();
    world *from = some_world();
    cm_engine *engine;
    assert_int_equal(cm_engine_create(NULL, NULL, &engine, NULL), CM_OK);
    assert_int_equal(cm_engine_add(engine, from->clicks, from->click_count, NULL, NULL), CM_OK);
    cm_result *results = match_all(engine, from);
    bool has_failed = true;
    for (size_t round = 0; has_failed; round++) {
        ptrdiff_t before = failing_malloc_live();
        failing_malloc_arm(round);
        cm_status status =
            cm_engine_match(engine, from->conversions, from->conversion_count, results, NULL);
        has_failed = failing_malloc_disarm();
        if (status == CM_OK) /* OpenSSL can do without some of its own */
            check_results(engine, from, results);
        else
            assert_true(has_failed && status == CM_ERROR_MEMORY);
        ERR_clear_error();
        assert_int_equal(failing_malloc_live(), before);
    }
    free(results);
    cm_engine_destroy(engine);
    world_destroy(from);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_creating),
        cmocka_unit_test(test_adding),
        cmocka_unit_test(test_matching),
    };
    return cmocka_run_group_tests_name("exhaustion", tests, NULL, NULL);
}

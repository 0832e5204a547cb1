/* The worlds of records of `bench`: ids that do what they are named for, and devices whose clicks
 * do not grow with the world. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after those it needs */
#include <cmocka.h>
#include <stdlib.h>

#include "cmd/bench_engine.h"
#include "cmd/bench_made.h"
#include "util/hash.h"
#include "util/slice.h"
#include "util/text.h"

#define IDS 40000u
#define CONVERSIONS 2000u

static cm_bench_ids ids; /* too large for a stack */

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, CM_BENCH_ID_BYTES);
}

static void test_ids_differ_and_are_text(void **state)
{
    (void)state;
    char *all = malloc((size_t)IDS * CM_BENCH_ID_BYTES);
    assert_non_null(all);
    cm_bench_ids_init(&ids, 1);
    for (int family = 0; family < CM_BENCH_ID_FAMILY_COUNT; family++) {
        for (uint64_t i = 0; i < IDS; i++) {
            char *id = all + i * CM_BENCH_ID_BYTES;
            uint64_t number = i < IDS / 2 ? i : CM_BENCH_IDS_MAX - 1 - i;
            cm_bench_id_put(&ids, (cm_bench_id_family)family, number, id);
            assert_true(cm_text_is_plain(cm_slice_of(id, CM_BENCH_ID_BYTES)));
        }
        qsort(all, IDS, CM_BENCH_ID_BYTES, compare_ids);
        for (size_t i = 1; i < IDS; i++)
            assert_int_not_equal(
                compare_ids(all + (i - 1) * CM_BENCH_ID_BYTES, all + i * CM_BENCH_ID_BYTES), 0);
    }
    free(all);
}

static void test_colliding_ids_have_one_hash(void **state)
{
    (void)state;
    char id[CM_BENCH_ID_BYTES];
    for (uint64_t seed = 1; seed < 4; seed++) {
        cm_bench_ids_init(&ids, seed);
        cm_bench_id_put(&ids, CM_BENCH_IDS_COLLIDING, 0, id);
        uint64_t wanted = XXH64(id, sizeof id, 0);
        size_t equal_under_a_key = 0;
        uint64_t keyed = cm_hash_bytes(id, sizeof id, 7);
        for (uint64_t number = 1; number < CM_BENCH_IDS_MAX; number += 997) {
            cm_bench_id_put(&ids, CM_BENCH_IDS_COLLIDING, number, id);
            assert_true(XXH64(id, sizeof id, 0) == wanted);
            equal_under_a_key += cm_hash_bytes(id, sizeof id, 7) == keyed;
        }
        assert_int_equal(equal_under_a_key, 0);
    }
}

static void test_shuffle_is_an_order(void **state)
{
    (void)state;
    uint32_t *order = cm_bench_made_shuffle(3, 1000);
    bool seen[1000] = {false};
    size_t in_place = 0;
    assert_non_null(order);
    for (uint32_t i = 0; i < 1000; i++) {
        assert_in_range(order[i], 0, 999);
        assert_false(seen[order[i]]);
        seen[order[i]] = true;
        in_place += order[i] == i;
    }
    assert_in_range(in_place, 0, 10);
    free(order);
}

/* What became of the conversions of a world. */
struct outcome {
    double candidates;
    size_t methods[CM_METHOD_COUNT];
};

static struct outcome run(const cm_bench_made *made)
{
    struct outcome outcome = {0};
    cm_arena arena = {0};
    cm_engine *engine;
    cm_matcher *matcher;
    cm_result result;
    double core_seconds;
    cm_conversion *conversions = calloc(CONVERSIONS, sizeof *conversions);
    assert_non_null(conversions);
    assert_int_equal(cm_bench_engine_create(made->seed, &engine, NULL), CM_OK);
    assert_int_equal(cm_bench_made_load(made, engine, &core_seconds, NULL), CM_OK);
    assert_int_equal(cm_engine_click_count(engine), made->click_count);
    assert_int_equal(cm_bench_made_conversions(made, CONVERSIONS, &arena, conversions, NULL),
                     CM_OK);
    assert_int_equal(
        cm_bench_candidates_mean(engine, conversions, CONVERSIONS, &outcome.candidates, NULL),
        CM_OK);
    assert_int_equal(cm_matcher_create(engine, &matcher, NULL), CM_OK);
    for (size_t i = 0; i < CONVERSIONS; i++) {
        assert_int_equal(cm_bench_matcher_run(matcher, &conversions[i], 1, &result, NULL), CM_OK);
        outcome.methods[result.method]++;
    }
    cm_matcher_destroy(matcher);
    cm_engine_destroy(engine);
    cm_arena_destroy(&arena);
    free(conversions);
    return outcome;
}

static void test_candidates_do_not_grow_with_the_world(void **state)
{
    (void)state;
    cm_bench_made made = {.seed = 1, .tenants = 5, .click_count = 4000};
    struct outcome small = run(&made);
    made.click_count = 64000;
    struct outcome large = run(&made);
    assert_true(small.candidates > 0.8 && large.candidates > 0.8);
    assert_true(large.candidates < 1.2 * small.candidates);
    assert_true(large.candidates > 0.8 * small.candidates);
    /* Half by click id, three tenths by fingerprint, a tenth by address, a tenth of strangers. */
    assert_int_equal(large.methods[CM_METHOD_URL_PARAM], CONVERSIONS / 2);
    assert_in_range(large.methods[CM_METHOD_FINGERPRINT], CONVERSIONS / 5, CONVERSIONS * 2 / 5);
    assert_true(large.methods[CM_METHOD_UNATTRIBUTED] >= CONVERSIONS / 10);
}

static void test_a_hot_key_has_all_candidates_there_may_be(void **state)
{
    (void)state;
    for (int hot = CM_BENCH_HOT_ADDRESS; hot < CM_BENCH_HOT_COUNT; hot++) {
        const cm_bench_made made = {.seed = 1, .click_count = 20000, .hot = (cm_bench_hot)hot};
        struct outcome outcome = run(&made);
        assert_true(outcome.candidates > 60); /* 64, but for the first hours */
        assert_int_equal(outcome.methods[CM_METHOD_URL_PARAM], 0);
    }
}

static void test_the_order_of_arrival_changes_nothing(void **state)
{
    (void)state;
    cm_bench_made made = {.seed = 2, .click_count = 8000};
    struct outcome in_order = run(&made);
    uint32_t *order = cm_bench_made_shuffle(5, 8000);
    made.order = order;
    struct outcome shuffled = run(&made);
    assert_memory_equal(&in_order, &shuffled, sizeof in_order);
    free(order);
}

static void test_given_ids_find_their_clicks(void **state)
{
    (void)state;
    cm_bench_ids_init(&ids, 1);
    for (int family = 0; family < CM_BENCH_ID_FAMILY_COUNT; family++) {
        const cm_bench_made made = {
            .seed = 1, .click_count = 5000, .ids = &ids, .family = (cm_bench_id_family)family};
        struct outcome outcome = run(&made);
        assert_int_equal(outcome.methods[CM_METHOD_URL_PARAM], CONVERSIONS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids_differ_and_are_text),
        cmocka_unit_test(test_colliding_ids_have_one_hash),
        cmocka_unit_test(test_shuffle_is_an_order),
        cmocka_unit_test(test_candidates_do_not_grow_with_the_world),
        cmocka_unit_test(test_a_hot_key_has_all_candidates_there_may_be),
        cmocka_unit_test(test_the_order_of_arrival_changes_nothing),
        cmocka_unit_test(test_given_ids_find_their_clicks),
    };
    return cmocka_run_group_tests_name("bench_made", tests, NULL, NULL);
}

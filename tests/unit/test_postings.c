/* Postings against an array that tells the truth: one click in the table itself, two a group, keys
 * whose hashes collide. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "harness/failing_malloc.h"
#include "harness/random.h"
#include "harness/stored_clicks.h"
#include "index/list_bulk.h"
#include "index/postings.h"

#define KEYS 30u
#define CLICKS 2000u

/* A click's key is its row's user agent. */
struct fixture {
    stored_clicks clicks;
    cm_postings postings;
    bool there[CLICKS];
};

/* Three keys have one hash. */
static uint64_t hash_of(uint32_t key)
{
    return (uint64_t)(key / 3 * 0x9e3779b9u) << CM_TABLE_TAG_SHIFT;
}

static uint32_t key_of(const struct fixture *fixture, uint32_t click)
{
    return cm_click_store_row(&fixture->clicks.store, click)->look;
}

/* Few clicks have the last keys, many the first. */
static void setup(struct fixture *fixture)
{
    *fixture = (struct fixture){0};
    stored_clicks_init(&fixture->clicks, 3);
    uint64_t random = 5;
    for (uint32_t i = 0; i < CLICKS; i++) {
        uint32_t key = random_below(&random, 1 + random_below(&random, KEYS));
        stored_clicks_add(&fixture->clicks, random_below(&random, 300),
                          (cm_click_row){.look = key});
    }
    cm_postings_init(&fixture->postings, &fixture->clicks.store, sizeof(cm_list));
}

static void teardown(struct fixture *fixture)
{
    cm_postings_destroy(&fixture->postings);
    stored_clicks_destroy(&fixture->clicks);
}

static uint32_t find(const struct fixture *fixture, uint32_t key)
{
    cm_probe probe = cm_table_probe(&fixture->postings.table, hash_of(key));
    for (;;) {
        uint32_t reference = cm_table_next(&fixture->postings.table, &probe);
        if (reference == CM_NUMBER_NONE ||
            key_of(fixture, cm_postings_newest(&fixture->postings, reference)) == key)
            return reference;
    }
}

static void add(struct fixture *fixture, uint32_t click)
{
    uint32_t key = key_of(fixture, click), reference = find(fixture, key);
    assert_int_equal(cm_postings_reserve(&fixture->postings, reference, NULL), CM_OK);
    uint32_t now = cm_postings_add(&fixture->postings, hash_of(key), reference, click, false, NULL);
    assert_int_equal(now, find(fixture, key));
    fixture->there[click] = true;
}

static void remove_click(struct fixture *fixture, uint32_t click)
{
    uint32_t key = key_of(fixture, click);
    uint32_t left = cm_postings_remove(&fixture->postings, hash_of(key), find(fixture, key), click);
    assert_int_equal(left, find(fixture, key));
    fixture->there[click] = false;
}

static uint32_t clicks_with(const struct fixture *fixture, uint32_t key, uint32_t *clicks)
{
    uint32_t count = 0;
    for (uint32_t click = 0; click < CLICKS; click++)
        if (fixture->there[click] && key_of(fixture, click) == key)
            clicks[count++] = click;
    stored_clicks_order(&fixture->clicks, clicks, count);
    return count;
}

/* Each key has its clicks, as an inline click or a group, and the table nothing but keys. */
static void assert_holds(const struct fixture *fixture)
{
    const cm_postings *postings = &fixture->postings;
    size_t keys = 0, groups = 0;
    for (uint32_t key = 0; key < KEYS; key++) {
        uint32_t clicks[CLICKS], count = clicks_with(fixture, key, clicks);
        uint32_t reference = find(fixture, key);
        cm_list list = cm_postings_list(postings, reference);
        assert_int_equal(list.count, count);
        cm_cursor cursor = cm_list_walk(&postings->lists, &list, count);
        for (uint32_t i = count; i-- > 0;)
            assert_int_equal(cm_cursor_next(&postings->lists, &cursor), clicks[i]);
        assert_int_equal(reference == CM_NUMBER_NONE, count == 0);
        if (count == 1)
            assert_int_equal(reference, clicks[0]);
        if (count > 0)
            assert_int_equal(cm_postings_is_group(reference), count > 1);
        keys += count > 0;
        groups += count > 1;
    }
    assert_int_equal(postings->table.count, keys);
    assert_int_equal(postings->groups.used, groups);
}

static void test_one_click_is_inline_and_two_are_a_group(void **state)
{
    (void)state;
    struct fixture fixture;
    uint32_t first = 0, second = 1;
    setup(&fixture);
    while (key_of(&fixture, second) != key_of(&fixture, first))
        second++;
    assert_holds(&fixture);
    add(&fixture, first);
    assert_holds(&fixture);
    add(&fixture, second);
    assert_holds(&fixture);
    remove_click(&fixture, first);
    assert_holds(&fixture);
    add(&fixture, first);
    remove_click(&fixture, second);
    assert_holds(&fixture);
    remove_click(&fixture, first);
    assert_holds(&fixture);
    teardown(&fixture);
}

/* Filled and emptied again and again; what was given back is used again. */
static void test_random_adds_and_removes(void **state)
{
    (void)state;
    struct fixture fixture;
    uint64_t random = 9;
    setup(&fixture);
    for (unsigned step = 0; step < 12000; step++) {
        uint32_t click = random_below(&random, CLICKS);
        bool growing = step / 2000 % 2 == 0;
        if (!fixture.there[click] && (growing || random_below(&random, 5) == 0))
            add(&fixture, click);
        else if (fixture.there[click] && (!growing || random_below(&random, 5) == 0))
            remove_click(&fixture, click);
        if (step % 173 == 0)
            assert_holds(&fixture);
    }
    assert_true(fixture.postings.groups.count <= KEYS + 1);
    for (uint32_t click = 0; click < CLICKS; click++)
        if (fixture.there[click])
            remove_click(&fixture, click);
    assert_holds(&fixture);
    assert_int_equal(fixture.postings.table.count, 0);
    assert_int_equal(fixture.postings.groups.used, 0);
    teardown(&fixture);
}

/* In bulk: what is told to be out of order is sorted, the rest is in order. */
static void test_bulk_comes_to_the_same(void **state)
{
    (void)state;
    struct fixture fixture;
    cm_list_sorter sorter = {0};
    bool unordered[KEYS] = {false};
    setup(&fixture);
    for (uint32_t click = 0; click < CLICKS; click++) {
        uint32_t key = key_of(&fixture, click), reference = find(&fixture, key);
        bool in_order = false;
        assert_int_equal(cm_postings_reserve(&fixture.postings, reference, NULL), CM_OK);
        cm_postings_add(&fixture.postings, hash_of(key), reference, click, true, &in_order);
        unordered[key] |= !in_order;
        fixture.there[click] = true;
    }
    assert_true(unordered[0]);
    assert_false(unordered[KEYS - 1]);
    for (uint32_t key = 0; key < KEYS; key++)
        if (unordered[key])
            assert_int_equal(cm_list_sort(&fixture.postings.lists,
                                          cm_postings_group(&fixture.postings, find(&fixture, key)),
                                          &sorter, NULL),
                             CM_OK);
    assert_holds(&fixture);
    for (uint32_t click = 0; click < CLICKS; click++)
        remove_click(&fixture, click);
    assert_holds(&fixture);
    cm_list_sorter_destroy(&sorter);
    teardown(&fixture);
}

/* Each allocation failed in turn: an error, and nothing has changed. */
static void test_reserving_without_memory_changes_nothing(void **state)
{
    (void)state;
    if (!failing_malloc_works)
        skip();
    struct fixture fixture;
    setup(&fixture);
    unsigned failures = 0;
    for (uint32_t click = 0; click < CLICKS; click++) {
        uint32_t reference = find(&fixture, key_of(&fixture, click));
        for (bool has_failed = true; has_failed;) {
            cm_error error = {0};
            failing_malloc_arm(0);
            cm_status status = cm_postings_reserve(&fixture.postings, reference, &error);
            has_failed = failing_malloc_disarm();
            failures += has_failed;
            assert_int_equal(status, has_failed ? CM_ERROR_MEMORY : CM_OK);
            assert_int_equal(error.code, status);
            if (!has_failed)
                break;
            assert_holds(&fixture);
            assert_int_equal(cm_postings_reserve(&fixture.postings, reference, NULL), CM_OK);
        }
        add(&fixture, click);
    }
    assert_true(failures > 10);
    assert_holds(&fixture);
    teardown(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_click_is_inline_and_two_are_a_group),
        cmocka_unit_test(test_random_adds_and_removes),
        cmocka_unit_test(test_bulk_comes_to_the_same),
        cmocka_unit_test(test_reserving_without_memory_changes_nothing),
    };
    return cmocka_run_group_tests_name("postings", tests, NULL, NULL);
}

/* Many lists of one pool that grow and shrink together: what they give back serves others, of any
 * size, and what is left over goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "harness/stored_clicks.h"
#include "index/list_tidy.h"

#include "harness/random.h"

#define LISTS 200u
#define LENGTH_MAX 600u
#define CLICKS LENGTH_MAX

/* Each list holds the clicks begin to end - 1 of a sequence in time order. */
struct fixture {
    stored_clicks clicks;
    cm_lists lists;
    cm_groups groups;
    uint32_t numbers[LISTS];
    uint32_t begin[LISTS], end[LISTS];
    uint64_t random;
    size_t most; /* numbers in blocks of lists, at a time */
};

static void setup(struct fixture *fixture)
{
    memset(fixture, 0, sizeof *fixture);
    stored_clicks_init(&fixture->clicks, 1);
    cm_lists_init(&fixture->lists, &fixture->clicks.store);
    cm_groups_init(&fixture->groups, sizeof(cm_list));
    for (uint32_t i = 0; i < CLICKS; i++)
        assert_int_equal(stored_clicks_add(&fixture->clicks, i, (cm_click_row){0}), i);
    assert_true(cm_groups_reserve(&fixture->groups, LISTS));
    for (uint32_t i = 0; i < LISTS; i++)
        fixture->numbers[i] = cm_groups_take(&fixture->groups);
}

static void teardown(struct fixture *fixture)
{
    cm_lists_destroy(&fixture->lists);
    cm_groups_destroy(&fixture->groups);
    stored_clicks_destroy(&fixture->clicks);
}

static cm_list *list_at(const struct fixture *fixture, uint32_t i)
{
    return (cm_list *)(void *)(fixture->groups.items + fixture->numbers[i] * sizeof(cm_list));
}

static void set_length(struct fixture *fixture, uint32_t i, uint32_t length)
{
    cm_lists *lists = &fixture->lists;
    cm_list *list = list_at(fixture, i);
    while (list->count > length)
        cm_list_remove(lists, list,
                       random_below(&fixture->random, 8) ? fixture->begin[i]++ : --fixture->end[i]);
    while (list->count < length) {
        bool at_end = fixture->end[i] < CLICKS;
        assert_int_equal(cm_list_reserve(lists, list, NULL), CM_OK);
        cm_list_insert(lists, list, at_end ? fixture->end[i]++ : --fixture->begin[i]);
        if (lists->pool_used - lists->pool_free > fixture->most)
            fixture->most = lists->pool_used - lists->pool_free;
    }
}

static void assert_holds(const struct fixture *fixture)
{
    for (uint32_t i = 0; i < LISTS; i++) {
        const cm_list *list = list_at(fixture, i);
        assert_int_equal(list->count, fixture->end[i] - fixture->begin[i]);
        cm_cursor cursor = cm_list_walk(&fixture->lists, list, list->count);
        for (uint32_t click = fixture->end[i]; click > fixture->begin[i]; click--)
            assert_int_equal(cm_cursor_next(&fixture->lists, &cursor), click - 1);
        int64_t middle = (fixture->end[i] + fixture->begin[i]) / 2;
        uint32_t rank = list->count == 0 ? 0 : (uint32_t)middle - fixture->begin[i] + 1;
        assert_int_equal(cm_list_rank(&fixture->lists, list, middle),
                         rank < list->count ? rank : list->count);
    }
}

/* All to about a length; some, in the meantime, to another. */
static void set_lengths(struct fixture *fixture, uint32_t mean)
{
    for (uint32_t i = 0; i < LISTS; i++) {
        uint32_t other = random_below(&fixture->random, LISTS);
        set_length(fixture, i, mean + random_below(&fixture->random, mean / 4 + 2));
        if (random_below(&fixture->random, 4) == 0)
            set_length(fixture, other, mean / 2);
    }
}

/* The pool would grow and grow if what smaller or larger lists have left were lost. */
static void test_sizes_change_but_the_sum_does_not(void **state)
{
    (void)state;
    static const uint32_t means[] = {400, 3, 100, 20, 200, 1, 50, 7, 470, 0};
    struct fixture fixture;
    setup(&fixture);
    set_lengths(&fixture, 470);
    for (uint32_t round = 0; round < 60; round++) {
        set_lengths(&fixture, means[round % 10]);
        assert_holds(&fixture);
        assert_true(fixture.lists.pool_used <= fixture.most + fixture.most / 4 + 1024);
        assert_true(fixture.lists.pool_free <= fixture.lists.pool_used);
    }
    for (uint32_t i = 0; i < LISTS; i++)
        set_length(&fixture, i, 0);
    assert_int_equal(fixture.lists.pool_free, fixture.lists.pool_used);
    teardown(&fixture);
}

static void test_what_is_left_over_goes(void **state)
{
    (void)state;
    static const uint32_t means[] = {300, 200, 30, 450, 2, 90};
    struct fixture fixture;
    unsigned moved = 0;
    setup(&fixture);
    for (uint32_t round = 0; round < 40; round++) {
        set_lengths(&fixture, means[round % 6]);
        bool has_moved = cm_lists_tidy(&fixture.lists, &fixture.groups);
        moved += has_moved;
        assert_holds(&fixture);
        size_t numbers = 0;
        for (uint32_t i = 0; i < LISTS; i++)
            numbers += list_at(&fixture, i)->count;
        if (has_moved) {
            assert_int_equal(fixture.lists.pool_free, 0);
            assert_true(fixture.lists.pool_used <= 2 * numbers + LISTS * 128);
        }
        assert_true(fixture.lists.pool_free <= fixture.lists.pool_used / 4 + 1024);
    }
    assert_true(moved > 5);
    teardown(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes_change_but_the_sum_does_not),
        cmocka_unit_test(test_what_is_left_over_goes),
    };
    return cmocka_run_group_tests_name("list_pool", tests, NULL, NULL);
}

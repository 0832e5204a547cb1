/* Time-ordered lists against a sorted array: late arrivals, equal times, removal from either end,
 * short and long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "index/list_bulk.h"

#define CLICKS 3000u

struct fixture {
    cm_click_store store;
    cm_lists lists;
    cm_list list;
    uint32_t model[CLICKS]; /* what the list should hold, oldest first */
    size_t count;
    uint64_t random;
};

static uint32_t next_random(struct fixture *fixture, uint32_t below)
{
    fixture->random = fixture->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(fixture->random >> 33) % below;
}

/* Click number i: times on a grid, so that many are equal and ids decide. */
static void setup(struct fixture *fixture, uint64_t seed, bool in_order)
{
    cm_click_writer writer = {0};
    *fixture = (struct fixture){.random = seed};
    cm_click_store_init(&fixture->store, 1000);
    cm_lists_init(&fixture->lists, &fixture->store);
    for (uint32_t i = 0; i < CLICKS; i++) {
        char id[16];
        int size = snprintf(id, sizeof id, "k%u", next_random(fixture, 1000000));
        const cm_click_texts texts = {.click_id = cm_slice_of(id, (size_t)size)};
        const cm_click_row row = {
            .time = cm_click_row_stamp(in_order ? i : next_random(fixture, 500), 0)};
        if (i == 0)
            assert_int_equal(cm_click_store_open(&fixture->store, &writer, NULL), CM_OK);
        assert_int_equal(cm_click_writer_reserve(&writer, &texts, NULL), CM_OK);
        assert_int_equal(cm_click_writer_append(&writer, 1000, &row, &texts, 0, 0), i);
    }
}

static void teardown(struct fixture *fixture)
{
    cm_lists_destroy(&fixture->lists);
    cm_click_store_destroy(&fixture->store);
}

static size_t place_of(const struct fixture *fixture, uint32_t click)
{
    size_t place = 0;
    while (place < fixture->count &&
           cm_click_store_is_older(&fixture->store, fixture->model[place], click))
        place++;
    return place;
}

static void insert(struct fixture *fixture, uint32_t click)
{
    assert_int_equal(cm_list_reserve(&fixture->lists, &fixture->list, NULL), CM_OK);
    cm_list_insert(&fixture->lists, &fixture->list, click);
    size_t place = place_of(fixture, click);
    memmove(fixture->model + place + 1, fixture->model + place,
            (fixture->count - place) * sizeof *fixture->model);
    fixture->model[place] = click;
    fixture->count++;
}

static void remove_place(struct fixture *fixture, size_t place)
{
    cm_list_remove(&fixture->lists, &fixture->list, fixture->model[place]);
    memmove(fixture->model + place, fixture->model + place + 1,
            (fixture->count - place - 1) * sizeof *fixture->model);
    fixture->count--;
}

static int64_t time_of(const struct fixture *fixture, size_t place)
{
    return cm_click_store_time(&fixture->store, fixture->model[place]);
}

static size_t rank_of(const struct fixture *fixture, int64_t time)
{
    size_t rank = 0;
    while (rank < fixture->count && time_of(fixture, rank) <= time)
        rank++;
    return rank;
}

static void assert_walk(const struct fixture *fixture, size_t rank)
{
    cm_cursor cursor = cm_list_walk(&fixture->lists, &fixture->list, (uint32_t)rank);
    for (size_t i = rank; i > 0; i--)
        assert_int_equal(cm_cursor_next(&fixture->lists, &cursor), fixture->model[i - 1]);
    assert_int_equal(cm_cursor_next(&fixture->lists, &cursor), CM_NUMBER_NONE);
}

/* Ranks of every so many times up to the last. */
static void assert_equal_every(const struct fixture *fixture, int64_t last, int64_t every)
{
    assert_int_equal(fixture->list.count, fixture->count);
    assert_walk(fixture, fixture->count);
    for (int64_t time = -1; time <= last; time += every) {
        size_t rank = rank_of(fixture, time);
        assert_int_equal(cm_list_rank(&fixture->lists, &fixture->list, time), rank);
        assert_true(cm_list_rank_at_least(&fixture->lists, &fixture->list, time) <= rank);
        assert_true(cm_list_rank_at_most(&fixture->lists, &fixture->list, time) >= rank);
        assert_walk(fixture, rank);
    }
    if (fixture->count > 0)
        assert_int_equal(cm_list_newest(&fixture->lists, &fixture->list),
                         fixture->model[fixture->count - 1]);
}

static void assert_equal(const struct fixture *fixture)
{
    assert_equal_every(fixture, 501, 25);
}

static void test_random_order(void **state)
{
    (void)state;
    struct fixture fixture;
    setup(&fixture, 1, false);
    for (uint32_t click = 0; click < CLICKS; click++) {
        insert(&fixture, click);
        if (click < 20 || click % 131 == 0 || (click > 250 && click < 262))
            assert_equal(&fixture);
    }
    while (fixture.count > 0) {
        remove_place(&fixture, next_random(&fixture, (uint32_t)fixture.count));
        if (fixture.count < 20 || fixture.count % 131 == 0 ||
            (fixture.count > 250 && fixture.count < 262))
            assert_equal(&fixture);
    }
    teardown(&fixture);
}

static void test_a_sliding_window(void **state)
{
    (void)state;
    struct fixture fixture;
    setup(&fixture, 2, true);
    for (uint32_t click = 0; click < CLICKS; click++) {
        insert(&fixture, click);
        if (fixture.count > 700)
            remove_place(&fixture, 0);
        if (click % 173 == 0)
            assert_equal(&fixture);
    }
    while (fixture.count > 0)
        remove_place(&fixture, 0);
    assert_equal(&fixture);
    teardown(&fixture);
}

/* Clicks leave near the front, but not at it, some come back late, and some leave anywhere. */
static void test_a_window_that_slides_in_disorder(void **state)
{
    (void)state;
    for (uint64_t seed = 10; seed < 20; seed++) {
        struct fixture fixture;
        setup(&fixture, seed, true);
        uint32_t near = 1 + (uint32_t)(seed % 5) * 20;
        for (uint32_t click = 0; click < CLICKS; click++) {
            insert(&fixture, click);
            if (fixture.count <= 600 + 100 * near)
                continue;
            uint32_t place = next_random(&fixture, next_random(&fixture, 50) ? near : 600);
            uint32_t removed = fixture.model[place];
            remove_place(&fixture, place);
            assert_false(cm_list_contains(&fixture.lists, &fixture.list, removed));
            if (next_random(&fixture, 40) == 0)
                insert(&fixture, removed);
            uint32_t any = fixture.model[next_random(&fixture, (uint32_t)fixture.count)];
            assert_true(cm_list_contains(&fixture.lists, &fixture.list, any));
            if (click % 37 == 0)
                assert_equal_every(&fixture, CLICKS, 13);
        }
        while (fixture.count > 0) {
            remove_place(&fixture, fixture.count > near ? next_random(&fixture, near) : 0);
            if (fixture.count % 97 == 0)
                assert_equal_every(&fixture, CLICKS, 31);
        }
        teardown(&fixture);
    }
}

/* Clicks leave some at a time; now and then one stays for longer than all around it. */
static void test_some_at_a_time(void **state)
{
    (void)state;
    for (uint64_t seed = 30; seed < 40; seed++) {
        struct fixture fixture;
        setup(&fixture, seed, true);
        uint32_t removed[64], stays = 3 + (uint32_t)seed % 4 * 9;
        for (uint32_t click = 0; click < CLICKS; click++)
            insert(&fixture, click);
        for (uint32_t next = 0; next < CLICKS;) {
            uint32_t count = 0, some = 1 + next_random(&fixture, 64);
            for (; next < CLICKS && count < some; next++)
                if (next % stays != 0)
                    removed[count++] = next;
            cm_list_remove_some(&fixture.lists, &fixture.list, removed, count);
            size_t left = 0;
            for (size_t i = 0; i < fixture.count; i++)
                if (fixture.model[i] >= next || fixture.model[i] % stays == 0)
                    fixture.model[left++] = fixture.model[i];
            fixture.count = left;
            if (next_random(&fixture, 8) == 0)
                assert_equal_every(&fixture, CLICKS, 17);
        }
        assert_equal_every(&fixture, CLICKS, 17);
        while (fixture.count > 0)
            remove_place(&fixture, next_random(&fixture, (uint32_t)fixture.count));
        teardown(&fixture);
    }
}

/* A large window slides far: the directory's room is used again. */
static void test_a_long_list_keeps_its_memory(void **state)
{
    (void)state;
    struct fixture fixture;
    size_t memory = 0;
    setup(&fixture, 6, true);
    cm_list *list = &fixture.list;
    for (uint32_t i = 0; i < 100 * CLICKS; i++) { /* 256 chunks; the same clicks again and again */
        assert_int_equal(cm_list_reserve(&fixture.lists, list, NULL), CM_OK);
        assert_true(cm_list_append(&fixture.lists, list, i % CLICKS) || i % CLICKS == 0);
        if (list->count > 65536)
            cm_list_remove(&fixture.lists, list, (i - 65536) % CLICKS);
        if (i == CLICKS * 30)
            memory = cm_lists_memory(&fixture.lists);
    }
    assert_int_equal(cm_lists_memory(&fixture.lists), memory);
    teardown(&fixture);
}

static void test_newest_first_insertion(void **state)
{
    (void)state;
    struct fixture fixture;
    setup(&fixture, 3, true);
    for (uint32_t click = CLICKS; click-- > 0;)
        insert(&fixture, click);
    assert_equal(&fixture);
    for (unsigned step = 0; step < 2900; step++)
        remove_place(&fixture, fixture.count - 1);
    assert_equal(&fixture);
    teardown(&fixture);
}

static void test_growing_and_shrinking(void **state)
{
    (void)state;
    struct fixture fixture;
    setup(&fixture, 4, false);
    bool listed[CLICKS] = {false};
    for (unsigned step = 0; step < 12000; step++) {
        bool growing = step / 1500 % 2 == 0;
        uint32_t click = next_random(&fixture, 800);
        if (!listed[click] && (growing || next_random(&fixture, 4) == 0)) {
            insert(&fixture, click);
            listed[click] = true;
        } else if (fixture.count > 0 && !growing) {
            size_t place = next_random(&fixture, (uint32_t)fixture.count);
            listed[fixture.model[place]] = false;
            remove_place(&fixture, place);
        }
        if (step % 211 == 0)
            assert_equal(&fixture);
    }
    teardown(&fixture);
}

/* What is given back is used again: filling and emptying does not grow the pool. */
static void test_blocks_are_used_again(void **state)
{
    (void)state;
    struct fixture fixture;
    setup(&fixture, 5, true);
    size_t memory = 0;
    for (unsigned round = 0; round < 20; round++) {
        for (uint32_t click = 0; click < 2000; click++)
            insert(&fixture, click);
        while (fixture.count > 0)
            remove_place(&fixture, 0);
        if (round == 1)
            memory = cm_lists_memory(&fixture.lists);
    }
    assert_int_equal(cm_lists_memory(&fixture.lists), memory);
    teardown(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_order),
        cmocka_unit_test(test_a_sliding_window),
        cmocka_unit_test(test_a_window_that_slides_in_disorder),
        cmocka_unit_test(test_some_at_a_time),
        cmocka_unit_test(test_a_long_list_keeps_its_memory),
        cmocka_unit_test(test_newest_first_insertion),
        cmocka_unit_test(test_growing_and_shrinking),
        cmocka_unit_test(test_blocks_are_used_again),
    };
    return cmocka_run_group_tests_name("list", tests, NULL, NULL);
}

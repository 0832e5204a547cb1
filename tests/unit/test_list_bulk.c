/* Lists filled in bulk: appended as clicks come, sorted where they must be, they are those that
 * ordered inserts make, and go on as such. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "harness/random.h"
#include "harness/stored_clicks.h"
#include "index/list_bulk.h"

#define CLICKS 6200u
#define TIMES 500

/* How times come. */
enum arrival { IN_ORDER, RANDOM, NEWEST_FIRST, ALL_AT_ONCE, LATE_ONES };
#define ARRIVALS 5

struct fixture {
    stored_clicks clicks;
    cm_lists lists;
    cm_list list;
    cm_list_sorter sorter;
    uint32_t expected[CLICKS]; /* oldest first */
    uint32_t count;
};

static int64_t arrival_time(enum arrival arrival, uint32_t number, uint64_t *random)
{
    switch (arrival) {
    case IN_ORDER:
        return number / 13;
    case RANDOM:
        return random_below(random, TIMES);
    case NEWEST_FIRST:
        return TIMES - 1 - number / 13;
    case LATE_ONES:
        return random_below(random, 50) == 0 ? random_below(random, number + 1) / 13 : number / 13;
    default:
        return 250;
    }
}

static void setup(struct fixture *fixture, enum arrival arrival)
{
    uint64_t random = (uint64_t)arrival + 1;
    stored_clicks_init(&fixture->clicks, 7);
    for (uint32_t i = 0; i < CLICKS; i++)
        stored_clicks_add(&fixture->clicks, arrival_time(arrival, i, &random), (cm_click_row){0});
    cm_lists_init(&fixture->lists, &fixture->clicks.store);
    fixture->list = (cm_list){0};
    fixture->sorter = (cm_list_sorter){0};
    fixture->count = 0;
}

static void teardown(struct fixture *fixture)
{
    cm_list_sorter_destroy(&fixture->sorter);
    cm_lists_destroy(&fixture->lists);
    stored_clicks_destroy(&fixture->clicks);
}

static void expect(struct fixture *fixture, uint32_t click)
{
    fixture->expected[fixture->count++] = click;
}

static int64_t time_of(const struct fixture *fixture, uint32_t place)
{
    return cm_click_store_time(&fixture->clicks.store, fixture->expected[place]);
}

/* What is expected is put in order first. All ranks, and the walk from each of a few. */
static void assert_list(struct fixture *fixture)
{
    const cm_lists *lists = &fixture->lists;
    const cm_list *list = &fixture->list;
    stored_clicks_order(&fixture->clicks, fixture->expected, fixture->count);
    assert_int_equal(list->count, fixture->count);
    for (int64_t time = -1, rank = 0; time <= TIMES; time++) {
        while (rank < fixture->count && time_of(fixture, (uint32_t)rank) <= time)
            rank++;
        uint32_t low = cm_list_rank_at_least(lists, list, time);
        uint32_t high = cm_list_rank_at_most(lists, list, time);
        assert_int_equal(cm_list_rank(lists, list, time), rank);
        assert_in_range(rank, low, high);
        assert_true(high - low <= CM_LIST_CHUNK);
        if (time % 50 != 0 && time < TIMES)
            continue;
        cm_cursor cursor = cm_list_walk(lists, list, (uint32_t)rank);
        for (int64_t i = rank; i-- > 0;)
            assert_int_equal(cm_cursor_next(lists, &cursor), fixture->expected[i]);
        assert_int_equal(cm_cursor_next(lists, &cursor), CM_NUMBER_NONE);
    }
    if (fixture->count > 0)
        assert_int_equal(cm_list_newest(lists, list), fixture->expected[fixture->count - 1]);
}

/* Returns whether the list said that it is still in order. */
static bool append(struct fixture *fixture, uint32_t begin, uint32_t end)
{
    bool in_order = true;
    for (uint32_t click = begin; click < end; click++) {
        expect(fixture, click);
        /* Half of them the short way, where there is one. */
        if (click % 2 == 0 && cm_list_append_plainly(&fixture->lists, &fixture->list, click))
            continue;
        assert_int_equal(cm_list_reserve(&fixture->lists, &fixture->list, NULL), CM_OK);
        in_order &= cm_list_append(&fixture->lists, &fixture->list, click);
    }
    return in_order;
}

static void sort(struct fixture *fixture)
{
    assert_int_equal(cm_list_sort(&fixture->lists, &fixture->list, &fixture->sorter, NULL), CM_OK);
}

static void insert(struct fixture *fixture, uint32_t click)
{
    assert_int_equal(cm_list_reserve(&fixture->lists, &fixture->list, NULL), CM_OK);
    cm_list_insert(&fixture->lists, &fixture->list, click);
    expect(fixture, click);
}

static void remove_place(struct fixture *fixture, uint32_t place)
{
    cm_list_remove(&fixture->lists, &fixture->list, fixture->expected[place]);
    fixture->count--;
    memmove(fixture->expected + place, fixture->expected + place + 1,
            (fixture->count - place) * sizeof *fixture->expected);
}

static const uint32_t sizes[] = {1, 2, 31, 32, 33, 34, 63, 64, 65, 255, 256, 257, 258, 513, 3000};
#define SIZES (sizeof sizes / sizeof *sizes)

/* Where nobody asks for it, nothing is sorted here either. */
static void test_any_arrival_in_any_number(void **state)
{
    (void)state;
    for (enum arrival arrival = 0; arrival < ARRIVALS; arrival++)
        for (size_t i = 0; i < SIZES; i++) {
            struct fixture fixture;
            setup(&fixture, arrival);
            if (!append(&fixture, 0, sizes[i]))
                sort(&fixture);
            assert_list(&fixture);
            teardown(&fixture);
        }
}

static void test_clicks_in_order_need_no_sorting(void **state)
{
    (void)state;
    struct fixture fixture;
    setup(&fixture, IN_ORDER);
    uint32_t numbers[CLICKS];
    for (uint32_t i = 0; i < CLICKS; i++)
        numbers[i] = i;
    stored_clicks_order(&fixture.clicks, numbers, CLICKS);
    for (uint32_t i = 0; i < CLICKS; i++) {
        assert_int_equal(cm_list_reserve(&fixture.lists, &fixture.list, NULL), CM_OK);
        assert_true(cm_list_append(&fixture.lists, &fixture.list, numbers[i]));
        expect(&fixture, numbers[i]);
    }
    assert_list(&fixture);
    teardown(&fixture);
}

static void test_a_late_click_of_a_longer_list_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < SIZES; i++) {
        struct fixture fixture;
        setup(&fixture, NEWEST_FIRST);
        append(&fixture, 0, sizes[i]);
        if (sizes[i] >= 33)
            sort(&fixture);
        bool in_order = append(&fixture, CLICKS - 1, CLICKS);
        if (in_order)
            assert_list(&fixture);
        assert_int_equal(in_order, sizes[i] < 32);
        teardown(&fixture);
    }
}

/* What is sorted already is appended to and sorted again. */
static void test_a_second_batch(void **state)
{
    (void)state;
    for (enum arrival arrival = 0; arrival < ARRIVALS; arrival++)
        for (size_t i = 0; i < SIZES; i++)
            for (size_t j = 0; j < SIZES; j += 3) {
                struct fixture fixture;
                setup(&fixture, arrival);
                if (!append(&fixture, 0, sizes[i]))
                    sort(&fixture);
                if (!append(&fixture, sizes[i], sizes[i] + sizes[j]))
                    sort(&fixture);
                assert_list(&fixture);
                teardown(&fixture);
            }
}

/* Then clicks come and go one by one. */
static void test_a_list_goes_on_after_bulk(void **state)
{
    (void)state;
    for (size_t i = 0; i < SIZES; i++) {
        struct fixture fixture;
        setup(&fixture, RANDOM);
        if (!append(&fixture, 0, sizes[i]))
            sort(&fixture);
        assert_list(&fixture);
        for (uint32_t step = 0; step < 600; step++) {
            insert(&fixture, 3000 + step);
            if (step % 100 == 99)
                assert_list(&fixture);
        }
        uint64_t random = i;
        while (fixture.count > 0) {
            stored_clicks_order(&fixture.clicks, fixture.expected, fixture.count);
            for (unsigned step = 0; step < 50 && fixture.count > 0; step++)
                remove_place(&fixture, random_below(&random, fixture.count));
            if (fixture.count / 50 % 5 == 0)
                assert_list(&fixture);
        }
        teardown(&fixture);
    }
}

/* The times that are kept of every 16th click follow what is removed, wherever that is. */
static void test_ranks_after_removals_from_one_place(void **state)
{
    (void)state;
    for (unsigned twentieths = 0; twentieths <= 20; twentieths += 5) {
        struct fixture fixture;
        setup(&fixture, RANDOM);
        append(&fixture, 0, 1500);
        sort(&fixture);
        stored_clicks_order(&fixture.clicks, fixture.expected, fixture.count);
        while (fixture.count > 200) {
            remove_place(&fixture, (fixture.count - 1) * twentieths / 20);
            if (fixture.count % 7 == 0 && (fixture.count > 1400 || fixture.count % 13 == 0))
                assert_list(&fixture);
        }
        teardown(&fixture);
    }
}

/* The short way is for clicks that are later than those before, in a chunk that has room, but for
 * every 16th; else nothing happens. */
static void test_most_clicks_of_a_long_list_are_plain(void **state)
{
    (void)state;
    stored_clicks clicks;
    cm_lists lists;
    cm_list list = {0};
    stored_clicks_init(&clicks, 7);
    cm_lists_init(&lists, &clicks.store);
    for (uint32_t i = 0; i < CLICKS; i++) {
        stored_clicks_add(&clicks, i - (i % 1000 == 999), (cm_click_row){0});
        bool is_plain = cm_list_append_plainly(&lists, &list, i);
        assert_int_equal(is_plain, i > CM_LIST_CHUNK && i % CM_LIST_SAMPLE != 0 && i % 1000 != 999);
        assert_int_equal(list.count, is_plain ? i + 1 : i);
        assert_int_equal(cm_list_reserve(&lists, &list, NULL), CM_OK);
        if (!is_plain)
            cm_list_append(&lists, &list, i);
        assert_int_equal(cm_list_newest(&lists, &list), i);
    }
    cm_lists_destroy(&lists);
    stored_clicks_destroy(&clicks);
}

#define MANY 400000u /* more chunks than cm_list_rank_at_least looks at */

/* Of a list of many chunks, what is near a rank is on the right side of it and within a hundredth
 * of the list, gaps in time and clicks of one time included. */
static void test_what_is_near_a_rank_of_many(void **state)
{
    (void)state;
    stored_clicks clicks;
    cm_lists lists;
    cm_list list = {0};
    cm_list_sorter sorter = {0};
    stored_clicks_init(&clicks, 7);
    cm_lists_init(&lists, &clicks.store);
    for (uint32_t i = 0; i < MANY; i++) {
        int64_t time = i < MANY / 2 ? i / 3 : MANY + i / 5000 * 1000;
        stored_clicks_add(&clicks, time, (cm_click_row){0});
        assert_int_equal(cm_list_reserve(&lists, &list, NULL), CM_OK);
        cm_list_append(&lists, &list, i);
    }
    assert_int_equal(cm_list_sort(&lists, &list, &sorter, NULL), CM_OK);
    for (int64_t time = -1; time <= 2 * MANY; time += 1777) {
        uint32_t rank = cm_list_rank(&lists, &list, time);
        uint32_t low = cm_list_rank_at_least(&lists, &list, time);
        uint32_t high = cm_list_rank_at_most(&lists, &list, time);
        assert_true(rank == 0 || cm_click_store_time(&clicks.store, rank - 1) <= time);
        assert_true(rank == MANY || cm_click_store_time(&clicks.store, rank) > time);
        assert_in_range(rank, low, high);
        assert_true(high - low <= MANY / 100);
    }
    assert_int_equal(cm_list_rank_at_most(&lists, &list, INT64_MAX), MANY);
    cm_list_sorter_destroy(&sorter);
    cm_lists_destroy(&lists);
    stored_clicks_destroy(&clicks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_arrival_in_any_number),
        cmocka_unit_test(test_clicks_in_order_need_no_sorting),
        cmocka_unit_test(test_a_late_click_of_a_longer_list_is_told),
        cmocka_unit_test(test_a_second_batch),
        cmocka_unit_test(test_a_list_goes_on_after_bulk),
        cmocka_unit_test(test_ranks_after_removals_from_one_place),
        cmocka_unit_test(test_most_clicks_of_a_long_list_are_plain),
        cmocka_unit_test(test_what_is_near_a_rank_of_many),
    };
    return cmocka_run_group_tests_name("list_bulk", tests, NULL, NULL);
}

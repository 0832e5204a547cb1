/* The hash table against an array that tells the truth, with hashes made to collide. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "util/table.h"

#define KEYS 2000u

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

/* Few different tags: long runs of slots, wrapped around the end. */
static uint64_t hash_of(uint32_t number)
{
    return (uint64_t)(0xffffff00u + number % 7 * 31) << CM_TABLE_TAG_SHIFT;
}

static bool finds(const cm_table *table, uint32_t number)
{
    cm_probe probe = cm_table_probe(table, hash_of(number));
    for (;;) {
        uint32_t found = cm_table_next(table, &probe);
        if (found == number || found == CM_NUMBER_NONE)
            return found == number;
    }
}

static void assert_holds(const cm_table *table, const bool *there)
{
    size_t count = 0;
    for (uint32_t number = 0; number < KEYS; number++) {
        assert_int_equal(finds(table, number), there[number]);
        count += there[number];
    }
    assert_int_equal(table->count, count);
}

static void test_insert_and_remove(void **state)
{
    (void)state;
    cm_table table = {0};
    bool there[KEYS] = {false};
    uint64_t random = 1;
    for (unsigned step = 0; step < 20000; step++) {
        uint32_t number = (uint32_t)next_random(&random) % (step < 10000 ? 300 : 60);
        if (there[number]) {
            cm_table_remove(&table, hash_of(number), number);
        } else {
            assert_true(cm_table_reserve(&table, 1));
            cm_table_insert(&table, hash_of(number), number);
        }
        there[number] = !there[number];
        if (step % 997 == 0)
            assert_holds(&table, there);
    }
    assert_holds(&table, there);
    cm_table_destroy(&table);
}

static void test_growing_keeps_entries(void **state)
{
    (void)state;
    cm_table table = {0};
    for (uint32_t number = 0; number < 100000; number++) {
        assert_true(cm_table_reserve(&table, 1));
        cm_table_insert(&table, number * 0x9e3779b97f4a7c15u, number);
        assert_true(table.count * 8 <= table.capacity * 7);
    }
    for (uint32_t number = 0; number < 100000; number++) {
        cm_probe probe = cm_table_probe(&table, number * 0x9e3779b97f4a7c15u);
        uint32_t found;
        while ((found = cm_table_next(&table, &probe)) != number)
            assert_int_not_equal(found, CM_NUMBER_NONE);
    }
    cm_table_destroy(&table);
}

static void test_replace(void **state)
{
    (void)state;
    cm_table table = {0};
    assert_true(cm_table_reserve(&table, 2));
    cm_table_insert(&table, hash_of(1), 1);
    cm_table_insert(&table, hash_of(8), 8);
    cm_table_replace(&table, hash_of(1), 1, 15);
    assert_false(finds(&table, 1));
    assert_true(finds(&table, 8));
    assert_true(finds(&table, 15));
    cm_table_destroy(&table);
}

/* A click may stand behind two keys. */
static void test_one_number_under_two_hashes(void **state)
{
    (void)state;
    cm_table table = {0};
    assert_true(cm_table_reserve(&table, 2));
    cm_table_insert(&table, (uint64_t)1 << CM_TABLE_TAG_SHIFT, 5);
    cm_table_insert(&table, (uint64_t)2 << CM_TABLE_TAG_SHIFT, 5);
    cm_table_replace(&table, (uint64_t)2 << CM_TABLE_TAG_SHIFT, 5, 6);
    assert_int_equal(cm_table_guess(&table, (uint64_t)1 << CM_TABLE_TAG_SHIFT), 5);
    assert_int_equal(cm_table_guess(&table, (uint64_t)2 << CM_TABLE_TAG_SHIFT), 6);
    cm_table_destroy(&table);
}

static void test_empty_table_finds_nothing(void **state)
{
    (void)state;
    cm_table table = {0};
    assert_false(finds(&table, 3));
    cm_table_prefetch(&table, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_insert_and_remove),
        cmocka_unit_test(test_growing_keeps_entries),
        cmocka_unit_test(test_replace),
        cmocka_unit_test(test_one_number_under_two_hashes),
        cmocka_unit_test(test_empty_table_finds_nothing),
    };
    return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}

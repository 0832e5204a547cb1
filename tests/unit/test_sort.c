/* The radix sort against qsort: any width of keys, any number of them, and equal keys as they were.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/random.h"
#include "util/sort.h"

#define COUNT_MAX 3000u

/* Values are places: a stable sort leaves them rising among equal keys. */
static int compare(const void *a, const void *b)
{
    const cm_sort_entry *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->value < y->value ? -1 : x->value > y->value;
}

static uint64_t random_key(uint64_t *random)
{
    uint64_t key = (uint64_t)random_below(random, 1u << 22) << 44;
    key |= (uint64_t)random_below(random, 1u << 22) << 22;
    return key | random_below(random, 1u << 22);
}

/* Where the keys differ: the others of their bits are all `fixed`. */
static void check(size_t count, uint64_t differing, uint64_t fixed)
{
    static cm_sort_entry entries[COUNT_MAX], spare[COUNT_MAX], expected[COUNT_MAX];
    uint64_t random = count + differing;
    for (size_t i = 0; i < count; i++)
        entries[i] =
            (cm_sort_entry){(random_key(&random) & differing) | (fixed & ~differing), (uint32_t)i};
    memcpy(expected, entries, count * sizeof *entries);
    if (count > 0)
        qsort(expected, count, sizeof *expected, compare);
    const cm_sort_entry *sorted = cm_sort(entries, spare, count);
    assert_true(sorted == entries || sorted == spare);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(sorted[i].key, expected[i].key);
        assert_int_equal(sorted[i].value, expected[i].value);
    }
}

static void test_agrees_with_qsort_and_is_stable(void **state)
{
    (void)state;
    static const size_t counts[] = {0, 1, 2, 3, 7, 255, 256, 257, COUNT_MAX};
    static const uint64_t widths[] = {0,
                                      1,
                                      0xff,
                                      0xff00,
                                      0xffff,
                                      0xff0000000000,
                                      0x8000000000000000,
                                      0xff000000000000ff,
                                      0x00f0000f00001000,
                                      UINT64_MAX};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        for (size_t j = 0; j < sizeof widths / sizeof *widths; j++) {
            check(counts[i], widths[j], 0);
            check(counts[i], widths[j], UINT64_MAX);
        }
}

static void test_what_is_in_order_stays(void **state)
{
    (void)state;
    cm_sort_entry entries[1000], spare[1000];
    for (uint32_t i = 0; i < 1000; i++)
        entries[i] = (cm_sort_entry){(uint64_t)i / 3 << 30, i};
    const cm_sort_entry *sorted = cm_sort(entries, spare, 1000);
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(sorted[i].value, i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agrees_with_qsort_and_is_stable),
        cmocka_unit_test(test_what_is_in_order_stays),
    };
    return cmocka_run_group_tests_name("sort", tests, NULL, NULL);
}
